#include "torrent/task_group.h"

#include "tests/support/run_engine.h"
#include "torrent/event.h"

#include <gtest/gtest.h>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;

struct Steps {
    bool begun = false;
    bool ended = false;
};

asio::awaitable<void> wait_for(Event& event, Steps& steps) {
    steps.begun = true;
    struct End {
        Steps& of;
        ~End() { of.ended = true; }
    } const end{steps};
    co_await event.wait();
}

class TaskGroupTest : public testing::Test {
protected:
    void settle() {
        engine.restart();
        engine.poll();
    }

    asio::io_context engine{1};
    Event event{engine.get_executor()};
    TaskGroup tasks{engine.get_executor(), "test"};
    Steps one, other;
};

TEST_F(TaskGroupTest, CountsCoroutinesUntilTheyHaveEnded) {
    tasks.spawn(wait_for(event, one));
    tasks.spawn(wait_for(event, other));
    settle();
    EXPECT_EQ(tasks.running(), 2u);

    event.notify();
    settle();

    EXPECT_EQ(tasks.running(), 0u);
    EXPECT_TRUE(one.ended && other.ended);
}

TEST_F(TaskGroupTest, StartsACoroutineAtTheNextTurnOfTheLoop) {
    tasks.spawn(wait_for(event, one));
    EXPECT_FALSE(one.begun);

    settle();

    EXPECT_TRUE(one.begun);
    tests::run_engine(engine, tasks.stop());
}

TEST_F(TaskGroupTest, StopReturnsWhenTheLastHasEnded) {
    tasks.spawn(wait_for(event, one));
    tasks.spawn(wait_for(event, other));
    settle();

    tests::run_engine(engine, tasks.stop());

    EXPECT_TRUE(one.ended && other.ended);
    EXPECT_EQ(tasks.running(), 0u);
}

TEST_F(TaskGroupTest, StopsCoroutinesThatHaveNotStartedYet) {
    tasks.spawn(wait_for(event, one));

    tests::run_engine(engine, tasks.stop());

    EXPECT_EQ(tasks.running(), 0u);
    EXPECT_EQ(one.begun, one.ended);
}

TEST_F(TaskGroupTest, DropsWhatIsSpawnedAfterItWasStopped) {
    tests::run_engine(engine, tasks.stop());

    tasks.spawn(wait_for(event, one));
    settle();

    EXPECT_FALSE(one.begun);
    EXPECT_EQ(tasks.running(), 0u);
}

TEST_F(TaskGroupTest, AfterACancelNewCoroutinesMayRun) {
    tasks.spawn(wait_for(event, one));
    settle();

    tasks.cancel();
    settle();
    tasks.spawn(wait_for(event, other));
    settle();

    EXPECT_TRUE(one.ended);
    EXPECT_TRUE(other.begun);
    EXPECT_FALSE(other.ended);
    tests::run_engine(engine, tasks.stop());
}

}  // namespace
}  // namespace rqfs::torrent
