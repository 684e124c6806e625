#include "tools/control/protocol.h"
#include "tools/control/json_text.h"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <set>
#include <string>

namespace {

using namespace rqfs::tools;
using namespace rqfs::torrent;
namespace json = boost::json;

// What a client reads of what the server writes.
template <class Parse, class T>
auto there_and_back(T const& value, Parse parse) {
    return parse(parse_json(json_text(to_json(value))).value()).value();
}

TEST(Protocol, CarriesATorrent) {
    TorrentReply reply;
    reply.path = "/mnt/Film";
    reply.status.info_hash = InfoHash::parse(std::string(40, 'a')).value();
    reply.status.name = "Film \"x\" 電影";
    reply.status.state = TorrentState::downloading;
    reply.status.reason = "asking 3 peers";
    reply.status.size_bytes = 5'000'000'000;
    reply.status.pieces = 77;
    reply.status.progress = 0.25;
    reply.status.is_private = true;
    reply.status.added = std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000));

    auto const back = there_and_back(reply, torrent_from_json);

    EXPECT_EQ(back.path, reply.path);
    EXPECT_EQ(back.status.info_hash, reply.status.info_hash);
    EXPECT_EQ(back.status.name, reply.status.name);
    EXPECT_EQ(back.status.state, reply.status.state);
    EXPECT_EQ(back.status.reason, reply.status.reason);
    EXPECT_EQ(back.status.size_bytes, reply.status.size_bytes);
    EXPECT_EQ(back.status.pieces, reply.status.pieces);
    EXPECT_DOUBLE_EQ(back.status.progress, reply.status.progress);
    EXPECT_TRUE(back.status.is_private);
    EXPECT_EQ(back.status.added, reply.status.added);
}

TEST(Protocol, CarriesPeersTrackersFilesAndTheSession) {
    PeerStatus peer;
    peer.endpoint = Endpoint::parse("[fd99::1]:6881").value();
    peer.client = "x\xFF";
    peer.round_trip = std::chrono::milliseconds(12);
    TrackerStatus tracker;
    tracker.url = "http://t/announce";
    tracker.seeders = 5;
    tracker.next_announce = std::chrono::seconds(30);
    tracker.scrape_message = "too often";
    tracker.families = {{false, "working", "", 3}, {true, "failed", "no answer", 0}};
    AskedTrackers asked;
    asked.asked = {"udp://a:1"};
    asked.refused = {"udp://b:1 may be asked again in 5 s"};
    asked.dht = true;
    FileStatus file;
    file.index = FileIndex(3);
    file.path = "a/b";
    SessionReply session;
    session.status.listening = {Endpoint::parse("0.0.0.0:6881").value()};
    session.status.port_mapping.method = "UPnP";
    session.status.port_mapping.external = Endpoint::parse("41.0.0.1:1").value().address;
    session.status.port_mapping.expires = std::chrono::seconds(7);
    session.status.pinhole.state = "searching";
    session.status.interface = {"tun0", "tun0", {session.status.listening[0].address}, 2, std::chrono::seconds(5), "x"};
    session.status.proxy = "socks5://proxy.example:1080";
    session.status.up_limit = std::numeric_limits<std::uint64_t>::max();
    session.status.ip_filter = {2, 1'000'000, 3, 4, "x is missing"};

    EXPECT_EQ(there_and_back(peer, peer_from_json).endpoint, peer.endpoint);
    EXPECT_EQ(there_and_back(peer, peer_from_json).client, "x\xEF\xBF\xBD");
    EXPECT_EQ(there_and_back(peer, peer_from_json).round_trip, peer.round_trip);
    EXPECT_EQ(there_and_back(tracker, tracker_from_json).seeders, tracker.seeders);
    EXPECT_EQ(there_and_back(tracker, tracker_from_json).leechers, std::nullopt);
    EXPECT_EQ(there_and_back(tracker, tracker_from_json).next_announce, tracker.next_announce);
    EXPECT_EQ(there_and_back(tracker, tracker_from_json).scrape_message, "too often");
    EXPECT_EQ(there_and_back(tracker, tracker_from_json).families.at(1).message, "no answer");
    EXPECT_EQ(there_and_back(tracker, tracker_from_json).families.at(0).peers, 3u);
    EXPECT_EQ(there_and_back(asked, asked_from_json).asked, asked.asked);
    EXPECT_EQ(there_and_back(asked, asked_from_json).refused, asked.refused);
    EXPECT_TRUE(there_and_back(asked, asked_from_json).dht);
    EXPECT_EQ(there_and_back(file, file_from_json).index, file.index);
    EXPECT_EQ(there_and_back(session, session_from_json).status.listening, session.status.listening);
    auto const mapping = there_and_back(session, session_from_json).status.port_mapping;
    EXPECT_EQ(mapping.method, "UPnP");
    EXPECT_EQ(mapping.external, session.status.port_mapping.external);
    EXPECT_EQ(mapping.expires, std::chrono::seconds(7));
    EXPECT_EQ(mapping.renewed, std::nullopt);
    EXPECT_EQ(there_and_back(session, session_from_json).status.pinhole.state, "searching");
    auto const interface = there_and_back(session, session_from_json).status.interface;
    EXPECT_EQ(interface.setting, "tun0");
    EXPECT_EQ(interface.device, "tun0");
    EXPECT_EQ(interface.addresses, session.status.interface.addresses);
    EXPECT_EQ(interface.losses, 2u);
    EXPECT_EQ(interface.changed, std::chrono::seconds(5));
    EXPECT_EQ(interface.trouble, "x");
    EXPECT_EQ(there_and_back(session, session_from_json).status.proxy, session.status.proxy);
    EXPECT_EQ(there_and_back(session, session_from_json).status.up_limit, session.status.up_limit);
    EXPECT_EQ(there_and_back(session, session_from_json).status.ip_filter.ranges, 1'000'000u);
    EXPECT_EQ(there_and_back(session, session_from_json).status.ip_filter.refused_connections, 4u);
    EXPECT_EQ(there_and_back(session, session_from_json).status.ip_filter.trouble, "x is missing");
}

TEST(Protocol, CarriesWhatReadersWaitFor) {
    using namespace std::chrono_literals;
    auto const endpoint = Endpoint::parse("10.0.0.1:6881").value();
    WhyReply reply;
    reply.text = "mpv waits\n";
    auto& why = reply.status;
    why.path = "Film.mkv";
    why.open = 2;
    why.limit = {60s, "EIO"};
    why.readers.push_back({"mpv", 4711, true, 5000, 10, {{{5, 10}, 3s, 1, {PieceIndex(7)}}}});
    WhyStatus::Piece piece;
    piece.piece = PieceIndex(7);
    piece.peers_unchoked = 1;
    piece.failed = true;
    piece.holders.push_back({endpoint, false});
    piece.missing.push_back({BlockIndex(3), {{endpoint, false, 2s, 1s}}});
    why.pieces.push_back(piece);

    auto const back = there_and_back(reply, why_from_json);

    EXPECT_EQ(back.text, reply.text);
    EXPECT_EQ(explain(back.status), explain(why)) << "every member has come";
    EXPECT_EQ(back.status.pieces.front().missing.front().asked.front().endpoint, endpoint);
    EXPECT_EQ(back.status.readers.front().reads.front().range, (ByteRange{5, 10}));
}

TEST(Protocol, RefusesWrongTypesDeepInside) {
    auto const document = parse_json(R"({"readers": [{"program": 5}]})").value();

    EXPECT_FALSE(why_from_json(document));
}

TEST(Protocol, CarriesTheStatistics) {
    Statistics statistics;
    statistics.open_to_first_byte.add(std::chrono::milliseconds(40));
    statistics.open_to_first_byte.add(std::chrono::minutes(2));
    statistics.received = {.wanted = 1, .duplicate = 2, .late = 3, .failed_hash = 4, .dropped = 5};
    statistics.unread_read_ahead_bytes = std::numeric_limits<std::uint64_t>::max();
    statistics.kept_index_bytes = 6;
    auto const reply = statistics_reply(statistics);

    auto const back = there_and_back(reply, statistics_from_json);

    EXPECT_EQ(back.open_to_first_byte.count, 2u);
    EXPECT_DOUBLE_EQ(back.open_to_first_byte.sum_seconds, 120.04);
    EXPECT_EQ(back.open_to_first_byte.p50_seconds, reply.open_to_first_byte.p50_seconds);
    EXPECT_EQ(back.open_to_first_byte.p95_seconds, reply.open_to_first_byte.p95_seconds);
    EXPECT_EQ(back.open_to_first_byte.bounds_seconds.front(), 0.01);
    EXPECT_EQ(back.open_to_first_byte.bounds_seconds.back(), 60);
    EXPECT_EQ(back.open_to_first_byte.counts, reply.open_to_first_byte.counts);
    EXPECT_EQ(back.open_to_first_byte.counts.size(), back.open_to_first_byte.bounds_seconds.size() + 1);
    EXPECT_EQ(back.open_to_first_byte.counts.back(), 1u);
    EXPECT_EQ(back.stalled.p50_seconds, std::nullopt);
    EXPECT_EQ(back.received, statistics.received);
    EXPECT_EQ(back.unread_read_ahead_bytes, statistics.unread_read_ahead_bytes);
    EXPECT_EQ(back.kept_index_bytes, statistics.kept_index_bytes);
}

TEST(Protocol, RefusesAHistogramThatIsNone) {
    EXPECT_FALSE(statistics_from_json(parse_json(R"({"stalled": 3})").value()));
    EXPECT_FALSE(statistics_from_json(parse_json(R"({"stalled": {"counts": [1, "x"]}})").value()));
    EXPECT_TRUE(statistics_from_json(parse_json(R"({"stalled": {}})").value()));
}

TEST(Protocol, KnowsAWordForEveryState) {
    for (auto const state :
         {TorrentState::metadata, TorrentState::checking, TorrentState::idle, TorrentState::downloading,
          TorrentState::seeding, TorrentState::paused, TorrentState::error}) {
        TorrentReply reply;
        reply.status.state = state;

        EXPECT_EQ(there_and_back(reply, torrent_from_json).status.state, state);
    }
}

TEST(Protocol, WritesNoInfinity) {
    TorrentReply reply;
    reply.status.down_rate = std::numeric_limits<double>::infinity();
    reply.status.up_rate = std::numeric_limits<double>::quiet_NaN();
    reply.status.progress = std::numeric_limits<double>::infinity();

    EXPECT_EQ(there_and_back(reply, torrent_from_json).status.down_rate, 0);
    EXPECT_EQ(there_and_back(reply, torrent_from_json).status.up_rate, 0);
    EXPECT_EQ(there_and_back(reply, torrent_from_json).status.progress, 0);
}

TEST(Protocol, WritesRatesAsWholeBytesASecondAndProgressAsAPlainDecimal) {
    TorrentReply torrent;
    torrent.status.down_rate = 1'048'575.6;
    torrent.status.progress = 0.00001;
    PeerStatus peer;
    peer.down_rate = -0.0;
    peer.up_rate = 1e30;
    peer.progress = 1;

    auto const written = json_text(to_json(torrent)) + json_text(to_json(peer)) + json_text(to_json(SessionReply()));

    for (auto const* const part : {"\"down_rate\":1048576,", "\"up_rate\":0,", "\"progress\":0.00001,",
                                   "\"down_rate\":0,", "\"up_rate\":1000000000000000000,", "\"progress\":1,"})
        EXPECT_NE(written.find(part), std::string::npos) << part << " in " << written;
    EXPECT_EQ(written.find("E0"), std::string::npos) << written;
}

TEST(Protocol, IgnoresUnknownMembersAndRefusesWrongTypes) {
    EXPECT_TRUE(torrent_from_json(json::parse(R"({"name": "x", "of_tomorrow": [1]})")));
    EXPECT_FALSE(torrent_from_json(json::parse(R"({"name": 5})")));
    EXPECT_FALSE(torrent_from_json(json::parse(R"({"pieces": -1})")));
    EXPECT_FALSE(torrent_from_json(json::parse(R"({"state": "dreaming"})")));
    EXPECT_FALSE(torrent_from_json(json::parse("[]")));
}

TEST(Protocol, HasAKindAndAStatusForEveryError) {
    std::set<std::string> kinds;
    for (int code = 1; code <= static_cast<int>(Errc::stopping); ++code) {
        auto const reply = error_reply(static_cast<Errc>(code), "why");

        EXPECT_GE(reply.status, 400u);
        EXPECT_NE(reply.kind, "internal");
        kinds.insert(reply.kind);
    }
    EXPECT_EQ(kinds.size(), static_cast<std::size_t>(Errc::stopping));
}

TEST(Protocol, CarriesErrorsWithCandidates) {
    ErrorReply const error{409, "ambiguous", "fits 2", {"a", "b"}};

    auto const back = there_and_back(error, error_from_json);

    EXPECT_EQ(back.kind, error.kind);
    EXPECT_EQ(back.message, error.message);
    EXPECT_EQ(back.candidates, error.candidates);
}

TEST(Protocol, RefusesDeepAndBrokenJson) {
    EXPECT_TRUE(parse_json(std::string(60, '[') + std::string(60, ']')));
    EXPECT_FALSE(parse_json(std::string(65, '[') + std::string(65, ']')));
    EXPECT_FALSE(parse_json("{} {}"));
    EXPECT_FALSE(parse_json("{\"a\": \"\xFF\"}"));
    EXPECT_FALSE(parse_json(""));
}

}  // namespace
