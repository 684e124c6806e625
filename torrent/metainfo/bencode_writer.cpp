#include "torrent/metainfo/bencode.h"

#include <cassert>
#include <utility>

namespace rqfs::torrent::bencode {

void Writer::append(std::string_view text) {
    auto const bytes = std::as_bytes(std::span(text));
    out_.insert(out_.end(), bytes.begin(), bytes.end());
}

void Writer::before_value() {
    assert(!open_.empty() || out_.empty());
    if (open_.empty()) return;
    assert(!open_.back().dictionary || open_.back().value_expected);
    open_.back().value_expected = false;
}

Writer& Writer::integer(std::int64_t value) {
    before_value();
    append("i" + std::to_string(value) + "e");
    return *this;
}

Writer& Writer::string(std::string_view text) { return string(std::as_bytes(std::span(text))); }

Writer& Writer::string(std::span<std::byte const> bytes) {
    before_value();
    append(std::to_string(bytes.size()) + ":");
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    return *this;
}

Writer& Writer::raw(std::span<std::byte const> encoded) {
    before_value();
    out_.insert(out_.end(), encoded.begin(), encoded.end());
    return *this;
}

Writer& Writer::begin_list() {
    before_value();
    append("l");
    open_.push_back({false, {}});
    return *this;
}

Writer& Writer::begin_dictionary() {
    before_value();
    append("d");
    open_.push_back({true, {}});
    return *this;
}

Writer& Writer::key(std::string_view key) {
    assert(!open_.empty() && open_.back().dictionary && !open_.back().value_expected);
    auto& dictionary = open_.back();
    assert(!dictionary.last_key || *dictionary.last_key < key);
    dictionary.last_key = key;
    append(std::to_string(key.size()) + ":");
    append(key);
    dictionary.value_expected = true;
    return *this;
}

Writer& Writer::end() {
    assert(!open_.empty() && !open_.back().value_expected);
    open_.pop_back();
    append("e");
    return *this;
}

std::vector<std::byte> Writer::take() {
    assert(open_.empty());
    return std::exchange(out_, {});
}

}  // namespace rqfs::torrent::bencode
