#include "torrent/net/upnp_message.h"

#include <miniupnpc/igd_desc_parse.h>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpreplyparse.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <utility>

namespace rqfs::torrent {

namespace {

constexpr std::uint16_t kSsdpPort = 1900;

bool same_without_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string_view trimmed(std::string_view text) {
    auto const blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

// Of an answer's header lines; empty where it is not there.
std::string_view header(std::string_view lines, std::string_view name) {
    while (!lines.empty()) {
        auto const end = std::min(lines.find('\n'), lines.size());
        auto const line = lines.substr(0, end);
        lines.remove_prefix(std::min(end + 1, lines.size()));
        auto const colon = line.find(':');
        if (colon != std::string_view::npos && same_without_case(trimmed(line.substr(0, colon)), name))
            return trimmed(line.substr(colon + 1));
    }
    return {};
}

// The library's fields are arrays that end with a zero.
template <std::size_t Size>
std::string text_of(char const (&field)[Size]) {
    return {field, strnlen(field, Size)};
}

bool maps_ports(std::string_view type) {
    return type.starts_with("urn:schemas-upnp-org:service:WANIPConnection:") ||
           type.starts_with("urn:schemas-upnp-org:service:WANPPPConnection:");
}

// It goes into our XML and into a header.
bool harmless(std::string_view type) {
    return std::all_of(type.begin(), type.end(),
                       [](unsigned char c) { return std::isalnum(c) || c == ':' || c == '-'; });
}

using Argument = std::pair<std::string_view, std::string>;

// All values are numbers, addresses and words of our own: nothing to escape.
UpnpCall call(UpnpService const& service, std::string_view action, std::initializer_list<Argument> arguments) {
    std::string const name(action);
    UpnpCall made;
    made.headers = "Content-Type: text/xml; charset=\"utf-8\"\r\nSOAPAction: \"" + service.type + "#" + name + "\"\r\n";
    made.body =
        "<?xml version=\"1.0\"?>\r\n"
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
        "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body><u:" +
        name + " xmlns:u=\"" + service.type + "\">";
    for (auto const& [argument, value] : arguments)
        made.body += "<" + std::string(argument) + ">" + value + "</" + std::string(argument) + ">";
    made.body += "</u:" + name + "></s:Body></s:Envelope>\r\n";
    return made;
}

std::string protocol_name(PortRequest const& request) {
    return request.protocol == TransportProtocol::tcp ? "TCP" : "UDP";
}

std::optional<int> number(char const* text) {
    if (text == nullptr) return std::nullopt;
    int value = 0;
    auto const* const end = text + std::strlen(text);
    auto const [rest, code] = std::from_chars(text, end, value);
    return code == std::errc() && rest == end ? std::optional(value) : std::nullopt;
}

}  // namespace

Endpoint upnp_group() { return {Address::v4({239, 255, 255, 250}), kSsdpPort}; }

std::vector<std::string> upnp_searches(Endpoint const& to) {
    std::vector<std::string> all;
    for (auto const* const device :
         {"urn:schemas-upnp-org:device:InternetGatewayDevice:1", "urn:schemas-upnp-org:device:InternetGatewayDevice:2"})
        all.push_back("M-SEARCH * HTTP/1.1\r\nHOST: " + to.text() +
                      "\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: " + device + "\r\n\r\n");
    return all;
}

Result<Url> parse_upnp_search_reply(std::span<std::byte const> datagram, Address const& from, Address const& router) {
    if (from != router) return error(Errc::not_allowed, from.text() + " is not the router");
    if (datagram.size() > kUpnpDatagramBytes) return error(Errc::too_large, "the router's answer is too long");
    std::string_view const text(reinterpret_cast<char const*>(datagram.data()), datagram.size());
    if (!text.starts_with("HTTP/1.") || text.find(" 200") == std::string_view::npos)
        return error(Errc::malformed, "the router's answer is not one to a search");
    if (header(text, "ST").find(":InternetGatewayDevice:") == std::string_view::npos)
        return error(Errc::malformed, "what answered is no gateway");
    auto url = Url::parse(header(text, "LOCATION"));
    if (!url) return url.error();
    if (url->scheme != "http" || url->host != router.text() || !url->user_info.empty())
        return error(Errc::not_allowed, "the router sends us elsewhere, to " + url->text());
    return url;
}

std::vector<UpnpService> parse_upnp_description(std::string_view document, Url const& at) {
    if (document.empty() || document.size() > kUpnpDocumentBytes) return {};
    std::string const copy(document);  // the library looks one character ahead
    auto const data = std::make_unique<IGDdatas>();
    parserootdesc(copy.c_str(), static_cast<int>(copy.size()), data.get());
    auto base = at;
    if (auto const given = text_of(data->urlbase); !given.empty()) {
        auto const parsed = at.resolve(given);
        if (parsed) base = *parsed;
    }
    std::vector<UpnpService> services;
    for (auto const* const service : {&data->first, &data->second}) {
        auto type = text_of(service->servicetype);
        if (!maps_ports(type) || !harmless(type)) continue;
        auto const control = base.resolve(text_of(service->controlurl));
        if (control && control->scheme == "http" && control->host == at.host)
            services.push_back({std::move(type), *control});
    }
    return services;
}

UpnpCall upnp_map_call(UpnpService const& service, PortRequest const& request, Address const& own) {
    return call(service, "AddPortMapping",
                {{"NewRemoteHost", ""},
                 {"NewExternalPort", std::to_string(request.external_port)},
                 {"NewProtocol", protocol_name(request)},
                 {"NewInternalPort", std::to_string(request.internal_port)},
                 {"NewInternalClient", own.text()},
                 {"NewEnabled", "1"},
                 {"NewPortMappingDescription", "rqfs"},
                 {"NewLeaseDuration", std::to_string(request.lifetime.count())}});
}

UpnpCall upnp_unmap_call(UpnpService const& service, PortRequest const& request) {
    return call(service, "DeletePortMapping",
                {{"NewRemoteHost", ""},
                 {"NewExternalPort", std::to_string(request.external_port)},
                 {"NewProtocol", protocol_name(request)}});
}

UpnpCall upnp_address_call(UpnpService const& service) { return call(service, "GetExternalIPAddress", {}); }

UpnpReply parse_upnp_reply(unsigned status, std::string_view document) {
    std::string const copy(document.substr(0, kUpnpDocumentBytes));
    NameValueParserData data{};
    ParseNameValue(copy.c_str(), static_cast<int>(copy.size()), &data);
    std::unique_ptr<NameValueParserData, decltype(&ClearNameValueList)> const owner(&data, &ClearNameValueList);
    UpnpReply reply;
    reply.fault = number(GetValueFromNameValueList(&data, "errorCode"));
    if (!reply.fault && status != 200) reply.fault = static_cast<int>(status);
    if (auto const* const text = GetValueFromNameValueList(&data, "NewExternalIPAddress")) {
        auto const address = Address::parse(text);
        if (address && !address->is_v6() && *address != Address()) reply.address = *address;
    }
    return reply;
}

}  // namespace rqfs::torrent
