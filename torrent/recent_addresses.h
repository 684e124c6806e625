#pragma once

#include "torrent/endpoint.h"

#include <cassert>
#include <cstddef>
#include <list>
#include <map>
#include <utility>

namespace rqfs::torrent {

// Something about each of the addresses seen last, at most so many; an ordered map, because strangers choose the keys.
template <class Value>
class RecentAddresses {
public:
    explicit RecentAddresses(std::size_t most) : most_(most) { assert(most > 0); }
    RecentAddresses(RecentAddresses const&) = delete;
    RecentAddresses& operator=(RecentAddresses const&) = delete;

    Value* find(Address const& address) {
        auto const found = places_.find(address);
        return found == places_.end() ? nullptr : &found->second->second;
    }

    // The entry, made from `fresh` if there is none; it then is the latest.
    Value& touch(Address const& address, Value const& fresh) {
        auto const found = places_.find(address);
        if (found != places_.end()) {
            entries_.splice(entries_.begin(), entries_, found->second);
            return found->second->second;
        }
        if (entries_.size() == most_) {
            places_.erase(entries_.back().first);
            entries_.pop_back();
        }
        entries_.emplace_front(address, fresh);
        places_.emplace(address, entries_.begin());
        return entries_.front().second;
    }

    std::size_t size() const { return entries_.size(); }

private:
    std::size_t most_;
    std::list<std::pair<Address, Value>> entries_;  // latest first
    std::map<Address, typename std::list<std::pair<Address, Value>>::iterator> places_;
};

}  // namespace rqfs::torrent
