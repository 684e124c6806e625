#include "tests/fuzz/require.h"
#include "torrent/peer/extension.h"
#include "torrent/settings.h"

#include <cstddef>
#include <cstdint>
#include <span>

using namespace rqfs::torrent;
using rqfs::tests::require;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const parsed = ExtensionHandshake::parse(std::as_bytes(std::span(data, size)));
    if (!parsed) {
        require(!parsed.error().what.empty(), "a refusal says why");
        return 0;
    }
    require(!parsed->metadata_size || (*parsed->metadata_size > 0 && *parsed->metadata_size <= limit::kMetadataBytes),
            "a usable size");
    require(parsed->client.size() <= 64, "a short name");
    auto const again = ExtensionHandshake::parse(parsed->encode());
    require(again.has_value(), "what we write we read");
    require(again->ut_metadata == parsed->ut_metadata && again->lt_donthave == parsed->lt_donthave, "the same ids");
    require(again->client == parsed->client && again->port == parsed->port && again->reqq == parsed->reqq,
            "the same values");
    require(again->your_address == parsed->your_address && again->upload_only == parsed->upload_only,
            "the same values");
    auto merged = *parsed;
    merged.merge(*again);
    require(merged.ut_metadata == parsed->ut_metadata && merged.metadata_size == parsed->metadata_size,
            "repeating changes nothing");
    return 0;
}
