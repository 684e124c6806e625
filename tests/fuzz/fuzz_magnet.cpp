#include "tests/fuzz/require.h"
#include "torrent/metainfo/magnet.h"
#include "torrent/settings.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace rqfs::torrent;
using rqfs::tests::require;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const magnet = Magnet::parse({reinterpret_cast<char const*>(data), size});
    if (!magnet) {
        require(!magnet.error().what.empty(), "a refusal says why");
        return 0;
    }
    require(magnet->trackers.size() <= limit::kMagnetTrackers, "no more trackers than the limit");
    require(magnet->web_seeds.size() <= limit::kMagnetWebSeeds, "no more web seeds than the limit");
    require(magnet->peers.size() <= limit::kMagnetPeers, "no more peers than the limit");
    require(magnet->selected.size() <= limit::kFiles, "no more files than the limit");
    auto const uri = magnet->uri();
    if (uri.size() > limit::kMagnetBytes) return 0;
    auto const again = Magnet::parse(uri);
    require(again.has_value(), "what we write we read");
    require(again->info_hash == magnet->info_hash, "the same info-hash");
    require(again->display_name == magnet->display_name, "the same name");
    require(again->trackers == magnet->trackers, "the same trackers");
    require(again->web_seeds == magnet->web_seeds, "the same web seeds");
    require(again->peers == magnet->peers, "the same peers");
    require(again->selected == magnet->selected, "the same files");
    return 0;
}
