#include "torrent/net/resolver.h"

#include "tests/support/run_engine.h"
#include "torrent/error.h"
#include "torrent/task_group.h"

#include <gtest/gtest.h>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using tests::run_engine;

asio::awaitable<void> resolve_quietly(Resolver& resolver, std::string host) {
    co_await resolver.resolve(std::move(host));
}

TEST(SystemResolver, AnswersLiteralsItself) {
    asio::io_context engine{1};
    SystemResolver resolver;

    EXPECT_EQ(run_engine(engine, resolver.resolve("1.2.3.4")), std::vector<Address>{Address::parse("1.2.3.4").value()});
    EXPECT_EQ(run_engine(engine, resolver.resolve("2001:db8::1")),
              std::vector<Address>{Address::parse("2001:db8::1").value()});
}

TEST(SystemResolver, FindsLocalhostWithoutDuplicates) {
    asio::io_context engine{1};
    SystemResolver resolver;

    auto const found = run_engine(engine, resolver.resolve("localhost"));

    EXPECT_EQ(std::count(found.begin(), found.end(), Address::parse("127.0.0.1").value()), 1);
}

TEST(SystemResolver, NamesTheHostThatIsNotKnown) {
    asio::io_context engine{1};
    SystemResolver resolver;

    boost::system::error_code code;
    std::string text;
    try {
        run_engine(engine, resolver.resolve("no such name at all"));
    } catch (boost::system::system_error const& e) {
        code = e.code();
        text = sentence(e);
    }

    EXPECT_EQ(code, asio::error::host_not_found);
    EXPECT_NE(text.find("no such name at all"), std::string::npos);
}

TEST(SystemResolver, LetsGoAtOnceWhenCancelled) {
    asio::io_context engine{1};
    SystemResolver resolver;
    TaskGroup tasks(engine.get_executor(), "test");
    tasks.spawn(resolve_quietly(resolver, "localhost"));

    engine.poll_one();
    run_engine(engine, tasks.stop());

    EXPECT_EQ(tasks.running(), 0u);
}

}  // namespace
}  // namespace rqfs::torrent
