#include "torrent/metainfo/metainfo.h"

#include "torrent/metainfo/bencode.h"
#include "torrent/metainfo/fields.h"
#include "torrent/metainfo/info_files.h"
#include "torrent/settings.h"

#include <cstring>
#include <string_view>
#include <utility>

namespace rqfs::torrent {

namespace {

using bencode::Value;

// BEP 52: version 2 torrents have other hashes and another tree of files; hybrids carry the fields of BEP 3 beside
// them.
std::optional<Error> check_version(Value info, Fields const& fields) {
    auto const version = fields.integer_or("meta version", 1);
    if (!version) return version.error();
    if (*version > 2)
        return error(Errc::unsupported, "info.meta version is " + std::to_string(*version) +
                                            "; only 1 and hybrids of 1 and 2 are supported");
    if (!info.find("pieces") && (*version == 2 || info.find("file tree")))
        return error(Errc::unsupported,
                     "this is a v2-only torrent, which is not supported; v1 and hybrid torrents are");
    return {};
}

Result<std::vector<Sha1Digest>> parse_hashes(Fields const& fields, std::uint64_t total_bytes,
                                             std::uint32_t piece_bytes) {
    auto const pieces = fields.require("pieces", Value::Type::string);
    if (!pieces) return pieces.error();
    auto const bytes = *pieces->bytes();
    constexpr auto digest_bytes = sizeof(Sha1Digest);
    if (bytes.size() % digest_bytes != 0)
        return error(Errc::malformed,
                     "info.pieces must be hashes of 20 bytes each, not " + std::to_string(bytes.size()) + " bytes");
    auto const found = bytes.size() / digest_bytes;
    auto const expected = (total_bytes - 1) / piece_bytes + 1;
    if (expected > limit::kPieces)
        return error(Errc::too_large, "the torrent has " + std::to_string(expected) + " pieces; at most " +
                                          std::to_string(limit::kPieces) + " are allowed");
    if (found != expected)
        return error(Errc::malformed, "info.pieces must have " + std::to_string(expected) + " hashes for " +
                                          std::to_string(total_bytes) + " bytes in pieces of " +
                                          std::to_string(piece_bytes) + ", not " + std::to_string(found));
    std::vector<Sha1Digest> hashes(found);
    std::memcpy(hashes.data(), bytes.data(), bytes.size());
    return hashes;
}

}  // namespace

Result<std::shared_ptr<Metainfo const>> Metainfo::parse_info(std::span<std::byte const> info) {
    if (info.size() > limit::kTorrentFileBytes)
        return error(Errc::too_large, "the info dictionary has " + std::to_string(info.size()) + " bytes; at most " +
                                          std::to_string(limit::kTorrentFileBytes) + " are allowed");
    auto const document = bencode::Document::parse(info, {limit::kBencodeDepthTorrent, limit::kBencodeTokensTorrent});
    if (!document) return error(document.error().code, "the info dictionary is wrong " + document.error().what);
    return from_value(document->root());
}

Result<std::shared_ptr<Metainfo const>> Metainfo::from_value(Value info) {
    if (info.type() != Value::Type::dictionary)
        return error(Errc::malformed, "info must be a dictionary, not " + std::string(describe(info.type())));
    Fields const fields(info, "info");
    if (auto failure = fields.check_unique()) return *std::move(failure);
    if (auto failure = check_version(info, fields)) return *std::move(failure);
    auto const name = fields.name("name");
    if (!name) return name.error();
    auto const piece_length = fields.integer("piece length", 1, limit::kPieceBytes);
    if (!piece_length) return piece_length.error();
    auto const piece_bytes = static_cast<std::uint32_t>(*piece_length);
    auto const is_private = fields.integer_or("private", 0);
    if (!is_private) return is_private.error();
    auto files = parse_info_files(info);
    if (!files) return files.error();
    auto hashes = parse_hashes(fields, files->total_bytes, piece_bytes);
    if (!hashes) return hashes.error();

    std::shared_ptr<Metainfo> made(new Metainfo);
    auto const raw = info.raw();
    made->info_hash_ = InfoHash(sha1(raw));
    made->info_.assign(raw.begin(), raw.end());
    made->name_ = *name;
    made->private_ = *is_private != 0;
    made->single_file_ = files->single;
    made->files_ = std::move(files->files);
    made->pieces_ = PieceLayout(files->total_bytes, piece_bytes);
    std::vector<std::uint64_t> file_bytes;
    file_bytes.reserve(made->files_.size());
    for (auto const& file : made->files_) file_bytes.push_back(file.bytes);
    made->file_layout_ = FileLayout(file_bytes);
    made->hashes_ = *std::move(hashes);
    return std::shared_ptr<Metainfo const>(std::move(made));
}

}  // namespace rqfs::torrent
