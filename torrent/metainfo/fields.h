#pragma once

#include "torrent/error.h"
#include "torrent/metainfo/bencode.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// Reads fields of an untrusted dictionary; errors name the field as a person would ("info.files[3].length must be an
// integer, not a list"). A view: the dictionary's document and `name` outlive it.
class Fields {
public:
    // `element`: the dictionary is this element of the list `name`.
    Fields(bencode::Value dictionary, std::string_view name, std::optional<std::size_t> element = {});

    // Nothing when the field is missing, an error when it has another type.
    Result<std::optional<bencode::Value>> find(std::string_view key, bencode::Value::Type type) const;
    // An error when it is missing, too.
    Result<bencode::Value> require(std::string_view key, bencode::Value::Type type) const;

    Result<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most) const;
    Result<std::int64_t> integer_or(std::string_view key, std::int64_t otherwise) const;
    // The text of `key`.utf-8 where there is one, else of `key`: old writers put a local encoding into the plain field.
    Result<std::string_view> name(std::string_view key) const;
    // The text, empty when the field is missing.
    Result<std::string_view> text(std::string_view key) const;
    // The strings of a list; nothing when the field is missing.
    Result<std::vector<std::string>> path(std::string_view key) const;

    // No key stands twice: readers that take the first and readers that take the last would see different torrents.
    std::optional<Error> check_unique() const;

    // "info.files[3].length"; with an empty key the dictionary itself.
    std::string name_of(std::string_view key) const;

private:
    bencode::Value dictionary_;
    std::string_view name_;
    std::optional<std::size_t> element_;
};

// "an integer", "a list", ...
std::string_view describe(bencode::Value::Type type);

}  // namespace rqfs::torrent
