#include "torrent/tracker/tracker_secrets.h"

#include "torrent/tracker/tracker_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace {

constexpr std::string_view kHidden = "[hidden]";
constexpr std::array<std::string_view, 3> kCommonWords{"announce", "announce.php", "info_hash"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string lower_case(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

bool may_be_secret(std::string_view part) {
    return part.size() >= kSecretBytes &&
           std::find(kCommonWords.begin(), kCommonWords.end(), part) == kCommonWords.end();
}

// In lower case, as it is written and as it would be shown decoded.
void add_part(std::string_view part, std::vector<std::string>& secrets) {
    if (part.size() < kSecretBytes) return;
    auto written = lower_case(part);
    auto const decoded = percent_decode(part);
    auto meant = decoded ? lower_case(tracker_text(*decoded)) : written;
    if (meant != written && may_be_secret(meant)) secrets.push_back(std::move(meant));
    if (may_be_secret(written)) secrets.push_back(std::move(written));
}

void add_parts(std::string_view text, std::string_view separators, std::vector<std::string>& secrets) {
    while (!text.empty()) {
        auto const end = std::min(text.find_first_of(separators), text.size());
        add_part(text.substr(0, end), secrets);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

std::vector<std::string> secrets_of(Url const& tracker) {
    std::vector<std::string> secrets;
    add_parts(tracker.target, "/?&=;,", secrets);
    add_part(tracker.user_info, secrets);
    add_parts(tracker.user_info, ":", secrets);
    return secrets;
}

// How many bytes `text` begins with that are found one after another in the secret; fewer than kSecretBytes are none.
std::size_t echoed_bytes(std::string_view text, std::string_view secret) {
    std::size_t longest = 0;
    if (text.size() < kSecretBytes) return longest;
    auto const least = text.substr(0, kSecretBytes);
    for (auto at = secret.find(least); at != std::string_view::npos; at = secret.find(least, at + 1)) {
        auto const rest = secret.substr(at);
        auto const end = std::mismatch(text.begin(), text.end(), rest.begin(), rest.end()).first;
        longest = std::max(longest, static_cast<std::size_t>(end - text.begin()));
    }
    return longest;
}

}  // namespace

std::string without_secrets(std::string text, Url const& tracker) {
    auto const secrets = secrets_of(tracker);
    if (secrets.empty()) return text;
    auto const searched = lower_case(text);
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t echoed = 0;
        for (auto const& secret : secrets)
            echoed = std::max(echoed, echoed_bytes(std::string_view(searched).substr(i), secret));
        if (echoed == 0)
            out += text[i];
        else
            out += kHidden;
        i += std::max<std::size_t>(echoed, 1);
    }
    return out;
}

}  // namespace rqfs::torrent
