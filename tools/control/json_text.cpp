#include "tools/control/json_text.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <system_error>

namespace rqfs::tools {

namespace json = boost::json;

namespace {

// The smallest number has 324 digits before its first significant one, of which there are up to 17.
constexpr std::size_t kLongestNumber = 2 + 324 + 17 + 1;

std::string number_text(double number) {
    assert(std::isfinite(number));
    std::array<char, kLongestNumber> text{};
    auto const end = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    assert(end.ec == std::errc());
    return {text.data(), end.ptr};
}

void append(std::string& text, json::value const& value) {
    char const* separator = "";
    if (value.is_object()) {
        text += '{';
        for (auto const& member : value.get_object()) {
            text += separator + json::serialize(json::string(member.key())) + ':';
            append(text, member.value());
            separator = ",";
        }
        text += '}';
    } else if (value.is_array()) {
        text += '[';
        for (auto const& element : value.get_array()) {
            text += separator;
            append(text, element);
            separator = ",";
        }
        text += ']';
    } else {
        text += value.is_double() ? number_text(value.get_double()) : json::serialize(value);
    }
}

}  // namespace

std::string json_text(json::value const& document) {
    std::string text;
    append(text, document);
    return text;
}

}  // namespace rqfs::tools
