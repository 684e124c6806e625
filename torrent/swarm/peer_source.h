#pragma once

#include <array>
#include <cstdint>

namespace rqfs::torrent {

// Who told us of a peer's address; one bit each, as an address is often learnt from several.
enum class PeerSource : std::uint8_t {
    user = 1,    // x.pe of a magnet, or `connect`
    resume = 2,  // remembered from the last run
    tracker = 4,
    incoming = 8,  // it connected to us and said where it listens
    pex = 16,
    dht = 32,
    lsd = 64,
};

inline constexpr std::array kPeerSources{PeerSource::user,     PeerSource::resume, PeerSource::tracker,
                                         PeerSource::incoming, PeerSource::pex,    PeerSource::dht,
                                         PeerSource::lsd};

// A set of sources.
class PeerSources {
public:
    constexpr PeerSources() = default;
    constexpr PeerSources(PeerSource source)
        : bits_(static_cast<std::uint8_t>(source)) {}            // implicit: one is a set of one
    static constexpr PeerSources from_bits(std::uint8_t bits) {  // unknown bits are dropped
        PeerSources sources;
        sources.bits_ = bits & 127;
        return sources;
    }

    constexpr bool contains(PeerSource source) const { return (bits_ & static_cast<std::uint8_t>(source)) != 0; }
    constexpr void add(PeerSource source) {
        bits_ = static_cast<std::uint8_t>(bits_ | static_cast<std::uint8_t>(source));
    }
    constexpr void remove(PeerSource source) {
        bits_ = static_cast<std::uint8_t>(bits_ & ~static_cast<std::uint8_t>(source));
    }
    constexpr std::uint8_t bits() const { return bits_; }
    constexpr bool empty() const { return bits_ == 0; }
    friend constexpr bool operator==(PeerSources, PeerSources) = default;

private:
    std::uint8_t bits_ = 0;
};

// The one that says most of an address that several have told: those whose peers a private torrent may have, then those
// that found it now, then what was remembered. Of none: resume.
constexpr PeerSource main_source(PeerSources sources) {
    constexpr std::array order{PeerSource::user, PeerSource::tracker, PeerSource::lsd,
                               PeerSource::dht,  PeerSource::pex,     PeerSource::incoming};
    for (auto const source : order)
        if (sources.contains(source)) return source;
    return PeerSource::resume;
}

}  // namespace rqfs::torrent
