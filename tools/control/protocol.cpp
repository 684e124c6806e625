#include "tools/control/protocol.h"

#include "tools/control/dht_fields.h"
#include "tools/control/protocol_fields.h"
#include "tools/control/session_fields.h"
#include "tools/control/text.h"
#include "tools/control/tracker_fields.h"
#include "tools/control/why_fields.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <optional>
#include <utility>

namespace rqfs::tools {

namespace json = boost::json;
using torrent::Errc;
using torrent::Result;

namespace {

constexpr std::array kStates{torrent::TorrentState::metadata, torrent::TorrentState::checking,
                             torrent::TorrentState::idle,     torrent::TorrentState::downloading,
                             torrent::TorrentState::seeding,  torrent::TorrentState::paused,
                             torrent::TorrentState::error};

json::value write(bool value) { return value; }
// JSON has no infinity.
json::value write(double value) { return std::isfinite(value) ? value : 0.0; }
// In whole bytes a second: nobody measures less, and a shell can count with it.
json::value write_rate(double rate) {
    constexpr double most = 1e18;
    return std::isfinite(rate) ? json::value(std::llround(std::clamp(rate, 0.0, most))) : json::value(0);
}
json::value write(std::uint16_t value) { return value; }
json::value write(std::uint32_t value) { return value; }
json::value write(std::uint64_t value) { return value; }
json::value write(std::string const& value) { return json::string(to_utf8(value)); }
json::value write(torrent::InfoHash const& value) { return json::string(value.hex()); }
json::value write(torrent::TorrentState value) { return json::string(torrent::name(value)); }
template <class Tag>
json::value write(torrent::Index<Tag> value) {
    return value.value();
}
json::value write(torrent::Address const& value) { return json::string(value.text()); }
json::value write(torrent::Endpoint const& value) { return json::string(value.text()); }
json::value write(std::chrono::sys_seconds value) { return value.time_since_epoch().count(); }
template <class Rep, class Period>
json::value write(std::chrono::duration<Rep, Period> value) {
    return value.count();
}
// What has members of its own, as protocol_fields.h names them.
struct Writer;
template <class T>
concept Described = requires(Writer& writer, T& value) { fields(writer, value); };
template <Described T>
json::value write(T const& value);
template <class T>
json::value write(std::optional<T> const& value) {
    return value ? write(*value) : json::value(nullptr);
}
template <class T>
json::value write(std::vector<T> const& values) {
    json::array list;
    for (auto const& value : values) list.push_back(write(value));
    return list;
}

// Each read() takes what it understands and says whether it did.
bool read(json::value const& from, bool& to) {
    if (from.is_bool()) to = from.get_bool();
    return from.is_bool();
}
bool read(json::value const& from, double& to) {
    boost::system::error_code code;
    to = from.to_number<double>(code);
    return !code;
}
template <std::integral Integer>
bool read(json::value const& from, Integer& to) {
    boost::system::error_code code;
    auto const value = from.to_number<Integer>(code);
    if (!code) to = value;
    return !code;
}
bool read(json::value const& from, std::string& to) {
    if (from.is_string()) to.assign(from.get_string().data(), from.get_string().size());
    return from.is_string();
}
template <class Parsed>
bool read_parsed(json::value const& from, Parsed& to) {
    std::string text;
    if (!read(from, text)) return false;
    auto const parsed = Parsed::parse(text);
    if (parsed) to = *parsed;
    return parsed.has_value();
}
bool read(json::value const& from, torrent::InfoHash& to) { return read_parsed(from, to); }
bool read(json::value const& from, torrent::Address& to) { return read_parsed(from, to); }
bool read(json::value const& from, torrent::Endpoint& to) { return read_parsed(from, to); }
bool read(json::value const& from, torrent::TorrentState& to) {
    std::string text;
    if (!read(from, text)) return false;
    for (auto const state : kStates) {
        if (torrent::name(state) != text) continue;
        to = state;
        return true;
    }
    return false;
}
template <class Tag>
bool read(json::value const& from, torrent::Index<Tag>& to) {
    std::uint32_t value = 0;
    bool const good = read(from, value);
    if (good) to = torrent::Index<Tag>(value);
    return good;
}
template <class Rep, class Period>
bool read(json::value const& from, std::chrono::duration<Rep, Period>& to) {
    std::int64_t count = 0;
    bool const good = read(from, count);
    if (good) to = std::chrono::duration<Rep, Period>(count);
    return good;
}
bool read(json::value const& from, std::chrono::sys_seconds& to) {
    std::chrono::seconds since{};
    bool const good = read(from, since);
    if (good) to = std::chrono::sys_seconds(since);
    return good;
}
template <Described T>
bool read(json::value const& from, T& to);
template <class T>
bool read(json::value const& from, std::optional<T>& to) {
    if (from.is_null()) return true;
    T value{};
    bool const good = read(from, value);
    if (good) to = value;
    return good;
}
template <class T>
bool read(json::value const& from, std::vector<T>& to) {
    if (!from.is_array()) return false;
    for (auto const& element : from.get_array()) {
        T value{};
        if (!read(element, value)) return false;
        to.push_back(std::move(value));
    }
    return true;
}

struct Writer {
    json::object object;

    template <class T>
    void operator()(std::string_view name, T const& member) {
        object.emplace(name, write(member));
    }
    void rate(std::string_view name, double member) { object.emplace(name, write_rate(member)); }
};

struct Reader {
    json::object const& object;
    std::optional<torrent::Error> failure;

    template <class T>
    void operator()(std::string_view name, T& member) {
        json::value const* const value = object.if_contains(name);
        if (value == nullptr || failure || read(*value, member)) return;
        failure = torrent::error(Errc::malformed, "the reply's member \"" + std::string(name) + "\" has a wrong type");
    }
    void rate(std::string_view name, double& member) { (*this)(name, member); }
};

template <Described T>
json::value write(T const& value) {
    Writer writer;
    fields(writer, value);
    return std::move(writer.object);
}

template <Described T>
bool read(json::value const& from, T& to) {
    if (!from.is_object()) return false;
    Reader reader{from.get_object(), std::nullopt};
    fields(reader, to);
    return !reader.failure;
}

template <class T>
Result<T> read_object(json::value const& value) {
    if (!value.is_object()) return torrent::error(Errc::malformed, "the reply is not a JSON object");
    T result;
    Reader reader{value.get_object(), std::nullopt};
    fields(reader, result);
    if (reader.failure) return *reader.failure;
    return result;
}

struct Kind {
    Errc code;
    unsigned status;
    std::string_view name;
};

constexpr std::array kKinds{
    Kind{Errc::malformed, 400, "malformed"},     Kind{Errc::too_large, 413, "too_large"},
    Kind{Errc::unsupported, 422, "unsupported"}, Kind{Errc::not_found, 404, "not_found"},
    Kind{Errc::exists, 409, "exists"},           Kind{Errc::timed_out, 504, "timed_out"},
    Kind{Errc::refused, 502, "refused"},         Kind{Errc::closed, 502, "closed"},
    Kind{Errc::not_allowed, 403, "not_allowed"}, Kind{Errc::paused, 409, "paused"},
    Kind{Errc::removed, 410, "removed"},         Kind{Errc::failed, 409, "failed"},
    Kind{Errc::corrupt, 500, "corrupt"},         Kind{Errc::io, 500, "io"},
    Kind{Errc::no_space, 507, "no_space"},       Kind{Errc::busy, 409, "busy"},
    Kind{Errc::stopping, 503, "stopping"},
};

}  // namespace

ErrorReply error_reply(Errc code, std::string message) {
    for (auto const& kind : kKinds)
        if (kind.code == code) return {kind.status, std::string(kind.name), std::move(message), {}};
    return {500, "internal", std::move(message), {}};
}

json::value to_json(TorrentReply const& reply) { return write(reply); }
json::value to_json(SessionReply const& reply) { return write(reply); }
json::value to_json(AddReply const& reply) { return write(reply); }
json::value to_json(torrent::FileStatus const& file) { return write(file); }
json::value to_json(torrent::PeerStatus const& peer) { return write(peer); }
json::value to_json(torrent::UnreachedPeer const& peer) { return write(peer); }
json::value to_json(torrent::TrackerStatus const& t) { return write(t); }
json::value to_json(torrent::AskedTrackers const& asked) { return write(asked); }
json::value to_json(StatisticsReply const& reply) { return write(reply); }
json::value to_json(WhyReply const& reply) { return write(reply); }
json::value to_json(torrent::DhtStatus const& node) { return write(node); }

json::value to_json(ErrorReply const& reply) {
    auto error = write(reply);
    if (reply.candidates.empty()) error.get_object().erase("candidates");
    json::object document;
    document["error"] = std::move(error);
    return document;
}

Result<TorrentReply> torrent_from_json(json::value const& value) { return read_object<TorrentReply>(value); }
Result<SessionReply> session_from_json(json::value const& value) { return read_object<SessionReply>(value); }
Result<AddReply> added_from_json(json::value const& value) { return read_object<AddReply>(value); }
Result<StatisticsReply> statistics_from_json(json::value const& value) { return read_object<StatisticsReply>(value); }
Result<torrent::FileStatus> file_from_json(json::value const& value) {
    return read_object<torrent::FileStatus>(value);
}
Result<torrent::PeerStatus> peer_from_json(json::value const& value) {
    return read_object<torrent::PeerStatus>(value);
}
Result<torrent::UnreachedPeer> unreached_from_json(json::value const& value) {
    return read_object<torrent::UnreachedPeer>(value);
}
Result<torrent::TrackerStatus> tracker_from_json(json::value const& value) {
    return read_object<torrent::TrackerStatus>(value);
}

Result<torrent::AskedTrackers> asked_from_json(json::value const& value) {
    return read_object<torrent::AskedTrackers>(value);
}

Result<WhyReply> why_from_json(json::value const& value) { return read_object<WhyReply>(value); }
Result<torrent::DhtStatus> dht_from_json(json::value const& value) { return read_object<torrent::DhtStatus>(value); }

Result<ErrorReply> error_from_json(json::value const& value) {
    json::object const* const document = value.if_object();
    json::value const* const error = document == nullptr ? nullptr : document->if_contains("error");
    if (error == nullptr) return torrent::error(Errc::malformed, "the reply holds no error");
    return read_object<ErrorReply>(*error);
}

Result<json::value> parse_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = kJsonDepth;
    boost::system::error_code code;
    auto value = json::parse(text, code, {}, options);
    if (code) return torrent::error(Errc::malformed, "the body is not valid JSON: " + code.message());
    return value;
}

}  // namespace rqfs::tools
