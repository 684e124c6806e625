#include "tests/support/simulated_tracker.h"

#include "tests/support/fake_tracker.h"

#include <algorithm>

namespace rqfs::tests {

using namespace torrent;

namespace {

constexpr std::size_t kActionAt = 8, kEventAt = 80, kPortAt = 96;  // BEP 15
constexpr std::size_t kAnnounceBytes = 98;

std::uint32_t number_at(std::span<std::byte const> bytes, std::size_t begin, std::size_t size) {
    std::uint32_t number = 0;
    for (auto const byte : bytes.subspan(begin, size)) number = number << 8 | std::to_integer<std::uint32_t>(byte);
    return number;
}

std::string text_of(std::span<std::byte const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

}  // namespace

SimulatedTracker::SimulatedTracker(SimulatedHost& host, Clock const& clock, std::uint32_t interval_seconds)
    : host_(host), clock_(clock), interval_seconds_(interval_seconds) {
    host_.udp().add(*this);
    host_.start();
}

SimulatedTracker::~SimulatedTracker() { host_.udp().remove(*this); }

std::string SimulatedTracker::url() const { return "udp://" + host_.endpoint().text() + "/announce"; }

std::size_t SimulatedTracker::announces(Endpoint const& peer, std::uint32_t event) const {
    return static_cast<std::size_t>(std::count_if(announces_.begin(), announces_.end(), [&](Announce const& each) {
        return each.peer == peer && each.event == event;
    }));
}

bool SimulatedTracker::datagram(Endpoint const& from, std::span<std::byte const> bytes) {
    bool const announce = bytes.size() >= kAnnounceBytes && number_at(bytes, kActionAt, 4) == 1;
    if (announce) note(from, bytes);
    std::vector<std::byte> peers;
    for (auto const& peer : present_) append_compact(peer, peers);
    auto const answer = FakeTracker::honest_udp(interval_seconds_, text_of(peers));
    for (auto const& reply : answer(text_of(bytes))) host_.udp().send(from, std::as_bytes(std::span(reply)));
    return true;
}

void SimulatedTracker::note(Endpoint const& from, std::span<std::byte const> announce) {
    Endpoint const peer{from.address, static_cast<std::uint16_t>(number_at(announce, kPortAt, 2))};
    auto const event = number_at(announce, kEventAt, 4);
    announces_.push_back({peer, event, clock_.now()});
    if (event == 3)
        present_.erase(peer);
    else
        present_.insert(peer);
}

}  // namespace rqfs::tests
