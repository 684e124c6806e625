#include "torrent/why.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace rqfs::torrent {

namespace {

using std::chrono::milliseconds;

std::string with_digit(double value) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.1f", value);
    return text.data();
}

std::string duration_text(milliseconds duration) {
    constexpr milliseconds kMinute{60'000};
    constexpr milliseconds kHour{3'600'000};
    if (duration < kMinute) return with_digit(static_cast<double>(duration.count()) / 1000) + " s";
    if (duration > kHour) return "more than an hour";
    return std::to_string(duration / kMinute) + " min " + std::to_string(duration % kMinute / milliseconds(1000)) +
           " s";
}

std::string rate_text(double bytes_per_second) {
    constexpr double kKibi = 1024;
    if (!std::isfinite(bytes_per_second) || bytes_per_second < 1) return "nothing read yet";
    if (bytes_per_second < kKibi) return std::to_string(std::lround(bytes_per_second)) + " B/s";
    if (bytes_per_second < kKibi * kKibi) return with_digit(bytes_per_second / kKibi) + " KiB/s";
    return with_digit(bytes_per_second / kKibi / kKibi) + " MiB/s";
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

// What others chose to be called must not reach a terminal as it is, and one line stays one.
std::string without_controls(std::string text) {
    auto const is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    std::replace_if(text.begin(), text.end(), is_control, '_');
    return text;
}

std::string reader_text(WhyStatus::Reader const& reader) {
    auto const name = reader.program.empty() ? std::string("an unknown program") : without_controls(reader.program);
    auto const process = reader.process_id == 0 ? std::string() : "process " + std::to_string(reader.process_id) + ", ";
    return name + " (" + process + (reader.greedy ? "greedy, " : "paced, ") + rate_text(reader.rate) + ") at byte " +
           std::to_string(reader.position);
}

std::string timeout_text(ReadLimit const& limit, milliseconds waited) {
    if (limit.error.empty()) return {};
    if (limit.timeout <= milliseconds::zero()) return "; it waits without a limit";
    auto const left = std::max(limit.timeout - waited, milliseconds::zero());
    return "; it fails with " + limit.error + " after " + duration_text(limit.timeout) + ", in " + duration_text(left);
}

std::string read_text(WhyStatus::Read const& read, ReadLimit const& limit) {
    auto text = "  has waited " + duration_text(read.waited) + " for bytes " + std::to_string(read.range.begin) +
                " to " + std::to_string(read.range.end);
    if (read.missing_pieces > 0) text += read.missing_pieces == 1 ? ": piece" : ": pieces";
    for (auto const piece : read.pieces)
        text += (piece == read.pieces.front() ? " " : ", ") + std::to_string(piece.value());
    if (read.missing_pieces > read.pieces.size())
        text += " and " + std::to_string(read.missing_pieces - read.pieces.size()) + " more";
    return text + timeout_text(limit, read.waited) + '\n';
}

std::string choke_text(bool choking) { return choking ? " (chokes us)" : " (lets us download)"; }

std::string holders_text(WhyStatus::Piece const& piece) {
    if (piece.peers == 0) return "no connected peer has it";
    auto text = counted(piece.peers, "connected peer has it, ", "connected peers have it, ");
    text += piece.peers_unchoked == 0 ? "none" : std::to_string(piece.peers_unchoked);
    return text + (piece.peers_unchoked == 1 ? " lets us download" : " let us download");
}

std::string asked_text(WhyStatus::Asked const& asked) {
    auto text = asked.endpoint.text() + choke_text(asked.choking) + " " + duration_text(asked.ago) + " ago, ";
    return text + (asked.expected <= milliseconds::zero() ? "overdue" : "expected in " + duration_text(asked.expected));
}

std::string block_text(WhyStatus::Block const& block) {
    auto text = "  block " + std::to_string(block.block.value()) + ": ";
    if (block.asked.empty()) return text + "nobody was asked yet\n";
    text += "asked ";
    for (std::size_t i = 0; i < block.asked.size(); ++i) text += (i == 0 ? "" : "; ") + asked_text(block.asked[i]);
    return text + '\n';
}

std::string piece_text(WhyStatus::Piece const& piece) {
    auto text = "piece " + std::to_string(piece.piece.value()) + ": ";
    if (piece.blocks_here >= piece.blocks)
        return text + "all of its " + counted(piece.blocks, "block is", "blocks are") +
               " here, the hash is being checked\n";
    text += std::to_string(piece.blocks_here) + " of " + counted(piece.blocks, "block", "blocks") + " here; " +
            holders_text(piece) + '\n';
    if (piece.failed) text += "  its hash was wrong before: it is fetched again, of others where there are any\n";
    if (!piece.holders.empty()) text += "  had by ";
    for (std::size_t i = 0; i < piece.holders.size(); ++i)
        text += (i == 0 ? "" : ", ") + piece.holders[i].endpoint.text() + choke_text(piece.holders[i].choking);
    if (piece.peers > piece.holders.size() && !piece.holders.empty())
        text += " and " + std::to_string(piece.peers - piece.holders.size()) + " more";
    if (!piece.holders.empty()) text += '\n';
    for (auto const& block : piece.missing) text += block_text(block);
    auto const missing = piece.blocks - piece.blocks_here;
    if (missing > piece.missing.size())
        text += "  and " + counted(missing - piece.missing.size(), "block", "blocks") + " more\n";
    return text;
}

// What holds for every read of the file; nothing when the torrent does what it should.
std::string state_text(WhyStatus const& why) {
    bool const told = why.reason.empty() || why.reason == why.obstacle;
    auto const reason = told ? std::string() : ": " + without_controls(why.reason);
    switch (why.state) {
        case TorrentState::metadata: return "the torrent's metadata is missing" + reason + '\n';
        case TorrentState::paused: return "the torrent is paused: reading what is not there fails at once\n";
        case TorrentState::error: return "the torrent cannot go on" + reason + '\n';
        case TorrentState::checking: return "the stored data is being checked\n";
        default: return {};
    }
}

std::string nothing_waits(WhyStatus const& why) {
    if (why.state == TorrentState::metadata) return {};
    if (why.open == 0) return "no read waits: nobody has the file open\n";
    if (why.have_bytes >= why.size_bytes) return "no read waits: all of the file is here\n";
    return "no read waits: what was read so far is here\n";
}

}  // namespace

std::string explain(WhyStatus const& why) {
    auto text = why.obstacle.empty() ? std::string() : without_controls(why.obstacle) + '\n';
    if (!why.path.empty())
        text += without_controls(why.path) + ": " + std::to_string(why.have_bytes) + " of " +
                counted(why.size_bytes, "byte", "bytes") + " here\n";
    text += state_text(why);
    auto const waits = [](WhyStatus::Reader const& reader) { return !reader.reads.empty(); };
    if (std::none_of(why.readers.begin(), why.readers.end(), waits)) text += nothing_waits(why);
    for (auto const& reader : why.readers) {
        text += reader_text(reader) + '\n';
        for (auto const& read : reader.reads) text += read_text(read, why.limit);
    }
    if (why.open > why.readers.size())
        text += "and " + counted(why.open - why.readers.size(), "reader", "readers") + " more\n";
    for (auto const& piece : why.pieces) text += piece_text(piece);
    auto const nobody_has = [](WhyStatus::Piece const& piece) {
        return piece.peers == 0 && piece.blocks_here < piece.blocks;
    };
    bool const told = why.state == TorrentState::error || why.reason.empty() || why.reason == why.obstacle;
    if (!told && std::any_of(why.pieces.begin(), why.pieces.end(), nobody_has))
        text += "torrent: " + without_controls(why.reason) + '\n';
    return text;
}

}  // namespace rqfs::torrent
