// The user's hand on a torrent's trackers, in whole sessions.
#include "tests/sim/sessions/sessions.h"
#include "tests/support/debug_log.h"
#include "tests/support/simulated_tracker.h"

#include <gtest/gtest.h>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;
using namespace torrent;
using Tiers = std::vector<std::vector<std::string>>;

class Trackers : public Sessions {
protected:
    // One of the torrents has the first tracker.
    Member& start(bool is_private = false) {
        made = make_torrent({.trackers = {first.url()}, .is_private = is_private});
        auto& member = add_seed(made, "20.0.0.1:6881");
        EXPECT_TRUE(until(1min, [&] { return first.announces(member.host.endpoint(), 2) == 1; }));
        clock.run_for(engine, 1s);
        return member;
    }
    std::string edit(Member& member, TrackerEdit edit) {
        return run(member.session->edit_trackers(hash(), std::move(edit)));
    }
    static TrackerEdit adding(std::string const& url, std::optional<std::uint32_t> tier = std::nullopt) {
        TrackerEdit edit;
        edit.add = {url};
        edit.tier = tier;
        return edit;
    }
    static TrackerEdit removing(std::string const& url) {
        TrackerEdit edit;
        edit.remove = {url};
        return edit;
    }
    std::vector<TrackerStatus> rows(Member& member) {  // the DHT is none of them
        auto all = member.session->trackers(hash());
        std::erase_if(all, [](auto const& row) { return row.url == "DHT"; });
        return all;
    }
    InfoHash hash() const { return made.metainfo->info_hash(); }
    Tiers remembered(Member& member) { return member.store.records.at(hash()).trackers; }
    static std::string refusal(std::function<void()> const& call) {
        try {
            call();
        } catch (boost::system::system_error const& e) {
            return sentence(e);
        }
        return "was allowed";
    }

    SimulatedTracker first{network.add({Endpoint::parse("20.0.0.8:6969").value()}), clock};
    SimulatedTracker second{network.add({Endpoint::parse("20.0.0.9:6969").value()}), clock};
    MadeTorrent made;
};

TEST_F(Trackers, AnAddedTrackerIsAskedAtOnceAndRemembered) {
    auto& member = start();
    auto const own = member.host.endpoint();

    EXPECT_EQ(edit(member, adding(second.url())), "");

    EXPECT_EQ(remembered(member), (Tiers{{first.url()}, {second.url()}}));
    EXPECT_TRUE(until(1s, [&] { return second.announces(own, 2) == 1; }));
    EXPECT_EQ(first.announces().size(), 1u);
    EXPECT_NE(member.session->magnet(hash()).find("20.0.0.9"), std::string::npos);
    clock.run_for(engine, 1s);  // until the answer is here
    leave(member);
    EXPECT_EQ(second.announces(own, 3), 1u);
}

TEST_F(Trackers, ARemovedTrackerHearsStoppedAndTheOtherTakesItsPlace) {
    auto& member = start();
    auto const own = member.host.endpoint();
    edit(member, adding(second.url(), 0));
    clock.run_for(engine, 1s);

    edit(member, removing(first.url()));

    EXPECT_TRUE(until(1s, [&] { return first.announces(own, 3) == 1; }));
    EXPECT_EQ(remembered(member), (Tiers{{second.url()}}));
    EXPECT_EQ(member.session->magnet(hash()).find("20.0.0.8"), std::string::npos);
    clock.run_for(engine, 3h);
    EXPECT_EQ(first.announces().size(), 2u);
    EXPECT_GE(second.announces(own, 0), 4u);
    EXPECT_EQ(second.announces(own, 3), 0u);
}

TEST_F(Trackers, ReplacingTheListIsOneStep) {
    auto& member = start();
    TrackerEdit all;
    all.replace = Tiers{{second.url()}};

    edit(member, std::move(all));

    EXPECT_TRUE(until(1s, [&] { return first.announces(member.host.endpoint(), 3) == 1; }));
    EXPECT_TRUE(until(1s, [&] { return second.announces(member.host.endpoint(), 2) == 1; }));
    EXPECT_EQ(rows(member).at(0).url, second.url());
}

TEST_F(Trackers, EditsOutliveARestart) {
    auto& member = start();
    edit(member, adding("http://tracker.lan:6969/announce"));
    edit(member, removing(first.url()));
    auto const record = member.store.records.at(hash());
    leave(member);

    auto& again = add("20.0.0.2:6881", {}, {}, record);

    EXPECT_EQ(rows(again).at(0).url, "http://tracker.lan:6969/announce");
    EXPECT_EQ(again.store.records.at(hash()).user_trackers,
              (std::vector<std::string>{"http://tracker.lan:6969/announce"}));
    clock.run_for(engine, 1h);
    EXPECT_EQ(first.announces(again.host.endpoint(), 2), 0u);
}

TEST_F(Trackers, ATrackerOfTheUsersMayBeWhereAStrangersMayNot) {
    SimulatedTracker home(network.add({Endpoint::parse("192.168.0.9:6969").value()}), clock);
    made = make_torrent({.trackers = {home.url()}});
    auto& member = add_seed(made, "20.0.0.1:6881");
    clock.run_for(engine, 1min);
    EXPECT_EQ(home.announces().size(), 0u);
    EXPECT_NE(rows(member).at(0).message.find("where no torrent's tracker list may send us"),
              std::string::npos);

    edit(member, adding(home.url()));

    EXPECT_TRUE(until(1s, [&] { return home.announces(member.host.endpoint(), 2) == 1; }));
    EXPECT_EQ(rows(member).size(), 1u);
    edit(member, removing(home.url()));
    EXPECT_TRUE(member.store.records.at(hash()).user_trackers.empty());
}

TEST_F(Trackers, AnEditThatCannotBeDoesNothingAndSaysWhy) {
    auto& member = start();
    auto const refused = [&](TrackerEdit change) { return refusal([&] { edit(member, std::move(change)); }); };
    auto half = removing(first.url());
    half.add = {
        "http://b\xc3\xbc"
        "cher.example/announce"};

    EXPECT_EQ(refused(removing("udp://x:1")), "the torrent has no tracker udp://x:1");
    EXPECT_NE(refused(half).find("write it in its xn-- form"), std::string::npos);
    EXPECT_EQ(refused(adding("ftp://x/")),
              "'ftp://x/' cannot be a tracker: URLs of the kind ftp: are not supported; http, https and udp are");

    EXPECT_EQ(rows(member).size(), 1u);
    EXPECT_EQ(remembered(member), (Tiers{{first.url()}}));
}

TEST_F(Trackers, OfAPrivateTorrentAWarningIsGivenForOthersOnly) {
    auto& member = start(true);

    EXPECT_NE(edit(member, adding(second.url())).find("private"), std::string::npos);
    EXPECT_EQ(edit(member, adding(second.url())), "") << "it is there";
    EXPECT_EQ(edit(member, removing(second.url())), "");
}

TEST_F(Trackers, APrivateTorrentLeavesThePeersOfATrackerThatIsTakenOut) {
    auto& member = start(true);
    auto& of_first = add("20.0.1.1:6881");
    auto& of_user = add("20.0.2.1:6881");
    for (auto* const other : {&of_first, &of_user}) run(other->session->add(made.file, AddOptions{}));
    run(of_user.session->edit_trackers(hash(), removing(first.url())));
    run(member.session->connect(hash(), "20.0.2.1", 6881));
    ASSERT_TRUE(until(1min, [&] { return member.session->peers(hash()).size() == 2; }));
    TrackerEdit all;
    all.replace = Tiers{{second.url()}};

    edit(member, adding(second.url()));
    EXPECT_EQ(member.session->peers(hash()).size(), 2u) << "none was taken out";
    edit(member, std::move(all));
    clock.run_for(engine, 10s);

    auto const left = member.session->peers(hash());
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left.front().endpoint, of_user.host.endpoint());
}

TEST_F(Trackers, OfATorrentForEverybodyThePeersStay) {
    auto& member = start();
    auto& other = add("20.0.1.1:6881");
    run(other.session->add(made.file, AddOptions{}));
    ASSERT_TRUE(until(1min, [&] { return member.session->peers(hash()).size() == 1; }));
    edit(member, adding(second.url()));

    edit(member, removing(first.url()));
    clock.run_for(engine, 10s);

    EXPECT_EQ(member.session->peers(hash()).size(), 1u);
}

TEST_F(Trackers, AnnouncesNowButNoSoonerThanTheTrackerAllows) {
    auto& member = start();
    auto const own = member.host.endpoint();
    edit(member, adding(second.url()));
    clock.run_for(engine, 1s);
    auto const announce = [&](std::optional<std::string> const& url) { return member.session->announce(hash(), url); };

    auto const early = refusal([&] { announce(first.url()); });
    clock.run_for(engine, 2min);
    auto const one = announce(first.url());
    clock.run_for(engine, 1s);
    EXPECT_EQ(first.announces(own, 0), 1u);
    EXPECT_EQ(second.announces(own, 0), 0u);
    auto const all = announce(std::nullopt);
    clock.run_for(engine, 1s);

    EXPECT_TRUE(early.starts_with(first.url() + " may be asked again in 11")) << early;
    EXPECT_EQ(one.asked, std::vector<std::string>{first.url()});
    EXPECT_EQ(all.asked, std::vector<std::string>{second.url()});
    ASSERT_EQ(all.refused.size(), 1u);
    EXPECT_TRUE(all.refused[0].starts_with(first.url() + " may be asked again in 1")) << all.refused[0];
    EXPECT_EQ(second.announces(own, 0), 1u);
    EXPECT_EQ(refusal([&] { announce("udp://x:1"); }), "the torrent has no tracker udp://x:1");
}

TEST_F(Trackers, APausedTorrentIsAnnouncedToNobody) {
    auto& member = start();
    run(member.session->pause(hash()));

    auto const refused = refusal([&] { member.session->announce(hash(), std::nullopt); });
    edit(member, adding(second.url()));
    clock.run_for(engine, 1h);

    EXPECT_EQ(refused, "the torrent is paused: it is announced to nobody");
    EXPECT_EQ(second.announces().size(), 0u);
    EXPECT_EQ(rows(member).size(), 2u);
}

TEST_F(Trackers, FiguresAreThereAfterSomebodyLooked) {
    auto& member = start();
    EXPECT_EQ(rows(member).at(0).downloads, std::nullopt);

    member.session->scrape(hash());
    clock.run_for(engine, 1s);

    EXPECT_EQ(rows(member).at(0).downloads, 7u);
}

TEST_F(Trackers, OneTrackerThatMakesNoSenseDoesNotStopTheOthers) {
    made = make_torrent({.trackers = {"http://b\xc3\xbc"
                                      "cher.example/announce",
                                      "nonsense", first.url()}});
    auto& member = add_seed(made, "20.0.0.1:6881");

    EXPECT_TRUE(until(1min, [&] { return first.announces(member.host.endpoint(), 2) == 1; }));

    auto const shown = rows(member);
    ASSERT_EQ(shown.size(), 3u);
    EXPECT_EQ(std::count_if(shown.begin(), shown.end(), [](auto const& row) { return row.state == "failed"; }), 2);
}

TEST_F(Trackers, APasskeyNeverGetsIntoTheLog) {
    DebugLog const logged;
    auto const silent = "udp://20.0.0.77:6969/5eC4e7/announce?passkey=5eC4e7";
    made = make_torrent({.trackers = {first.url() + "/5eC4e7?passkey=5eC4e7", silent}});
    auto& member = add_seed(made, "20.0.0.1:6881");
    add("20.0.0.2:6881");
    run(members.back()->session->add(made.file, AddOptions{}));

    clock.run_for(engine, 5min);
    edit(member, adding(second.url() + "/5eC4e7"));
    edit(member, removing(first.url() + "/5eC4e7?passkey=5eC4e7"));
    clock.run_for(engine, 5min);

    EXPECT_NE(logged.text().find("tracker gave peers"), std::string::npos);
    EXPECT_NE(logged.text().find("announced torrent"), std::string::npos);
    EXPECT_NE(logged.text().find("announce failed"), std::string::npos);
    EXPECT_EQ(logged.text().find("5eC4e7"), std::string::npos) << logged.text();
}

}  // namespace
}  // namespace rqfs::tests
