#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <utility>

namespace rqfs::cache {

// Values by key in the order of their last use, each charged with its bytes. Decides nothing: whoever owns it takes oldest() away.
template <class Key, class Value>
class Lru {
public:
    struct Entry {
        Key key;
        Value value;
        std::uint64_t bytes = 0;
    };

    // The newest entry from now on; one of the same key is replaced.
    void put(Key const& key, Value value, std::uint64_t bytes) {
        erase(key);
        order_.push_back(Entry{key, std::move(value), bytes});
        places_.emplace(key, std::prev(order_.end()));
        bytes_ += bytes;
    }

    // Null when it is not there; otherwise the newest from now on.
    Value* use(Key const& key) {
        auto const place = places_.find(key);
        if (place == places_.end()) return nullptr;
        order_.splice(order_.end(), order_, place->second);
        return &place->second->value;
    }

    bool contains(Key const& key) const { return places_.contains(key); }

    void erase(Key const& key) {
        auto const place = places_.find(key);
        if (place != places_.end()) remove(place);
    }

    // Every key in [first, last].
    void erase_between(Key const& first, Key const& last) {
        for (auto place = places_.lower_bound(first); place != places_.end() && !(last < place->first);)
            place = remove(place);
    }

    bool empty() const { return order_.empty(); }
    std::size_t size() const { return order_.size(); }
    std::uint64_t bytes() const { return bytes_; }
    Entry const& oldest() const { return order_.front(); }

private:
    using Order = std::list<Entry>;
    using Places = std::map<Key, typename Order::iterator>;

    typename Places::iterator remove(typename Places::iterator place) {
        bytes_ -= place->second->bytes;
        order_.erase(place->second);
        return places_.erase(place);
    }

    Order order_;  // least recently used first
    Places places_;
    std::uint64_t bytes_ = 0;
};

}  // namespace rqfs::cache
