#include "torrent/net/upnp_message.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <span>
#include <string>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

Address at(std::string const& text) { return Address::parse(text).value(); }
Address const kRouter = at("192.168.1.1");

std::string answer(std::string const& location) {
    return "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: "
           "urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
           "USN: uuid:1::urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nlocation:  " +
           location + "\r\n\r\n";
}

Result<Url> parse(std::string const& text, Address const& from = kRouter) {
    return parse_upnp_search_reply(std::as_bytes(std::span(text)), from, kRouter);
}

std::string service(std::string const& type, std::string const& control) {
    return "<service><serviceType>" + type + "</serviceType><serviceId>x</serviceId><controlURL>" + control +
           "</controlURL><eventSubURL>/e</eventSubURL><SCPDURL>/s.xml</SCPDURL></service>";
}

std::string description(std::string const& services, std::string const& base = "") {
    return "<?xml version=\"1.0\"?>\r\n<root xmlns=\"urn:schemas-upnp-org:device-1-0\">" + base +
           "<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList><device>"
           "<deviceList><device><serviceList>" +
           services + "</serviceList></device></deviceList></device></deviceList></device></root>";
}

Url const kAt = Url::parse("http://192.168.1.1:5000/rootDesc.xml").value();
constexpr char kIp[] = "urn:schemas-upnp-org:service:WANIPConnection:1";
constexpr char kPpp[] = "urn:schemas-upnp-org:service:WANPPPConnection:1";

TEST(UpnpMessage, TheRouterSaysWhereItDescribesItself) {
    auto const url = parse(answer("http://192.168.1.1:5000/rootDesc.xml"));

    ASSERT_TRUE(url) << url.error().what;
    EXPECT_EQ(url->text(), "http://192.168.1.1:5000/rootDesc.xml");
}

TEST(UpnpMessage, OnlyTheRouterIsListenedTo) {
    EXPECT_FALSE(parse(answer("http://192.168.1.1:5000/rootDesc.xml"), at("192.168.1.9")));
    EXPECT_FALSE(parse(answer("http://192.168.1.9:5000/rootDesc.xml"), at("192.168.1.9")));
}

TEST(UpnpMessage, TheRouterCannotSendUsElsewhere) {
    for (std::string const location :
         {"http://192.168.1.9:80/", "http://127.0.0.1:6379/", "http://router.example/", "https://192.168.1.1/x",
          "file:///etc/passwd", "http://192.168.1.1@10.0.0.1/", "http://user:word@192.168.1.1/", "http://[::1]/", "",
          "ftp://192.168.1.1/", "/rootDesc.xml"})
        EXPECT_FALSE(parse(answer(location))) << location;
}

TEST(UpnpMessage, WhatIsNoAnswerToASearchIsRefused) {
    EXPECT_FALSE(parse(""));
    EXPECT_FALSE(parse("NOTIFY * HTTP/1.1\r\nLOCATION: http://192.168.1.1/x\r\n\r\n"));
    EXPECT_FALSE(parse(
        "HTTP/1.1 200 OK\r\nST: urn:dial-multiscreen-org:service:dial:1\r\nLOCATION: http://192.168.1.1/x\r\n\r\n"));
    EXPECT_FALSE(parse(answer("http://192.168.1.1/" + std::string(2'000, 'x'))));
}

TEST(UpnpMessage, ADescriptionNamesItsServices) {
    auto const services = parse_upnp_description(
        description(service("urn:schemas-upnp-org:service:Layer3Forwarding:1", "/l3") + service(kIp, "/ctl/IPConn")),
        kAt);

    ASSERT_EQ(services.size(), 1u);
    EXPECT_EQ(services[0].type, kIp);
    EXPECT_EQ(services[0].control.text(), "http://192.168.1.1:5000/ctl/IPConn");
}

TEST(UpnpMessage, ALineByIpAndOneByPppAreBothKnown) {
    EXPECT_EQ(parse_upnp_description(description(service(kIp, "/a") + service(kPpp, "/b")), kAt).size(), 2u);
}

TEST(UpnpMessage, AServiceElsewhereIsNone) {
    EXPECT_TRUE(parse_upnp_description(description(service(kIp, "http://10.0.0.1/ctl")), kAt).empty());
    EXPECT_TRUE(parse_upnp_description(description(service(kIp, "/ctl"), "<URLBase>http://10.0.0.1:80/</URLBase>"), kAt)
                    .empty());
    EXPECT_EQ(
        parse_upnp_description(description(service(kIp, "/ctl"), "<URLBase>http://192.168.1.1:81/</URLBase>"), kAt)[0]
            .control.port,
        81);
}

TEST(UpnpMessage, ATypeThatWouldEndUpInOurHeadersIsHarmless) {
    EXPECT_TRUE(parse_upnp_description(description(service(std::string(kIp) + "\r\nX: y", "/a")), kAt).empty());
    EXPECT_TRUE(parse_upnp_description(description(service(std::string(kIp) + "\"", "/a")), kAt).empty());
}

TEST(UpnpMessage, AnythingIsADescriptionOfNothing) {
    EXPECT_TRUE(parse_upnp_description("", kAt).empty());
    EXPECT_TRUE(parse_upnp_description("<", kAt).empty());
    EXPECT_TRUE(parse_upnp_description(std::string(kUpnpDocumentBytes + 1, ' '), kAt).empty());
    EXPECT_TRUE(
        parse_upnp_description(description(service(std::string(500, 'x'), std::string(500, 'y'))), kAt).empty());
}

TEST(UpnpMessage, ACallNamesThePortAndUs) {
    UpnpService const service{kIp, kAt};

    auto const call = upnp_map_call(service, {TransportProtocol::udp, 6881, 7000, 3600s}, at("192.168.1.7"));

    EXPECT_NE(call.headers.find("SOAPAction: \"" + std::string(kIp) + "#AddPortMapping\"\r\n"), std::string::npos);
    for (std::string const part :
         {"<NewExternalPort>7000</NewExternalPort>", "<NewProtocol>UDP</NewProtocol>",
          "<NewInternalPort>6881</NewInternalPort>", "<NewInternalClient>192.168.1.7</NewInternalClient>",
          "<NewLeaseDuration>3600</NewLeaseDuration>"})
        EXPECT_NE(call.body.find(part), std::string::npos) << part;
}

TEST(UpnpMessage, APortIsAskedAfterByItsNumberOutside) {
    auto const call = upnp_entry_call({kIp, kAt}, {TransportProtocol::tcp, 6881, 50'000, 0s});

    EXPECT_NE(call.headers.find("SOAPAction: \"" + std::string(kIp) + "#GetSpecificPortMappingEntry\"\r\n"),
              std::string::npos);
    for (std::string const part : {"<NewRemoteHost></NewRemoteHost>", "<NewExternalPort>50000</NewExternalPort>",
                                   "<NewProtocol>TCP</NewProtocol>"})
        EXPECT_NE(call.body.find(part), std::string::npos) << part;
}

TEST(UpnpMessage, WhatAPortLeadsToIsAnEndpointOrNothing) {
    auto const answer = [](std::string const& address, std::string const& port) {
        return parse_upnp_reply(200, "<s:Envelope><s:Body><u:R><NewInternalPort>" + port +
                                         "</NewInternalPort><NewInternalClient>" + address +
                                         "</NewInternalClient></u:R></s:Body></s:Envelope>")
            .leads_to;
    };

    EXPECT_EQ(answer("192.168.1.7", "6881"), (Endpoint{at("192.168.1.7"), 6881}));
    for (auto const* const port : {"", "0", "-1", "65536", "x", "99999999999"})
        EXPECT_FALSE(answer("192.168.1.7", port)) << port;
    EXPECT_FALSE(answer("my-computer", "6881"));
    EXPECT_FALSE(parse_upnp_reply(200, "<NewInternalClient>192.168.1.7</NewInternalClient>").leads_to);
}

TEST(UpnpMessage, AFaultHasItsNumber) {
    auto const reply = parse_upnp_reply(
        500,
        "<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>718</errorCode><errorDescription>Conflict"
        "</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>");

    EXPECT_EQ(reply.fault, kUpnpConflict);
    EXPECT_EQ(parse_upnp_reply(404, "").fault, 404);
    EXPECT_EQ(parse_upnp_reply(200, "").fault, std::nullopt);
}

TEST(UpnpMessage, OurAddressIsOneOrNothing) {
    auto const reply = [](std::string const& text) {
        return parse_upnp_reply(200, "<a><NewExternalIPAddress>" + text + "</NewExternalIPAddress></a>").address;
    };

    EXPECT_EQ(reply("41.0.0.1"), at("41.0.0.1"));
    EXPECT_FALSE(reply("0.0.0.0"));
    EXPECT_FALSE(reply(""));
    EXPECT_FALSE(reply("router"));
    EXPECT_FALSE(reply("::1"));
}

TEST(UpnpMessage, DamagedDocumentsAreReadWithoutHarm) {
    constexpr unsigned seed = 7;
    std::mt19937 random(seed);
    auto const whole =
        description(service(kIp, "/ctl/IPConn") + service(kPpp, "/b"), "<URLBase>http://192.168.1.1/</URLBase>");
    std::string const said = answer("http://192.168.1.1:5000/rootDesc.xml");
    for (int i = 0; i < 5'000; ++i) {
        auto document = whole;
        auto datagram = said;
        for (auto* const text : {&document, &datagram}) {
            for (auto k = random() % 6; k > 0; --k) (*text)[random() % text->size()] = static_cast<char>(random());
            text->resize(text->size() - random() % text->size());
        }

        for (auto const& found : parse_upnp_description(document, kAt))
            ASSERT_EQ(found.control.host, kAt.host) << "seed " << seed;
        parse_upnp_reply(200, document);
        auto const url = parse(datagram);
        ASSERT_TRUE(!url || url->host == kRouter.text()) << "seed " << seed;
    }
}

Address const kRouter6 = at("fe80::1");
Url const kAt6 = Url::parse("http://[fe80::1]:5000/rootDesc.xml").value();
constexpr char kFirewall[] = "urn:schemas-upnp-org:service:WANIPv6FirewallControl:1";

TEST(UpnpMessage, AnIpv6RouterIsAskedWhereWeKnowItWhicheverOfItsAddressesItNames) {
    auto const text = answer("http://[2a00::1]:5000/rootDesc.xml");

    auto const url = parse_upnp_search_reply(std::as_bytes(std::span(text)), kRouter6, kRouter6);

    ASSERT_TRUE(url) << url.error().what;
    EXPECT_EQ(*url, kAt6);
    auto const elsewhere = answer("http://192.168.1.9:5000/rootDesc.xml");
    EXPECT_FALSE(parse_upnp_search_reply(std::as_bytes(std::span(elsewhere)), kRouter6, kRouter6));
    EXPECT_FALSE(parse_upnp_search_reply(std::as_bytes(std::span(text)), at("fe80::2"), kRouter6));
}

TEST(UpnpMessage, ADescriptionNamesWhatOpensTheFirewall) {
    auto const all = service(kIp, "/ctl/IPConn") + service(kFirewall, "http://[2a00::1]:5000/ctl/IP6FCtl");

    auto const firewall = parse_upnp_firewall(description(all), kAt6);

    ASSERT_TRUE(firewall);
    EXPECT_EQ(firewall->type, kFirewall);
    EXPECT_EQ(firewall->control.text(), "http://[fe80::1]:5000/ctl/IP6FCtl");
    EXPECT_EQ(parse_upnp_description(description(all), kAt6).size(), 1u) << "ports are mapped by others";
    EXPECT_FALSE(parse_upnp_firewall(description(service(kIp, "/ctl/IPConn")), kAt6));
    EXPECT_FALSE(parse_upnp_firewall(description(service(kFirewall, "http://10.0.0.1/ctl")), kAt6));
    EXPECT_FALSE(parse_upnp_firewall("", kAt6));
}

TEST(UpnpMessage, APinholeLeadsToOurOwnPort) {
    UpnpService const firewall{kFirewall, kAt6};

    auto const tcp = upnp_pinhole_call(firewall, {TransportProtocol::tcp, 6881, 6881, 3600s}, at("2a00::7"));
    auto const udp = upnp_pinhole_call(firewall, {TransportProtocol::udp, 6881, 6881, 3600s}, at("2a00::7"));

    EXPECT_NE(tcp.headers.find("SOAPAction: \"" + std::string(kFirewall) + "#AddPinhole\"\r\n"), std::string::npos);
    for (std::string const part :
         {"<InternalClient>2a00::7</InternalClient>", "<InternalPort>6881</InternalPort>", "<Protocol>6</Protocol>",
          "<LeaseTime>3600</LeaseTime>", "<RemoteHost></RemoteHost>", "<RemotePort>0</RemotePort>"})
        EXPECT_NE(tcp.body.find(part), std::string::npos) << part;
    EXPECT_NE(udp.body.find("<Protocol>17</Protocol>"), std::string::npos);
    auto const packets = upnp_pinhole_packets_call(firewall, 42);
    EXPECT_NE(packets.headers.find("#GetPinholePackets\""), std::string::npos);
    EXPECT_NE(packets.body.find("<UniqueID>42</UniqueID>"), std::string::npos);
    EXPECT_NE(upnp_close_pinhole_call(firewall, 42).body.find("<UniqueID>42</UniqueID>"), std::string::npos);
}

TEST(UpnpMessage, AFirewallsAnswersAreRead) {
    auto const in = [](std::string const& text) { return "<s:Envelope><s:Body>" + text + "</s:Body></s:Envelope>"; };

    EXPECT_EQ(parse_upnp_reply(200, in("<u:R><UniqueID>42</UniqueID></u:R>")).pinhole, 42);
    auto const state = parse_upnp_reply(
        200, in("<u:R><FirewallEnabled>1</FirewallEnabled><InboundPinholeAllowed>0</InboundPinholeAllowed></u:R>"));
    EXPECT_EQ(state.firewall, true);
    EXPECT_EQ(state.pinholes, false);
    auto const nothing = parse_upnp_reply(200, in("<u:R><UniqueID>x</UniqueID></u:R>"));
    EXPECT_FALSE(nothing.pinhole || nothing.firewall || nothing.pinholes);
}

}  // namespace
}  // namespace rqfs::torrent
