#include "tools/rqfs/api_body.h"

#include "tools/control/text.h"

#include <boost/json/string.hpp>

#include <algorithm>
#include <utility>

namespace rqfs::tools {

namespace json = boost::json;
using torrent::Errc;

namespace {

void require_known(std::string_view name, std::initializer_list<std::string_view> known) {
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    fail(Errc::malformed, "the request knows no member \"" + printable(name) + "\"");
}

json::value const* member(json::object const& body, std::string_view name) {
    json::value const* const value = body.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

[[noreturn]] void wrong_type(std::string_view name, std::string_view expected) {
    fail(Errc::malformed, "\"" + std::string(name) + "\" must be " + std::string(expected));
}

}  // namespace

void fail(Errc code, std::string message) { throw ApiFailure{error_reply(code, std::move(message)), {}}; }

void fail_method(std::string allow) {
    ErrorReply reply{405, "method_not_allowed", "this resource knows only " + allow, {}};
    throw ApiFailure{std::move(reply), std::move(allow)};
}

json::object parse_body(std::string_view body, std::initializer_list<std::string_view> known) {
    if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return {};
    auto const parsed = parse_json(body);
    if (!parsed) fail(parsed.error().code, parsed.error().what);
    if (!parsed->is_object()) fail(Errc::malformed, "the body must be a JSON object");
    for (auto const& [name, value] : parsed->get_object()) require_known({name.data(), name.size()}, known);
    return parsed->get_object();
}

std::optional<std::string> text_member(json::object const& body, std::string_view name) {
    auto const* const value = member(body, name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) wrong_type(name, "a string");
    auto const& text = value->get_string();
    return std::string(text.data(), text.size());
}

std::optional<std::vector<std::string>> texts_member(json::object const& body, std::string_view name) {
    auto const* const value = member(body, name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_array()) wrong_type(name, "a list of strings");
    std::vector<std::string> texts;
    for (auto const& element : value->get_array()) {
        if (!element.is_string()) wrong_type(name, "a list of strings");
        texts.emplace_back(element.get_string().data(), element.get_string().size());
    }
    return texts;
}

std::optional<bool> flag_member(json::object const& body, std::string_view name) {
    auto const* const value = member(body, name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_bool()) wrong_type(name, "true or false");
    return value->get_bool();
}

std::optional<std::uint64_t> number_member(json::object const& body, std::string_view name) {
    auto const* const value = member(body, name);
    if (value == nullptr) return std::nullopt;
    boost::system::error_code code;
    auto const number = value->to_number<std::uint64_t>(code);
    if (code) wrong_type(name, "a whole number that is not negative");
    return number;
}

std::string required_text(json::object const& body, std::string_view name) {
    auto text = text_member(body, name);
    if (!text) fail(Errc::malformed, "the body must name \"" + std::string(name) + "\"");
    return std::move(*text);
}

bool flag_in_query(std::map<std::string, std::string> const& query, std::string const& name) {
    auto const found = query.find(name);
    if (found == query.end()) return false;
    if (found->second != "true" && found->second != "false") wrong_type(name, "true or false");
    return found->second == "true";
}

void allow_in_query(std::map<std::string, std::string> const& query, std::initializer_list<std::string_view> known) {
    for (auto const& [name, value] : query) require_known(name, known);
}

}  // namespace rqfs::tools
