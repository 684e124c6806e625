#pragma once

#include "tools/control/protocol.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::tools {

// Why a request cannot be served: carries its reply through the coroutines of ControlApi.
struct ApiFailure {
    ErrorReply reply;
    std::string allow;  // the methods there are, with status 405
};

[[noreturn]] void fail(torrent::Errc code, std::string message);
[[noreturn]] void fail_method(std::string allow);

// The JSON object of a request's body, {} when it is empty. Throws ApiFailure for anything else, and for a member that
// is not in `known`: a misspelt wish must not be granted by half.
boost::json::object parse_body(std::string_view body, std::initializer_list<std::string_view> known);

// One member, or nothing when it is absent or null; of the wrong type: ApiFailure naming it.
std::optional<std::string> text_member(boost::json::object const& body, std::string_view name);
std::optional<bool> flag_member(boost::json::object const& body, std::string_view name);
std::optional<std::uint64_t> number_member(boost::json::object const& body, std::string_view name);
std::optional<std::vector<std::string>> texts_member(boost::json::object const& body, std::string_view name);
std::string required_text(boost::json::object const& body, std::string_view name);

// "true" or "false" in the query; absent is false.
bool flag_in_query(std::map<std::string, std::string> const& query, std::string const& name);
void allow_in_query(std::map<std::string, std::string> const& query, std::initializer_list<std::string_view> known);

}  // namespace rqfs::tools
