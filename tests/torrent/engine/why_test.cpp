#include "torrent/why.h"

#include "tests/torrent/engine/two_sessions.h"
#include "torrent/task_group.h"

#include <string>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;

class WhyOfASession : public TwoSessions {
protected:
    void add(tests::MadeTorrent const& made) {
        start(made);
        run(leech.session->add(made.file, AddOptions{}));
        hash = made.metainfo->info_hash();
        stream = leech.session->open(hash, FileIndex(0), ReaderProgram{"mpv", 4711});
    }
    static asio::awaitable<void> read_whole(Stream& stream, ByteRange range) {
        try {
            co_await stream.read(range);
        } catch (boost::system::system_error const&) {
        }
    }
    void begin(ByteRange range) { tasks.spawn(read_whole(*stream, range)); }
    WhyStatus why(FileIndex file = FileIndex(0)) { return leech.session->why(hash, file); }
    bool waits() {
        return until([&] { return leech.session->torrent(hash).blocked_reads > 0; });
    }
    void TearDown() override {
        TwoSessions::TearDown();
        run(tasks.stop());
        stream.reset();
    }

    InfoHash hash;
    std::unique_ptr<Stream> stream;
    TaskGroup tasks{engine.get_executor(), "test"};
};

TEST_F(WhyOfASession, NamesTheReaderItsReadAndThePiecesNobodyHas) {
    auto const made = tests::make_torrent({.bytes = 3'000'000});
    auto const& layout = made.metainfo->pieces();
    add(made);

    begin({1'000'000, 1'100'000});

    ASSERT_TRUE(waits());
    auto const told = why();
    ASSERT_EQ(told.readers.size(), 1u);
    auto const& reader = told.readers.front();
    EXPECT_EQ(told.open, 1u);
    EXPECT_EQ(reader.program, "mpv");
    EXPECT_EQ(reader.process_id, 4711u);
    EXPECT_FALSE(reader.greedy);
    EXPECT_EQ(reader.position, 1'100'000u);
    ASSERT_EQ(reader.reads.size(), 1u);
    EXPECT_EQ(reader.reads.front().range, (ByteRange{1'000'000, 1'100'000}));
    auto const first = layout.pieces(ByteRange{1'000'000, 1'100'000}).first;
    EXPECT_EQ(reader.reads.front().pieces.front(), first);
    ASSERT_FALSE(told.pieces.empty());
    EXPECT_EQ(told.pieces.front().piece, first);
    EXPECT_EQ(told.pieces.front().blocks, layout.blocks(first));
    EXPECT_EQ(told.pieces.front().blocks_here, 0u);
    EXPECT_EQ(told.pieces.front().peers, 0u);
    EXPECT_FALSE(told.pieces.front().missing.empty());
    EXPECT_TRUE(told.pieces.front().missing.front().asked.empty());
}

TEST_F(WhyOfASession, NamesWhoWasAskedForWhichBlock) {
    auto const made = tests::make_torrent({.bytes = 3'000'000});
    add(made);
    seed.session->limit(1, std::nullopt);  // it has all and gives next to nothing
    connect(hash);

    begin({1'000'000, 1'100'000});

    auto const asked = [&] {
        auto const told = why();
        return !told.pieces.empty() && !told.pieces.front().missing.empty() &&
               !told.pieces.front().missing.front().asked.empty();
    };
    ASSERT_TRUE(until(asked));
    auto const piece = why().pieces.front();
    EXPECT_EQ(piece.peers, 1u);
    EXPECT_EQ(piece.peers_unchoked, 1u);
    ASSERT_EQ(piece.holders.size(), 1u);
    EXPECT_EQ(piece.holders.front().endpoint.port, seed.port());
    EXPECT_EQ(piece.missing.front().asked.front().endpoint.port, seed.port());
    EXPECT_FALSE(piece.missing.front().asked.front().choking);
}

TEST_F(WhyOfASession, WaitsForNothingOnceTheReadIsAnswered) {
    auto const made = tests::make_torrent({.bytes = 3'000'000});
    add(made);
    connect(hash);
    read(*stream, {1'000'000, 1'100'000});

    auto const told = why();

    EXPECT_EQ(told.open, 1u);
    ASSERT_EQ(told.readers.size(), 1u);
    EXPECT_TRUE(told.readers.front().reads.empty());
    EXPECT_TRUE(told.pieces.empty());
}

TEST_F(WhyOfASession, PutsThoseThatWaitFirstAndKeepsTheListShort) {
    auto const made = tests::make_torrent({.bytes = 3'000'000});
    add(made);
    std::vector<std::unique_ptr<Stream>> others;
    for (int i = 0; i < 50; ++i) others.push_back(leech.session->open(hash, FileIndex(0), ReaderProgram{"find", 1}));
    std::swap(stream, others.back());

    begin({1'000'000, 1'100'000});

    ASSERT_TRUE(waits());
    auto const told = why();
    EXPECT_EQ(told.open, 51u);
    EXPECT_EQ(told.readers.size(), limit::kWhyReaders);
    EXPECT_FALSE(told.readers[0].reads.empty());
    EXPECT_TRUE(told.readers[1].reads.empty());
}

TEST_F(WhyOfASession, IsNotFoundForAFileThatIsNot) {
    add(tests::make_torrent({.bytes = 100'000}));

    EXPECT_THROW(why(FileIndex(1)), boost::system::system_error);
}

TEST_F(WhyOfASession, TellsThatTheMetadataIsMissing) {
    add(tests::make_torrent({.bytes = 100'000}));
    auto const other = std::string(40, 'e');
    run(leech.session->add("magnet:?xt=urn:btih:" + other, AddOptions{}));

    auto const told = leech.session->why(*InfoHash::parse(other), FileIndex(0));

    EXPECT_EQ(told.state, TorrentState::metadata);
    EXPECT_FALSE(told.reason.empty());
    EXPECT_TRUE(told.readers.empty());
}

}  // namespace
}  // namespace rqfs::torrent
