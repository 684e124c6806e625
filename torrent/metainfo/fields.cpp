#include "torrent/metainfo/fields.h"

#include "torrent/settings.h"

#include <algorithm>

namespace rqfs::torrent {

using bencode::Value;

std::string_view describe(Value::Type type) {
    switch (type) {
        case Value::Type::integer: return "an integer";
        case Value::Type::string: return "a string";
        case Value::Type::list: return "a list";
        case Value::Type::dictionary: break;
    }
    return "a dictionary";
}

Fields::Fields(Value dictionary, std::string_view name, std::optional<std::size_t> element)
    : dictionary_(dictionary), name_(name), element_(element) {}

std::string Fields::name_of(std::string_view key) const {
    std::string full(name_);
    if (element_) full += "[" + std::to_string(*element_) + "]";
    if (!key.empty()) full += "." + std::string(key);
    return full;
}

Result<std::optional<Value>> Fields::find(std::string_view key, Value::Type type) const {
    auto const value = dictionary_.find(key);
    if (value && value->type() != type)
        return error(Errc::malformed, name_of(key) + " must be " + std::string(describe(type)) + ", not " +
                                          std::string(describe(value->type())));
    return value;
}

Result<Value> Fields::require(std::string_view key, Value::Type type) const {
    auto const value = find(key, type);
    if (!value) return value.error();
    if (!*value) return error(Errc::malformed, name_of(key) + " is missing; it must be " + std::string(describe(type)));
    return **value;
}

Result<std::int64_t> Fields::integer(std::string_view key, std::int64_t least, std::int64_t most) const {
    auto const value = require(key, Value::Type::integer);
    if (!value) return value.error();
    auto const number = *value->integer();
    if (number < least || number > most)
        return error(Errc::malformed, name_of(key) + " must be between " + std::to_string(least) + " and " +
                                          std::to_string(most) + ", not " + std::to_string(number));
    return number;
}

Result<std::int64_t> Fields::integer_or(std::string_view key, std::int64_t otherwise) const {
    auto const value = find(key, Value::Type::integer);
    if (!value) return value.error();
    return *value ? *(*value)->integer() : otherwise;
}

Result<std::string_view> Fields::name(std::string_view key) const {
    auto const utf8 = find(std::string(key) + ".utf-8", Value::Type::string);
    if (!utf8) return utf8.error();
    if (*utf8) return *(*utf8)->text();
    auto const plain = require(key, Value::Type::string);
    if (!plain) return plain.error();
    return *plain->text();
}

Result<std::string_view> Fields::text(std::string_view key) const {
    auto const value = find(key, Value::Type::string);
    if (!value) return value.error();
    return *value ? *(*value)->text() : std::string_view();
}

Result<std::vector<std::string>> Fields::path(std::string_view key) const {
    std::vector<std::string> elements;
    auto const list = find(key, Value::Type::list);
    if (!list) return list.error();
    if (!*list) return elements;
    if ((*list)->size() > limit::kPathDepth)
        return error(Errc::too_large, name_of(key) + " has " + std::to_string((*list)->size()) + " elements; at most " +
                                          std::to_string(limit::kPathDepth) + " are allowed");
    elements.reserve((*list)->size());
    for (auto const& element : (*list)->elements()) {
        auto const text = element.text();
        if (!text)
            return error(Errc::malformed,
                         name_of(key) + " must hold strings, not " + std::string(describe(element.type())));
        elements.emplace_back(*text);
    }
    return elements;
}

std::optional<Error> Fields::check_unique() const {
    if (dictionary_.has_duplicate_keys()) return error(Errc::malformed, name_of({}) + " has the same key twice");
    return {};
}

}  // namespace rqfs::torrent
