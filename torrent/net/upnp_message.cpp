#include "torrent/net/upnp_message.h"

#include "torrent/link_scope.h"

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

bool is_v6(std::string_view host) { return host.find(':') != std::string_view::npos; }

// It goes into our XML and into a header.
bool harmless(std::string_view type) {
    return std::all_of(type.begin(), type.end(),
                       [](unsigned char c) { return std::isalnum(c) || c == ':' || c == '-'; });
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

std::optional<bool> flag(char const* text) {
    auto const value = number(text);
    return value ? std::optional(*value != 0) : std::nullopt;
}

// What a mapping leads to.
std::optional<Endpoint> client(NameValueParserData& data) {
    auto const* const text = GetValueFromNameValueList(&data, "NewInternalClient");
    auto const port = number(GetValueFromNameValueList(&data, "NewInternalPort"));
    if (text == nullptr || !port || *port <= 0 || *port > 65'535) return std::nullopt;
    auto const address = Address::parse(text);
    if (!address) return std::nullopt;
    return Endpoint{*address, static_cast<std::uint16_t>(*port)};
}

std::unique_ptr<IGDdatas> parse_description(std::string_view document) {
    auto data = std::make_unique<IGDdatas>();
    if (document.empty() || document.size() > kUpnpDocumentBytes) return data;
    std::string const copy(document);  // the library looks one character ahead
    parserootdesc(copy.c_str(), static_cast<int>(copy.size()), data.get());
    return data;
}

// Where the service is spoken to: at the host that describes it.
std::optional<UpnpService> find_service(IGDdatas const& data, IGDdatas_service const& service, Url const& at) {
    auto base = at;
    if (auto const given = text_of(data.urlbase); !given.empty()) {
        auto const parsed = at.resolve(given);
        if (parsed) base = *parsed;
    }
    auto type = text_of(service.servicetype);
    if (!harmless(type)) return std::nullopt;
    auto control = base.resolve(text_of(service.controlurl));
    if (!control || control->scheme != "http") return std::nullopt;
    if (is_v6(at.host) && is_v6(control->host)) control->host = at.host;
    if (control->host != at.host) return std::nullopt;
    return UpnpService{std::move(type), *control};
}

}  // namespace

Endpoint upnp_group(bool v6) {
    if (!v6) return {Address::v4({239, 255, 255, 250}), kSsdpPort};
    return {Address::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0c}), kSsdpPort};
}

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
    auto const host = without_link_scope(router).text();
    if (router.is_v6() && is_v6(url->host)) url->host = host;
    if (url->scheme != "http" || url->host != host || !url->user_info.empty())
        return error(Errc::not_allowed, "the router sends us elsewhere, to " + url->text());
    return url;
}

std::vector<UpnpService> parse_upnp_description(std::string_view document, Url const& at) {
    auto const data = parse_description(document);
    std::vector<UpnpService> services;
    for (auto const* const service : {&data->first, &data->second}) {
        if (!maps_ports(text_of(service->servicetype))) continue;
        if (auto found = find_service(*data, *service, at)) services.push_back(std::move(*found));
    }
    return services;
}

std::optional<UpnpService> parse_upnp_firewall(std::string_view document, Url const& at) {
    auto const data = parse_description(document);
    if (!text_of(data->IPv6FC.servicetype).starts_with("urn:schemas-upnp-org:service:WANIPv6FirewallControl:"))
        return std::nullopt;
    return find_service(*data, data->IPv6FC, at);
}

UpnpCall upnp_call(UpnpService const& service, std::string_view action, std::initializer_list<UpnpArgument> arguments) {
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

UpnpCall upnp_map_call(UpnpService const& service, PortRequest const& request, Address const& own) {
    return upnp_call(service, "AddPortMapping",
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
    return upnp_call(service, "DeletePortMapping",
                     {{"NewRemoteHost", ""},
                      {"NewExternalPort", std::to_string(request.external_port)},
                      {"NewProtocol", protocol_name(request)}});
}

UpnpCall upnp_entry_call(UpnpService const& service, PortRequest const& request) {
    return upnp_call(service, "GetSpecificPortMappingEntry",
                     {{"NewRemoteHost", ""},
                      {"NewExternalPort", std::to_string(request.external_port)},
                      {"NewProtocol", protocol_name(request)}});
}

UpnpCall upnp_address_call(UpnpService const& service) { return upnp_call(service, "GetExternalIPAddress", {}); }

UpnpCall upnp_pinhole_call(UpnpService const& firewall, PortRequest const& request, Address const& own) {
    // IANA's numbers of the protocols.
    return upnp_call(firewall, "AddPinhole",
                     {{"RemoteHost", ""},
                      {"RemotePort", "0"},
                      {"InternalClient", own.text()},
                      {"InternalPort", std::to_string(request.internal_port)},
                      {"Protocol", request.protocol == TransportProtocol::tcp ? "6" : "17"},
                      {"LeaseTime", std::to_string(request.lifetime.count())}});
}

UpnpCall upnp_close_pinhole_call(UpnpService const& firewall, int pinhole) {
    return upnp_call(firewall, "DeletePinhole", {{"UniqueID", std::to_string(pinhole)}});
}

UpnpCall upnp_pinhole_packets_call(UpnpService const& firewall, int pinhole) {
    return upnp_call(firewall, "GetPinholePackets", {{"UniqueID", std::to_string(pinhole)}});
}

UpnpCall upnp_firewall_call(UpnpService const& firewall) { return upnp_call(firewall, "GetFirewallStatus", {}); }

UpnpReply parse_upnp_reply(unsigned status, std::string_view document) {
    std::string const copy(document.substr(0, kUpnpDocumentBytes));
    NameValueParserData data{};
    ParseNameValue(copy.c_str(), static_cast<int>(copy.size()), &data);
    std::unique_ptr<NameValueParserData, decltype(&ClearNameValueList)> const owner(&data, &ClearNameValueList);
    UpnpReply reply;
    reply.fault = number(GetValueFromNameValueList(&data, "errorCode"));
    if (!reply.fault && status != 200) reply.fault = static_cast<int>(status);
    reply.leads_to = client(data);
    reply.pinhole = number(GetValueFromNameValueList(&data, "UniqueID"));
    reply.firewall = flag(GetValueFromNameValueList(&data, "FirewallEnabled"));
    reply.pinholes = flag(GetValueFromNameValueList(&data, "InboundPinholeAllowed"));
    if (auto const* const text = GetValueFromNameValueList(&data, "NewExternalIPAddress")) {
        auto const address = Address::parse(text);
        if (address && !address->is_v6() && *address != Address()) reply.address = *address;
    }
    return reply;
}

}  // namespace rqfs::torrent
