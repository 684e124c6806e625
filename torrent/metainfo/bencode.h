#pragma once

#include "torrent/error.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent::bencode {

struct Limits {
    std::uint32_t depth;
    std::uint32_t tokens;
};

class Document;

// One value inside a Document: a view, valid as long as the Document and the bytes it was parsed from. Lookups of a
// missing or differently typed value give nothing; they never fail.
class Value {
public:
    enum class Type { integer, string, list, dictionary };

    Type type() const;
    std::optional<std::int64_t> integer() const;          // nothing when it is no integer
    std::optional<std::span<std::byte const>> bytes() const;
    std::optional<std::string_view> text() const;         // the same bytes
    std::optional<Value> find(std::string_view key) const;  // in a dictionary; the first of equal keys
    std::size_t size() const;                             // elements of a list, pairs of a dictionary; else 0
    bool has_duplicate_keys() const;                      // of this dictionary

    // Visits a list's elements, or a dictionary's pairs in their order.
    class Iterator;
    std::vector<Value> elements() const;
    struct Pair;
    std::vector<Pair> pairs() const;

    // The raw bytes of this value in the input: what an info-hash is made of.
    std::span<std::byte const> raw() const;

private:
    friend class Document;
    Value(Document const* document, std::uint32_t token) : document_(document), token_(token) {}

    Document const* document_;
    std::uint32_t token_;
};

struct Value::Pair {
    std::string_view key;
    Value value;
};

// Parsed bencode: a flat list of tokens over the input's bytes, made without recursion. Input must outlive it.
class Document {
public:
    // One value and nothing behind it.
    static Result<Document> parse(std::span<std::byte const> input, Limits limits);
    // One value at the start; `used` says how many bytes it took (ut_metadata appends raw bytes).
    static Result<Document> parse_prefix(std::span<std::byte const> input, Limits limits, std::size_t& used);

    Value root() const { return {this, 0}; }

private:
    friend class Value;
    struct Token;
    std::span<std::byte const> input_;
    std::vector<std::uint64_t> tokens_;  // the helper's own representation may replace this
};

// Writes bencode; the caller gives dictionary keys in order (asserted).
class Writer {
public:
    Writer& integer(std::int64_t value);
    Writer& string(std::string_view text);
    Writer& string(std::span<std::byte const> bytes);
    Writer& raw(std::span<std::byte const> encoded);  // a value that is encoded already
    Writer& begin_list();
    Writer& begin_dictionary();
    Writer& key(std::string_view key);
    Writer& end();

    std::vector<std::byte> take();  // everything opened has been ended

private:
    std::vector<std::byte> out_;
    std::vector<char> open_;
    std::vector<std::string> last_key_;
};

}  // namespace rqfs::torrent::bencode
