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

// How much a stranger may make us remember; the figures are in limits.h.
struct Limits {
    std::uint32_t depth;   // lists and dictionaries inside each other
    std::uint32_t tokens;  // values, keys not counted; 16 bytes of memory each
};

class Document;

// One value inside a Document: a view, valid as long as the Document and the bytes it was parsed from. Lookups of a
// missing or differently typed value give nothing; they never fail.
class Value {
public:
    enum class Type { integer, string, list, dictionary };

    Type type() const;
    std::optional<std::int64_t> integer() const;  // nothing when it is no integer
    std::optional<std::span<std::byte const>> bytes() const;
    std::optional<std::string_view> text() const;           // the same bytes
    std::optional<Value> find(std::string_view key) const;  // in a dictionary; the first of equal keys
    std::size_t size() const;                               // elements of a list, pairs of a dictionary; else 0
    bool has_duplicate_keys() const;                        // of this dictionary

    std::vector<Value> elements() const;  // of a list; else none
    struct Pair;
    std::vector<Pair> pairs() const;  // of a dictionary, as they stand in the input; else none

    // The raw bytes of this value in the input: what an info-hash is made of.
    std::span<std::byte const> raw() const;

private:
    friend class Document;
    Value(Document const* document, std::uint32_t token) : document_(document), token_(token) {}
    bool has_ascending_keys() const;

    Document const* document_;
    std::uint32_t token_;
};

struct Value::Pair {
    std::string_view key;
    Value value;
};

// Parsed bencode (BEP 3): a flat list of tokens over the input's bytes, made without recursion. Input must outlive it.
// Keys may be unsorted and equal; leading zeros, "-0" and integers beyond 64 bits are refused. Errors say at which byte
// and what.
class Document {
public:
    // One value and nothing behind it.
    static Result<Document> parse(std::span<std::byte const> input, Limits limits);
    // One value at the start; `used` says how many bytes it took (ut_metadata appends raw bytes).
    static Result<Document> parse_prefix(std::span<std::byte const> input, Limits limits, std::size_t& used);

    Value root() const { return {this, 0}; }

private:
    friend class Value;
    class Parser;

    // A value; its first byte in the input tells its type. Keys have no token: a key lies between the end of the value
    // before it and the beginning of its own value.
    struct Token {
        std::uint32_t begin;  // of its bytes in the input
        std::uint32_t end;    // one past its bytes
        std::uint32_t next;   // the token behind it and all that it holds
        std::uint32_t count;  // list: elements; dictionary: pairs; string: bytes of the length and the colon
    };

    std::string_view key_between(std::uint32_t begin, std::uint32_t end) const;

    std::span<std::byte const> input_;
    std::vector<Token> tokens_;
};

// Writes bencode; the caller gives every dictionary's keys in ascending order, without equal ones (asserted).
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
    struct Open {
        bool dictionary;
        std::optional<std::string> last_key;
        bool value_expected = false;
    };

    void before_value();
    void append(std::string_view text);

    std::vector<std::byte> out_;
    std::vector<Open> open_;
};

}  // namespace rqfs::torrent::bencode
