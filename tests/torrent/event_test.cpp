#include "torrent/event.h"

#include "tests/support/run_engine.h"
#include "torrent/task_group.h"

#include <gtest/gtest.h>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;

asio::awaitable<void> count_notices(Event& event, int& notices, bool& aborted) {
    try {
        for (;;) {
            co_await event.wait();
            ++notices;
        }
    } catch (boost::system::system_error const& e) {
        aborted = e.code() == asio::error::operation_aborted;
        throw;
    }
}

class EventTest : public testing::Test {
protected:
    void settle() {
        engine.restart();
        engine.poll();
    }
    void TearDown() override { tests::run_engine(engine, tasks.stop()); }

    asio::io_context engine{1};
    Event event{engine.get_executor()};
    TaskGroup tasks{engine.get_executor(), "test"};
    int one = 0, other = 0;
    bool aborted = false;
};

TEST_F(EventTest, WakesAllWhoWait) {
    tasks.spawn(count_notices(event, one, aborted));
    tasks.spawn(count_notices(event, other, aborted));
    settle();

    event.notify();
    settle();

    EXPECT_EQ(one, 1);
    EXPECT_EQ(other, 1);
}

TEST_F(EventTest, IsNotRememberedForThoseWhoWaitLater) {
    event.notify();
    tasks.spawn(count_notices(event, one, aborted));
    settle();

    EXPECT_EQ(one, 0);
}

TEST_F(EventTest, SeveralNoticesInOneTurnOfTheLoopWakeOnce) {
    tasks.spawn(count_notices(event, one, aborted));
    settle();

    event.notify();
    event.notify();
    settle();

    EXPECT_EQ(one, 1);
}

TEST_F(EventTest, ACancelledWaiterIsTold) {
    tasks.spawn(count_notices(event, one, aborted));
    settle();

    tests::run_engine(engine, tasks.stop());

    EXPECT_TRUE(aborted);
    EXPECT_EQ(one, 0);
}

}  // namespace
}  // namespace rqfs::torrent
