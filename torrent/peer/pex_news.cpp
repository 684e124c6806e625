#include "torrent/peer/pex_news.h"

#include "torrent/peer/settings.h"

#include <cstddef>

namespace rqfs::torrent {

PexMessage PexNews::next(std::span<PexPeer const> connected) {
    PexMessage message;
    std::set<Endpoint> here;
    for (auto const& peer : connected) here.insert(peer.endpoint);
    for (auto endpoint = told_.begin();
         endpoint != told_.end() && message.dropped.size() < limit::kPexPeersPerMessage;) {
        if (here.contains(*endpoint)) {
            ++endpoint;
            continue;
        }
        message.dropped.push_back(*endpoint);
        endpoint = told_.erase(endpoint);
    }
    std::size_t const most = first_ ? limit::kPexPeersInFirstMessage : limit::kPexPeersPerMessage;
    for (auto const& peer : connected) {
        if (message.added.size() >= most) break;
        if (told_.insert(peer.endpoint).second) message.added.push_back(peer);
    }
    if (!message.empty()) first_ = false;
    return message;
}

}  // namespace rqfs::torrent
