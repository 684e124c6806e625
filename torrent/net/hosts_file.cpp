#include "torrent/net/hosts_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <utility>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kFileBytes = 16u << 20;  // three times the longest lists of blocked names
constexpr std::size_t kAddresses = 32;         // of one name
constexpr std::string_view kBlank = " \t\r\f\v";

// ASCII alone: a name has nothing else.
std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::string_view take_word(std::string_view& line) {
    auto const begin = std::min(line.find_first_not_of(kBlank), line.size());
    auto const end = std::min(line.find_first_of(kBlank, begin), line.size());
    auto const word = line.substr(begin, end - begin);
    line.remove_prefix(end);
    return word;
}

void take_line(std::string_view line, std::string_view host, std::vector<Address>& addresses) {
    line = line.substr(0, line.find('#'));
    auto const address = Address::parse(take_word(line));
    if (!address || addresses.size() >= kAddresses) return;
    for (auto name = take_word(line); !name.empty(); name = take_word(line)) {
        if (name != host) continue;
        if (std::find(addresses.begin(), addresses.end(), *address) == addresses.end()) addresses.push_back(*address);
        return;
    }
}

}  // namespace

std::vector<Address> find_in_hosts(std::string_view text, std::string_view host) {
    std::vector<Address> addresses;
    if (host.empty()) return addresses;
    for (auto hit = text.find(host); hit != std::string_view::npos; hit = text.find(host, hit)) {
        auto const before = hit == 0 ? std::string_view::npos : text.rfind('\n', hit - 1);
        auto const begin = before == std::string_view::npos ? 0 : before + 1;
        auto const end = std::min(text.find('\n', hit), text.size());
        take_line(text.substr(begin, end - begin), host, addresses);
        hit = end;
    }
    return addresses;
}

HostsFile::Found HostsFile::find(std::string path, Shared known, std::string host) {
    auto const version = version_of(path);
    if (!known || known->version_ != version) known = read(path, version);
    auto name = lower(host);
    if (name.ends_with('.')) name.pop_back();
    auto addresses = find_in_hosts(known->text_, name);
    if (addresses.empty() && (name == "localhost" || name.ends_with(".localhost"))) {
        constexpr std::array<std::uint8_t, 4> v4{127, 0, 0, 1};
        constexpr std::array<std::uint8_t, 16> v6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
        addresses = {Address::v4(v4), Address::v6(v6)};
    }
    return {std::move(addresses), std::move(known)};
}

HostsFile::Version HostsFile::version_of(std::string const& path) {
    struct stat now {};
    if (::stat(path.c_str(), &now) != 0) return {};
    return {now.st_mtim.tv_sec, now.st_mtim.tv_nsec, now.st_ino, now.st_size};
}

HostsFile::Shared HostsFile::read(std::string const& path, Version const& version) {
    auto fresh = std::make_shared<HostsFile>();
    fresh->version_ = version;
    std::string text(static_cast<std::size_t>(std::clamp<std::int64_t>(version.bytes, 0, kFileBytes)), '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    fresh->text_ = lower(text);
    return fresh;
}

}  // namespace rqfs::torrent
