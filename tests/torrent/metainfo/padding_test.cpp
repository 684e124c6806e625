#include "torrent/metainfo/padding.h"

#include "torrent/hash.h"
#include "torrent/metainfo/bencode.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

struct File {
    std::uint64_t bytes;
    bool pad;
};

std::shared_ptr<Metainfo const> torrent_of(std::vector<File> const& files, std::uint32_t piece_bytes) {
    bencode::Writer info;
    std::uint64_t total = 0;
    info.begin_dictionary().key("files").begin_list();
    for (std::size_t i = 0; i < files.size(); ++i) {
        info.begin_dictionary();
        if (files[i].pad) info.key("attr").string("p");
        info.key("length").integer(static_cast<std::int64_t>(files[i].bytes)).key("path").begin_list().string("f" + std::to_string(i)).end().end();
        total += files[i].bytes;
    }
    auto const pieces = (total + piece_bytes - 1) / piece_bytes;
    info.end().key("name").string("t").key("piece length").integer(piece_bytes).key("pieces").string(std::string(pieces * 20, 'x')).end();
    return Metainfo::parse_info(info.take()).value();
}

TEST(Padding, BlocksWhollyInsideAPadFileAreNamed) {
    auto const metainfo = torrent_of({{100, false}, {65536 - 100, true}, {65536, false}}, 65536);

    auto const blocks = padding_blocks(*metainfo);

    std::vector<BlockAddress> const expected{{PieceIndex(0), BlockIndex(1)}, {PieceIndex(0), BlockIndex(2)}, {PieceIndex(0), BlockIndex(3)}};
    EXPECT_EQ(blocks, expected);
}

TEST(Padding, ABlockHalfPadHalfDataIsFetched) {
    auto const metainfo = torrent_of({{16384 + 1, false}, {16383, true}, {32768, false}}, 65536);

    EXPECT_TRUE(padding_blocks(*metainfo).empty());
}

TEST(Padding, APieceOfNothingButPaddingIsFetchedLikeAnyOther) {
    auto const metainfo = torrent_of({{65536, false}, {65536, true}, {65536, false}}, 65536);

    EXPECT_TRUE(padding_blocks(*metainfo).empty());
}

TEST(Padding, TheShortLastBlockCounts) {
    auto const metainfo = torrent_of({{32768, false}, {100, true}}, 65536);

    std::vector<BlockAddress> const expected{{PieceIndex(0), BlockIndex(2)}};
    EXPECT_EQ(padding_blocks(*metainfo), expected);
}

}  // namespace
}  // namespace rqfs::torrent
