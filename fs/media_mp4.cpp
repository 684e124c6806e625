#include "fs/media_scan.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace rqfs::fs {

// ISO 14496-12 and QuickTime: a file is a row of atoms, each with its size before it, of which some hold a row of their
// own.

namespace {

constexpr std::uint64_t kHeaderBytes = 16;  // with a size of 64 bits
constexpr std::uint64_t kTailBytes = 16;    // `mfro`, the last atom of all

struct Atom {
    std::string type;
    std::uint64_t begin = 0;
    std::uint64_t content = 0;
    std::uint64_t end = 0;
    bool cut = false;  // goes on to the end of what it lies in, or says more
};

bool is_type(std::string_view text) {
    return text.size() == 4 && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= ' ' && c <= '~') ||
                      static_cast<unsigned char>(c) == 0xA9;  // the copyright sign of QuickTime
           });
}

// The atom at `at` in what ends at `limit`.
std::optional<Atom> atom_at(MediaBytes head, std::uint64_t at, std::uint64_t limit) {
    if (at >= limit || !is_type(head.text(4, 4))) return std::nullopt;
    auto const left = limit - at;
    auto size = head.big(0, 4);
    std::uint64_t header = 8;
    if (size == 1) {
        size = head.big(8, 8);
        header = 16;
    } else if (size == 0) {
        size = left;
    }
    if (size < header || left < header || !head.holds(0, header)) return std::nullopt;
    return Atom{std::string(head.text(4, 4)), at, at + header, at + std::min(size, left), size >= left};
}

class Mp4 {
public:
    explicit Mp4(MediaScan& scan) : scan_(scan) {}

    std::uint64_t limit(std::uint64_t at) const { return at < moov_end_ ? moov_end_ : scan_.file_bytes(); }
    bool fragmented() const { return fragmented_; }
    bool has_sidx() const { return has_sidx_; }

    // How much of its content take() needs.
    static std::uint64_t content_wanted(Atom const& atom) {
        if (atom.type == "mvhd") return 32;
        if (atom.type == "mehd") return 12;
        if (atom.type == "sidx") return atom.end - atom.content;
        return 0;
    }

    // Where to go on; nothing: no index can follow.
    std::optional<std::uint64_t> take(Atom const& atom, MediaBytes content) {
        if (atom.begin < moov_end_) return take_inner(atom, content);
        if (atom.type == "moov") {
            scan_.needed_first({atom.begin, atom.end});
            scan_.index_known();
            moov_end_ = atom.end;
            return atom.content;
        }
        if (atom.type == "sidx") take_sidx(atom, content);
        auto const film = atom.type == "mdat" || atom.type == "moof";
        if (film && moov_end_ > 0) return std::nullopt;
        if (atom.cut || atom.type == "moof") return std::nullopt;
        return atom.end;
    }

private:
    std::uint64_t take_inner(Atom const& atom, MediaBytes content) {
        bool const wide = content.big(0, 1) == 1;  // version 1: 64 bits
        if (atom.type == "mvhd") {
            per_second_ = content.big(wide ? 20 : 12, 4);
            lasts(content.big(wide ? 24 : 16, wide ? 8 : 4), wide);
        } else if (atom.type == "mvex") {
            fragmented_ = true;
            return atom.content;
        } else if (atom.type == "mehd") {
            lasts(content.big(4, wide ? 8 : 4), wide);
        }
        return atom.end;
    }

    // All ones: not known. Nought is what a fragmented film says before its first fragment.
    void lasts(std::uint64_t units, bool wide) {
        if (units == 0 || units == (wide ? UINT64_MAX : UINT32_MAX)) return;
        scan_.lasts(units, per_second_);
        has_duration_ = true;
    }

    void take_sidx(Atom const& atom, MediaBytes content) {
        scan_.needed_first({atom.begin, atom.end});
        has_sidx_ = true;
        std::size_t const entries = content.big(0, 1) == 0 ? 24 : 32;
        auto const count = content.big(entries - 2, 2);
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < count && content.holds(entries + i * 12, 12); ++i)
            sum += content.big(entries + i * 12 + 4, 4);
        if (!has_duration_ && content.holds(entries, count * 12)) scan_.lasts(sum, content.big(8, 4));
    }

    MediaScan& scan_;
    std::uint64_t moov_end_ = 0;  // nought before it is found
    std::uint64_t per_second_ = 0;
    bool has_duration_ = false;
    bool fragmented_ = false;
    bool has_sidx_ = false;
};

}  // namespace

MediaWalk walk_mp4(MediaScan& scan) {
    scan.recognized();
    Mp4 film(scan);
    for (std::optional<std::uint64_t> at = 0; at && *at < scan.file_bytes();) {
        MediaBytes const head = co_await scan.bytes(*at, kHeaderBytes);
        auto const atom = atom_at(head, *at, film.limit(*at));
        if (!atom) break;
        MediaBytes const content = co_await scan.bytes(atom->content, Mp4::content_wanted(*atom));
        at = film.take(*atom, content);
    }
    if (!film.fragmented() || film.has_sidx() || scan.file_bytes() < kTailBytes) co_return;
    auto const end = scan.file_bytes();
    MediaBytes const tail = co_await scan.bytes(end - kTailBytes, kTailBytes);
    auto const size = tail.big(12, 4);
    if (tail.text(4, 4) == "mfro" && size >= kTailBytes && size <= end) scan.needed_later({end - size, end});
}

}  // namespace rqfs::fs
