#include "tests/fuzz/require.h"
#include "torrent/net/lsd_message.h"

#include <cstddef>
#include <cstdint>
#include <span>

using namespace rqfs::torrent;
using rqfs::tests::require;

// A datagram of the local network's groups.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const message = LsdMessage::parse(std::as_bytes(std::span(data, size)));
    if (!message) {
        require(!message.error().what.empty(), "a refusal says why");
        return 0;
    }
    require(size <= LsdMessage::kBytes, "long datagrams are refused");
    require(message->port != 0 && !message->info_hashes.empty(), "it says who has what");
    require(message->info_hashes.size() < LsdMessage::kBytes / (2 * InfoHash::kBytes), "no more than were there");
    auto few = *message;
    few.info_hashes.resize(1);
    auto const text = few.encode(LsdMessage::groups()[1]);
    auto const again = LsdMessage::parse(std::as_bytes(std::span(text)));
    require(again && again->port == few.port && again->info_hashes == few.info_hashes, "what we write we read");
    require(again->cookie == few.cookie, "what we write we read");
    return 0;
}
