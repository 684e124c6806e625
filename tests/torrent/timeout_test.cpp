#include "torrent/timeout.h"

#include "tests/support/run_engine.h"
#include "torrent/clock.h"
#include "torrent/error.h"
#include "torrent/task_group.h"

#include <gtest/gtest.h>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<int> never(Clock& clock) {
    co_await clock.sleep(1h);
    co_return 1;
}

asio::awaitable<int> soon() { co_return 7; }

TEST(WithTimeout, ThrowsTimedOutWithItsSentence) {
    asio::io_context engine{1};
    SteadyClock clock;

    try {
        tests::run_engine(engine, with_timeout(clock, never(clock), 20ms, "waited long enough"));
        FAIL() << "nothing was thrown";
    } catch (boost::system::system_error const& e) {
        EXPECT_EQ(e.code(), Errc::timed_out);
        EXPECT_EQ(sentence(e), "waited long enough");
    }
}

TEST(WithTimeout, GivesTheValueOfAnOperationThatIsInTime) {
    asio::io_context engine{1};
    SteadyClock clock;

    EXPECT_EQ(tests::run_engine(engine, with_timeout(clock, soon(), 10s, "late")), 7);
}

asio::awaitable<void> guarded(Clock& clock, bool& aborted) {
    try {
        co_await with_timeout(clock, never(clock), 1h, "late");
    } catch (boost::system::system_error const& e) {
        aborted = e.code() == asio::error::operation_aborted;
        throw;
    }
}

TEST(WithTimeout, PassesCancellationOn) {
    asio::io_context engine{1};
    SteadyClock clock;
    TaskGroup tasks(engine.get_executor(), "test");
    bool aborted = false;
    tasks.spawn(guarded(clock, aborted));
    engine.poll();

    tests::run_engine(engine, tasks.stop());

    EXPECT_TRUE(aborted);
}

}  // namespace
}  // namespace rqfs::torrent
