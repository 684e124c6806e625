#include "torrent/net/nat_pmp_mapper.h"

#include "tests/support/run_engine.h"
#include "torrent/clock.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace rqfs::torrent {
namespace {

std::size_t open_files() {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

TEST(NatPmpMapper, ARouterThatCannotBeReachedCostsNoSocket) {
    boost::asio::io_context engine{1};
    SteadyClock clock;
    NatPmpMapper mapper(engine.get_executor(), clock, InterfaceBinding());
    Router router;
    router.address = Address::parse("255.255.255.255").value();  // a broadcast, which sockets may not send
    auto const fail = [&] {
        EXPECT_THROW(tests::run_engine(engine, mapper.open(router)), boost::system::system_error);
    };
    fail();  // the engine itself has opened what it needs
    auto const before = open_files();

    for (int i = 0; i < 10; ++i) fail();

    EXPECT_EQ(open_files(), before);
}

}  // namespace
}  // namespace rqfs::torrent
