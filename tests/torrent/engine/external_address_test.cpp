// Whose word of our own address a whole session takes.
#include "tests/support/debug_log.h"
#include "tests/support/fake_tracker.h"
#include "tests/torrent/engine/two_sessions.h"
#include "torrent/tracker_edit.h"

#include <gtest/gtest.h>

#include <string>

namespace rqfs::torrent {
namespace {

class ToldByTrackers : public TwoSessions {
protected:
    ToldByTrackers() {
        tracker.answer_http([](std::string const&) {
            return tests::FakeTracker::ok(
                "d11:external ip4:\5\6\7\x08"
                "8:intervali1800e5:peers0:e");
        });
    }
    void TearDown() override {
        run(tracker.stop());
        TwoSessions::TearDown();
    }
    // One server under so many URLs.
    std::string magnet(int urls) const {
        std::string link = "magnet:?xt=urn:btih:0102030405060708090a0b0c0d0e0f1011121314";
        for (int i = 0; i < urls; ++i) link += "&tr=" + tracker.http_url("/" + std::to_string(i));
        return link;
    }
    bool asked(std::size_t times) {
        return until([&] { return tracker.targets().size() >= times; });
    }

    tests::FakeTracker tracker{engine.get_executor()};
    tests::DebugLog log;
};

TEST_F(ToldByTrackers, AServerThatAMagnetNamesSixtyFourTimesDoesNotSayWhoWeAre) {
    run(leech.session->start());
    run(seed.session->start());

    run(leech.session->add(magnet(64), AddOptions{}));
    ASSERT_TRUE(asked(64));
    auto const end = leech.clock.now() + std::chrono::milliseconds(200);
    until([&] { return leech.clock.now() >= end; });  // the last answers

    EXPECT_FALSE(log.text().find("external address=") != std::string::npos);
}

TEST_F(ToldByTrackers, ATrackerThatTheUserNamesDoes) {
    run(leech.session->start());
    run(seed.session->start());
    auto const added = run(leech.session->add(magnet(0), AddOptions{}));

    TrackerEdit edit;
    edit.add = {tracker.http_url()};
    run(leech.session->edit_trackers(added.info_hash, edit));

    EXPECT_TRUE(until([&] { return log.text().find("external address=5.6.7.8") != std::string::npos; }));
}

}  // namespace
}  // namespace rqfs::torrent
