// What `why` tells of a file's readers.
#include "torrent/limits.h"
#include "torrent/readers.h"
#include "torrent/readers_state.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rqfs::torrent {

void Readers::explain(FileIndex file, WhyStatus& why) const {
    auto const now = clock_.now();
    for (auto const& [id, reader] : readers_) {
        if (reader.file != file) continue;
        ++why.open;
        WhyStatus::Reader told;
        told.program = reader.program.name;
        told.process_id = reader.program.process_id;
        told.greedy = reader.demand.greedy();
        told.rate = reader.demand.rate();
        told.position = reader.position;
        for (auto const& [ticket, wait] : reader.waits) {  // the oldest ticket has waited longest
            auto const waited = std::chrono::duration_cast<std::chrono::milliseconds>(now - wait.since);
            if (told.reads.size() < limit::kWhyReads) told.reads.push_back({wait.range, waited, 0, {}});
        }
        // Those that wait come first, and the list stays short however many are open.
        auto const place = told.reads.empty() ? why.readers.end()
                                              : std::ranges::find_if(
                                                    why.readers, [](auto const& other) { return other.reads.empty(); });
        why.readers.insert(place, std::move(told));
        if (why.readers.size() > limit::kWhyReaders) why.readers.pop_back();
    }
}

}  // namespace rqfs::torrent
