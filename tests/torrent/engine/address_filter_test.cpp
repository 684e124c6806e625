#include "torrent/address_filter.h"

#include "tests/support/run_virtual.h"
#include "tests/support/temp_dir.h"
#include "tests/support/virtual_clock.h"
#include "torrent/error.h"
#include "torrent/workers.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

// Lists on disk, looked at in virtual time.
class FilterOfFiles : public testing::Test {
protected:
    void TearDown() override { tests::run_virtual(engine, clock, filter.stop()); }

    void write(std::string const& file, std::string_view text) { std::ofstream(file) << text; }
    void append(std::string const& file, std::string_view text) { std::ofstream(file, std::ios::app) << text; }
    void replace(std::string const& file, std::string_view text) {
        write(file + ".new", text);
        std::filesystem::rename(file + ".new", file);
    }
    void load() { tests::run_virtual(engine, clock, filter.load()); }
    void start(std::string_view text) {
        write(list, text);
        load();
        filter.start();
        clock.run_for(engine, 20s);
    }
    bool refuses(std::string_view address) const { return filter.refuses(Address::parse(address).value()); }

    boost::asio::io_context engine{1};
    tests::VirtualClock clock;
    Workers workers{engine.get_executor()};
    tests::TempDir directory;
    std::string list = directory / "list";
    int changes = 0;
    AddressFilter filter{engine.get_executor(), clock, workers, {list}, [this] { ++changes; }};
};

TEST_F(FilterOfFiles, IsInForceWhenItIsLoaded) {
    write(list, "1.2.3.4\nnonsense\n");

    load();

    EXPECT_TRUE(refuses("1.2.3.4"));
    EXPECT_FALSE(refuses("1.2.3.5"));
    auto const status = filter.status();
    EXPECT_EQ(status.files, 1u);
    EXPECT_EQ(status.ranges, 1u);
    EXPECT_EQ(status.bad_lines, 1u);
    EXPECT_EQ(status.trouble, "");
}

TEST_F(FilterOfFiles, DoesNotLoadWithoutItsList) {
    try {
        load();
        FAIL() << "a missing list was taken";
    } catch (boost::system::system_error const& e) {
        EXPECT_EQ(sentence(e), "the IP filter " + list + " cannot be taken: No such file or directory");
    }
}

TEST_F(FilterOfFiles, AListThatStaysTheSameIsNotReadAgain) {
    start("1.2.3.4\n");

    clock.run_for(engine, 10min);

    EXPECT_EQ(changes, 0);
}

TEST_F(FilterOfFiles, AListPutInItsPlaceIsTakenWithinThreeLooks) {
    start("1.2.3.4\n");

    replace(list, "1.2.3.5\n1.2.3.6\n");
    clock.run_for(engine, 3 * AddressFilter::kLook);

    EXPECT_EQ(changes, 1);
    EXPECT_FALSE(refuses("1.2.3.4"));
    EXPECT_TRUE(refuses("1.2.3.5"));
}

TEST_F(FilterOfFiles, AListThatIsBeingWrittenIsLeftAloneUntilItIsWhole) {
    start("1.2.3.4\n");

    write(list, "9.0.0.0/8\n");
    for (int i = 0; i < 20; ++i) {
        append(list, "10.0.0." + std::to_string(i) + "\n");
        clock.run_for(engine, AddressFilter::kLook);
        ASSERT_TRUE(refuses("1.2.3.4")) << i;
        ASSERT_FALSE(refuses("9.0.0.1")) << i;
    }
    clock.run_for(engine, 2 * AddressFilter::kLook);

    EXPECT_EQ(changes, 1);
    EXPECT_TRUE(refuses("9.0.0.1"));
    EXPECT_TRUE(refuses("10.0.0.19"));
}

TEST_F(FilterOfFiles, AListThatIsGoneStaysInForce) {
    start("1.2.3.4\n");

    std::filesystem::remove(list);
    clock.run_for(engine, 1min);

    EXPECT_TRUE(refuses("1.2.3.4"));
    EXPECT_EQ(changes, 0);
    EXPECT_EQ(filter.status().trouble, "the IP filter " + list + " cannot be taken: No such file or directory");
}

TEST_F(FilterOfFiles, AListThatComesBackIsTaken) {
    start("1.2.3.4\n");
    std::filesystem::remove(list);
    clock.run_for(engine, 1min);

    replace(list, "1.2.3.5\n");
    clock.run_for(engine, 1min);

    EXPECT_TRUE(refuses("1.2.3.5"));
    EXPECT_EQ(filter.status().trouble, "");
}

TEST_F(FilterOfFiles, AnErrorPageInItsPlaceIsNotTaken) {
    start("1.2.3.4\n");

    replace(list, "<html>not found</html>\n");
    clock.run_for(engine, 1min);

    EXPECT_TRUE(refuses("1.2.3.4"));
    EXPECT_NE(filter.status().trouble, "");
}

// No file can be opened while this lives.
class NoDescriptors {
public:
    NoDescriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit none = before_;
        none.rlim_cur = 0;
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

TEST_F(FilterOfFiles, AListThatCouldNotBeOpenedForAMomentIsTakenWithinThreeLooks) {
    start("1.2.3.4\n");
    replace(list, "1.2.3.5\n");
    {
        NoDescriptors const none;
        clock.run_for(engine, 1min);
        ASSERT_FALSE(refuses("1.2.3.5"));
        ASSERT_NE(filter.status().trouble, "");
    }

    clock.run_for(engine, 3 * AddressFilter::kLook);

    EXPECT_TRUE(refuses("1.2.3.5"));
    EXPECT_EQ(filter.status().trouble, "");
    EXPECT_EQ(changes, 1);
}

TEST_F(FilterOfFiles, AtTheStartAListThatCannotBeOpenedForAMomentIsWaitedFor) {
    write(list, "1.2.3.4\n");
    auto none = std::make_unique<NoDescriptors>();
    boost::asio::co_spawn(engine, filter.load(), boost::asio::detached);
    clock.run_for(engine, 1s);
    ASSERT_FALSE(refuses("1.2.3.4"));

    none.reset();
    clock.run_for(engine, AddressFilter::kLook);

    EXPECT_TRUE(refuses("1.2.3.4"));
}

TEST_F(FilterOfFiles, OtherListsAreTakenAtOnce) {
    start("1.2.3.4\n");
    auto const other = directory / "other";
    write(other, "1.2.3.5\n");

    filter.set_files({list, other});
    clock.run_for(engine, 1s);

    EXPECT_TRUE(refuses("1.2.3.4"));
    EXPECT_TRUE(refuses("1.2.3.5"));
    EXPECT_EQ(filter.status().files, 2u);
    EXPECT_EQ(changes, 1);
}

TEST_F(FilterOfFiles, TheOldListsHoldWhereOneOfTheNewIsMissing) {
    start("1.2.3.4\n");

    filter.set_files({directory / "nowhere"});
    clock.run_for(engine, 1min);

    EXPECT_TRUE(refuses("1.2.3.4"));
    EXPECT_NE(filter.status().trouble, "");
    write(directory / "nowhere", "1.2.3.5\n");
    clock.run_for(engine, 1min);
    EXPECT_FALSE(refuses("1.2.3.4"));
    EXPECT_TRUE(refuses("1.2.3.5"));
}

TEST_F(FilterOfFiles, NoListsLetEverybodyIn) {
    start("1.2.3.4\n");

    filter.set_files({});
    clock.run_for(engine, 1s);

    EXPECT_FALSE(refuses("1.2.3.4"));
    EXPECT_EQ(filter.status().files, 0u);
}

}  // namespace
}  // namespace rqfs::torrent
