#include "torrent/metainfo/bencode.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace rqfs::torrent::bencode {

namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
constexpr int kEndOfInput = -1;

bool is_digit(int c) { return c >= '0' && c <= '9'; }

std::string_view as_text(std::span<std::byte const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

}  // namespace

// One pass over the input. Containers that are still open form a chain through `next` of their tokens, so that nesting
// takes neither the program's stack nor memory of its own.
class Document::Parser {
public:
    Parser(std::span<std::byte const> input, Limits limits) : input_(input), limits_(limits) {}

    std::optional<Error> run();
    std::size_t position() const { return position_; }
    std::vector<Token> take() {
        tokens_.shrink_to_fit();  // what grew by doubling is up to half empty, and of large torrents that is tens of MB
        return std::move(tokens_);
    }

private:
    std::optional<Error> value();
    std::optional<Error> integer();
    std::optional<Error> string(std::size_t& header_bytes);
    std::optional<Error> open();
    void close();
    void add(std::size_t begin, std::uint32_t count);

    bool in_dictionary() const { return open_ != kNone && as_text(input_)[tokens_[open_].begin] == 'd'; }
    int peek() const { return position_ < input_.size() ? std::to_integer<int>(input_[position_]) : kEndOfInput; }

    Error fail(std::string const& what) const { return fail_at(position_, what); }
    static Error fail_at(std::size_t position, std::string const& what) {
        return error(Errc::malformed, "at byte " + std::to_string(position) + ": " + what);
    }
    Error over(std::string const& what) const {
        return error(Errc::too_large, "at byte " + std::to_string(position_) + ": " + what);
    }

    std::span<std::byte const> input_;
    Limits limits_;
    std::size_t position_ = 0;
    std::vector<Token> tokens_;
    std::uint32_t open_ = kNone;  // the innermost open container
    std::uint32_t depth_ = 0;
};

std::optional<Error> Document::Parser::run() {
    if (input_.size() >= kNone) return over("more than 4 GiB");
    do {
        if (open_ != kNone && peek() == 'e') {
            close();
            continue;
        }
        if (in_dictionary()) {
            if (peek() != kEndOfInput && !is_digit(peek())) return fail("a dictionary's key must be a string");
            std::size_t header_bytes = 0;
            if (auto failure = string(header_bytes)) return failure;
            if (peek() == 'e') return fail("a dictionary's key without a value");
        }
        if (auto failure = value()) return failure;
    } while (open_ != kNone);
    return {};
}

std::optional<Error> Document::Parser::value() {
    if (tokens_.size() >= limits_.tokens) return over("more than " + std::to_string(limits_.tokens) + " values");
    int const c = peek();
    if (c == 'i') return integer();
    if (c == 'l' || c == 'd') return open();
    if (c == kEndOfInput) return fail("the input ends where a value is expected");
    if (!is_digit(c)) return fail("a value must begin with 'i', 'l', 'd' or a digit");
    auto const begin = position_;
    std::size_t header_bytes = 0;
    if (auto failure = string(header_bytes)) return failure;
    add(begin, static_cast<std::uint32_t>(header_bytes));
    return {};
}

std::optional<Error> Document::Parser::integer() {
    auto const begin = position_++;
    bool const negative = peek() == '-';
    if (negative) ++position_;
    int const first = peek();
    if (!is_digit(first)) return fail("an integer without digits");
    std::uint64_t const limit = std::uint64_t{std::numeric_limits<std::int64_t>::max()} + (negative ? 1 : 0);
    std::uint64_t magnitude = 0;
    std::size_t digits = 0;
    for (; is_digit(peek()); ++position_, ++digits) {
        auto const digit = static_cast<std::uint64_t>(peek() - '0');
        if (magnitude > (limit - digit) / 10) return fail_at(begin, "an integer beyond 64 bits");
        magnitude = magnitude * 10 + digit;
    }
    if (first == '0' && digits > 1) return fail_at(begin, "an integer with a leading zero");
    if (first == '0' && negative) return fail_at(begin, "an integer that is minus zero");
    if (peek() != 'e') return fail("an integer must end in 'e'");
    ++position_;
    add(begin, 0);
    return {};
}

std::optional<Error> Document::Parser::string(std::size_t& header_bytes) {
    auto const begin = position_;
    std::size_t length = 0;
    for (; is_digit(peek()); ++position_) {
        length = length * 10 + static_cast<std::size_t>(peek() - '0');
        if (length > input_.size()) return fail_at(begin, "a string that is longer than the input");
    }
    if (position_ == begin) return fail("the input ends where a string is expected");
    if (position_ - begin > 1 && input_[begin] == std::byte{'0'})
        return fail_at(begin, "a string's length with a leading zero");
    if (peek() != ':') return fail("a string's length must be followed by ':'");
    ++position_;
    if (length > input_.size() - position_)
        return fail_at(begin, "a string of " + std::to_string(length) + " bytes where " +
                                  std::to_string(input_.size() - position_) + " are left");
    header_bytes = position_ - begin;
    position_ += length;
    return {};
}

std::optional<Error> Document::Parser::open() {
    if (depth_ >= limits_.depth)
        return over("lists and dictionaries nested more than " + std::to_string(limits_.depth) + " deep");
    auto const token = static_cast<std::uint32_t>(tokens_.size());
    auto const begin = position_++;
    add(begin, 0);
    tokens_[token].next = open_;
    open_ = token;
    ++depth_;
    return {};
}

void Document::Parser::close() {
    ++position_;
    Token& token = tokens_[open_];
    open_ = token.next;
    token.next = static_cast<std::uint32_t>(tokens_.size());
    token.end = static_cast<std::uint32_t>(position_);
    --depth_;
}

void Document::Parser::add(std::size_t begin, std::uint32_t count) {
    if (open_ != kNone) ++tokens_[open_].count;
    tokens_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(position_),
                       static_cast<std::uint32_t>(tokens_.size() + 1), count});
}

Result<Document> Document::parse_prefix(std::span<std::byte const> input, Limits limits, std::size_t& used) {
    Parser parser(input, limits);
    if (auto failure = parser.run()) return *std::move(failure);
    used = parser.position();
    Document document;
    document.input_ = input;
    document.tokens_ = parser.take();
    return document;
}

Result<Document> Document::parse(std::span<std::byte const> input, Limits limits) {
    std::size_t used = 0;
    auto document = parse_prefix(input, limits, used);
    if (document && used != input.size())
        return error(Errc::malformed, "at byte " + std::to_string(used) + ": bytes behind the end of the value");
    return document;
}

std::string_view Document::key_between(std::uint32_t begin, std::uint32_t end) const {
    while (input_[begin] != std::byte{':'}) ++begin;
    return {reinterpret_cast<char const*>(input_.data()) + begin + 1, end - begin - 1};
}

Value::Type Value::type() const {
    switch (std::to_integer<char>(raw().front())) {
        case 'i': return Type::integer;
        case 'l': return Type::list;
        case 'd': return Type::dictionary;
        default: return Type::string;
    }
}

std::span<std::byte const> Value::raw() const {
    auto const& token = document_->tokens_[token_];
    return document_->input_.subspan(token.begin, token.end - token.begin);
}

std::optional<std::int64_t> Value::integer() const {
    if (type() != Type::integer) return {};
    auto const digits = as_text(raw());
    std::int64_t value = 0;
    std::from_chars(digits.data() + 1, digits.data() + digits.size() - 1, value);
    return value;
}

std::optional<std::span<std::byte const>> Value::bytes() const {
    if (type() != Type::string) return {};
    return raw().subspan(document_->tokens_[token_].count);
}

std::optional<std::string_view> Value::text() const {
    auto const content = bytes();
    if (!content) return {};
    return as_text(*content);
}

std::size_t Value::size() const {
    auto const kind = type();
    return kind == Type::list || kind == Type::dictionary ? document_->tokens_[token_].count : 0;
}

std::optional<Value> Value::find(std::string_view key) const {
    if (type() != Type::dictionary) return {};
    auto const& tokens = document_->tokens_;
    auto behind = tokens[token_].begin + 1;
    for (auto child = token_ + 1; child < tokens[token_].next; child = tokens[child].next) {
        if (document_->key_between(behind, tokens[child].begin) == key) return Value(document_, child);
        behind = tokens[child].end;
    }
    return {};
}

std::vector<Value> Value::elements() const {
    std::vector<Value> values;
    if (type() != Type::list) return values;
    auto const& tokens = document_->tokens_;
    values.reserve(size());
    for (auto child = token_ + 1; child < tokens[token_].next; child = tokens[child].next)
        values.push_back(Value(document_, child));
    return values;
}

std::vector<Value::Pair> Value::pairs() const {
    std::vector<Pair> found;
    if (type() != Type::dictionary) return found;
    auto const& tokens = document_->tokens_;
    found.reserve(size());
    auto behind = tokens[token_].begin + 1;
    for (auto child = token_ + 1; child < tokens[token_].next; child = tokens[child].next) {
        found.push_back({document_->key_between(behind, tokens[child].begin), Value(document_, child)});
        behind = tokens[child].end;
    }
    return found;
}

bool Value::has_ascending_keys() const {
    auto const& tokens = document_->tokens_;
    auto behind = tokens[token_].begin + 1;
    std::string_view last;
    for (auto child = token_ + 1; child < tokens[token_].next; child = tokens[child].next) {
        auto const key = document_->key_between(behind, tokens[child].begin);
        if (child != token_ + 1 && key <= last) return false;
        last = key;
        behind = tokens[child].end;
    }
    return true;
}

bool Value::has_duplicate_keys() const {
    // Nearly every dictionary is sorted, and of files there may be very many.
    if (type() != Type::dictionary || has_ascending_keys()) return false;
    auto found = pairs();
    std::sort(found.begin(), found.end(), [](Pair const& a, Pair const& b) { return a.key < b.key; });
    auto const same_key = [](Pair const& a, Pair const& b) { return a.key == b.key; };
    return std::adjacent_find(found.begin(), found.end(), same_key) != found.end();
}

}  // namespace rqfs::torrent::bencode
