#include "torrent/tracker/announce_slots.h"

#include "tests/support/run_engine.h"
#include "torrent/task_group.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;

class AnnounceSlotsTest : public testing::Test {
protected:
    // Names are the first bytes of their torrents' hashes.
    static InfoHash torrent_of(std::string const& who) {
        std::array<std::byte, InfoHash::kBytes> bytes{};
        bytes[0] = static_cast<std::byte>(who.front());
        return InfoHash(bytes);
    }
    asio::awaitable<void> take(std::string who, bool urgent) {
        auto slot = co_await slots.acquire(urgent, torrent_of(who));
        order.push_back(who);
        held.emplace(who, std::move(slot));
    }
    void ask(std::string const& who, bool urgent = false) {
        tasks.spawn(take(who, urgent));
        settle();
    }
    void settle() {
        engine.restart();
        engine.poll();
    }
    // Whoever has a slot gives it back, one after the other, until nobody waits.
    std::vector<std::string> order_of_all() {
        while (!held.empty()) {
            held.erase(held.begin());
            settle();
        }
        return order;
    }
    void TearDown() override {
        tests::run_engine(engine, tasks.stop());
        held.clear();
    }

    asio::io_context engine{1};
    AnnounceSlots slots{engine.get_executor(), 2};
    TaskGroup tasks{engine.get_executor(), "announces"};
    std::vector<std::string> order;
    std::map<std::string, AnnounceSlots::Slot> held;
};

TEST_F(AnnounceSlotsTest, LetsSoManyBeUnderWayAndTheNextWhenOneEnds) {
    ask("a");
    ask("b");
    ask("c");
    EXPECT_EQ(order, (std::vector<std::string>{"a", "b"}));

    held.erase("b");
    settle();

    EXPECT_EQ(order, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(AnnounceSlotsTest, ServesInTheOrderOfComingTheUrgentFirst) {
    for (auto const* const who : {"a", "b", "c", "d"}) ask(who);
    for (auto const* const who : {"X", "Y", "Z"}) ask(who, true);

    EXPECT_EQ(order_of_all(), (std::vector<std::string>{"a", "b", "X", "Y", "Z", "c", "d"}));
}

TEST_F(AnnounceSlotsTest, AWaiterThatSomebodyComesToWaitForPassesThoseThatAreNotUrgent) {
    for (auto const* const who : {"a", "b", "c", "d", "e"}) ask(who);
    ask("X", true);

    slots.hurry(torrent_of("e"));
    slots.hurry(torrent_of("d"));
    slots.hurry(torrent_of("e"));
    slots.hurry(torrent_of("nobody"));

    EXPECT_EQ(order_of_all(), (std::vector<std::string>{"a", "b", "X", "e", "d", "c"}));
}

TEST_F(AnnounceSlotsTest, AWaiterThatIsCalledOffTakesNoSlotWithIt) {
    TaskGroup others(engine.get_executor(), "called off");
    ask("a");
    ask("b");
    others.spawn(take("gone", false));
    settle();
    ask("c");

    tests::run_engine(engine, others.stop());

    EXPECT_EQ(order_of_all(), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(AnnounceSlotsTest, ASlotGrantedToOneWhoIsCalledOffMeanwhileGoesToTheNext) {
    TaskGroup others(engine.get_executor(), "called off");
    ask("a");
    ask("b");
    others.spawn(take("gone", false));
    settle();
    ask("c");

    others.cancel();
    held.erase("a");
    tests::run_engine(engine, others.stop());

    EXPECT_EQ(order_of_all().back(), "c");
}

}  // namespace
}  // namespace rqfs::torrent
