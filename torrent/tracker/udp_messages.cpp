#include "torrent/tracker/udp_messages.h"

#include "torrent/endpoint.h"
#include "torrent/settings.h"
#include "torrent/tracker/tracker_text.h"

#include <algorithm>
#include <chrono>

namespace rqfs::torrent {

namespace {

constexpr std::uint64_t kProtocol = 0x41727101980;  // BEP 15
constexpr std::size_t kHeadBytes = 8;
constexpr std::size_t kConnectBytes = 16;
constexpr std::size_t kAnnounceBytes = 20;
constexpr std::size_t kScrapeBytes = 20;
constexpr std::byte kUrlData{2};            // BEP 41
constexpr std::size_t kOptionBytes = 255;   // BEP 41
constexpr std::size_t kTargetBytes = 1024;  // one datagram must hold it; longer targets are no passkeys

template <class Integer>
void append(std::vector<std::byte>& out, Integer value) {
    for (std::size_t i = sizeof value; i-- > 0;) out.push_back(static_cast<std::byte>(value >> (8 * i) & 0xff));
}

void append_bytes(std::vector<std::byte>& out, std::span<std::byte const> bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

template <class Integer>
Integer read(std::span<std::byte const> bytes, std::size_t offset) {
    Integer value = 0;
    for (auto const byte : bytes.subspan(offset, sizeof value))
        value = static_cast<Integer>(value << 8 | std::to_integer<Integer>(byte));
    return value;
}

void append_options(std::vector<std::byte>& out, std::string_view target) {
    if (target == "/" || target.size() > kTargetBytes) return;
    while (!target.empty()) {
        auto const part = target.substr(0, kOptionBytes);
        out.push_back(kUrlData);
        out.push_back(static_cast<std::byte>(part.size()));
        for (auto const c : part) out.push_back(static_cast<std::byte>(c));
        target.remove_prefix(part.size());
    }
}

}  // namespace

std::optional<UdpReplyHead> parse_udp_head(std::span<std::byte const> datagram) {
    if (datagram.size() < kHeadBytes) return std::nullopt;
    return UdpReplyHead{read<std::uint32_t>(datagram, 0), read<std::uint32_t>(datagram, 4)};
}

std::vector<std::byte> encode_udp_connect(std::uint32_t transaction) {
    std::vector<std::byte> out;
    append(out, kProtocol);
    append(out, static_cast<std::uint32_t>(UdpAction::connect));
    append(out, transaction);
    return out;
}

std::vector<std::byte> encode_udp_announce(std::uint64_t connection, std::uint32_t transaction,
                                           AnnounceRequest const& request, std::string_view target) {
    std::vector<std::byte> out;
    append(out, connection);
    append(out, static_cast<std::uint32_t>(UdpAction::announce));
    append(out, transaction);
    append_bytes(out, request.info_hash.bytes());
    append_bytes(out, request.peer_id);
    append(out, request.downloaded_bytes);
    append(out, request.left_bytes);
    append(out, request.uploaded_bytes);
    append(out, static_cast<std::uint32_t>(request.event));
    append(out, std::uint32_t{0});  // our address: where the datagram comes from
    append(out, request.key);
    append(out, request.num_want);
    append(out, request.port);
    append_options(out, target);
    return out;
}

std::vector<std::byte> encode_udp_scrape(std::uint64_t connection, std::uint32_t transaction,
                                         InfoHash const& info_hash) {
    std::vector<std::byte> out;
    append(out, connection);
    append(out, static_cast<std::uint32_t>(UdpAction::scrape));
    append(out, transaction);
    append_bytes(out, info_hash.bytes());
    return out;
}

std::optional<std::uint64_t> parse_udp_connect(std::span<std::byte const> datagram) {
    if (datagram.size() < kConnectBytes) return std::nullopt;
    return read<std::uint64_t>(datagram, kHeadBytes);
}

std::optional<AnnounceResponse> parse_udp_announce(std::span<std::byte const> datagram, bool v6) {
    if (datagram.size() < kAnnounceBytes) return std::nullopt;
    AnnounceResponse response;
    response.interval = std::chrono::seconds(static_cast<std::int32_t>(read<std::uint32_t>(datagram, 8)));
    response.counts.leechers = read<std::uint32_t>(datagram, 12);
    response.counts.seeders = read<std::uint32_t>(datagram, 16);
    auto const list = datagram.subspan(kAnnounceBytes);
    response.peers = v6 ? parse_compact_v6(list) : parse_compact_v4(list);
    std::erase_if(response.peers, [](auto const& peer) { return peer.port == 0; });
    response.peers.resize(std::min(response.peers.size(), limit::kTrackerPeers));
    return response;
}

std::optional<ScrapeResult> parse_udp_scrape(std::span<std::byte const> datagram) {
    if (datagram.size() < kScrapeBytes) return std::nullopt;
    ScrapeResult result;
    result.seeders = read<std::uint32_t>(datagram, 8);
    result.downloads = read<std::uint32_t>(datagram, 12);
    result.leechers = read<std::uint32_t>(datagram, 16);
    return result;
}

std::string parse_udp_error(std::span<std::byte const> datagram) {
    auto const bytes = datagram.subspan(std::min(datagram.size(), kHeadBytes));
    std::string_view text(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
    return text.empty() ? "the tracker refused without saying why" : tracker_text(text);
}

}  // namespace rqfs::torrent
