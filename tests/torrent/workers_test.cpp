#include "torrent/workers.h"

#include "tests/support/run_engine.h"
#include "torrent/error.h"
#include "torrent/task_group.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

TEST(Workers, ReturnsTheValueOfAFunctionThatRanOnAnotherThread) {
    asio::io_context engine{1};
    Workers workers;

    auto const id = tests::run_engine(engine, workers.run(Workers::Lane::hash, [] { return std::this_thread::get_id(); }));

    EXPECT_NE(id, std::this_thread::get_id());
}

TEST(Workers, WithoutThreadsWorkOnTheEngineItself) {
    asio::io_context engine{1};
    Workers workers(engine.get_executor());

    auto const id = tests::run_engine(engine, workers.run(Workers::Lane::disk, [] { return std::this_thread::get_id(); }));

    EXPECT_EQ(id, std::this_thread::get_id());
}

TEST(Workers, MovesArgumentsAndResults) {
    asio::io_context engine{1};
    Workers workers;
    auto twice = [](std::unique_ptr<int> n) { return std::make_unique<int>(*n * 2); };

    auto const result = tests::run_engine(engine, workers.run(Workers::Lane::disk, twice, std::make_unique<int>(21)));

    EXPECT_EQ(*result, 42);
}

TEST(Workers, ThrowsWhatTheFunctionThrew) {
    asio::io_context engine{1};
    Workers workers;
    auto fail = [] { throw_error(Errc::io, "the disk is on fire"); };

    try {
        tests::run_engine(engine, workers.run(Workers::Lane::disk, fail));
        FAIL() << "nothing was thrown";
    } catch (boost::system::system_error const& e) {
        EXPECT_EQ(e.code(), Errc::io);
        EXPECT_EQ(sentence(e), "the disk is on fire");
    }
}

asio::awaitable<void> work_and_note(Workers& workers, std::shared_ptr<std::string> buffer, bool& after) {
    auto slow = [](std::shared_ptr<std::string> const& b) {
        std::this_thread::sleep_for(50ms);
        *b = "written";
    };
    co_await workers.run(Workers::Lane::disk, slow, buffer);
    after = true;
    asio::steady_timer timer(co_await asio::this_coro::executor, 10s);
    co_await timer.async_wait(asio::use_awaitable);
}

TEST(Workers, ACancelledCoroutineGoesOnWhenItsFunctionHasEndedAndStopsAtItsNextWait) {
    asio::io_context engine{1};
    Workers workers;
    TaskGroup tasks(engine.get_executor(), "test");
    auto const buffer = std::make_shared<std::string>();
    bool after = false;
    tasks.spawn(work_and_note(workers, buffer, after));
    engine.poll();

    auto const begin = std::chrono::steady_clock::now();
    tests::run_engine(engine, tasks.stop());

    EXPECT_EQ(*buffer, "written");
    EXPECT_TRUE(after);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

}  // namespace
}  // namespace rqfs::torrent
