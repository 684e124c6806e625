#pragma once

#include "torrent/metainfo/metainfo.h"
#include "torrent/units.h"

#include <vector>

namespace rqfs::torrent {

// The blocks that lie wholly inside pad files (BEP 47): zeros that need not be fetched. Pieces made of such blocks alone are left out, so that
// every piece has something to fetch. In order.
std::vector<BlockAddress> padding_blocks(Metainfo const& metainfo);

}  // namespace rqfs::torrent
