#include "fs/xattrs.h"

#include "fs/settings.h"

#include <algorithm>
#include <cmath>

namespace rqfs::fs {

namespace {

constexpr std::string_view kInfoHash = "user.rqfs.infohash";
constexpr std::string_view kState = "user.rqfs.state";
constexpr std::string_view kProgress = "user.rqfs.progress";
constexpr std::string_view kRawName = "user.rqfs.rawname";
constexpr std::string_view kFile = "user.rqfs.file";

std::string progress_text(double progress) {
    constexpr int kDigits = 4;
    constexpr double kUnits = 10'000;
    // Rounded down, with a grain for 0.7 * 10000 being a little less than 7000.
    auto const units = static_cast<unsigned>(std::floor(std::clamp(progress, 0.0, 1.0) * kUnits + 1e-7));
    std::string const digits = std::to_string(progress < 1 ? std::min(units, 9'999u) : units);
    std::string const padded = std::string(digits.size() > kDigits ? 0 : kDigits + 1 - digits.size(), '0') + digits;
    return padded.substr(0, padded.size() - kDigits) + "." + padded.substr(padded.size() - kDigits);
}

}  // namespace

std::vector<std::string_view> xattr_names(bool of_file) {
    std::vector<std::string_view> names{kInfoHash, kState, kProgress, kRawName};
    if (of_file) names.insert(names.end(), {kFile, kWhyXattr});
    return names;
}

std::optional<std::string> xattr_value(std::string_view name, XattrFacts const& facts) {
    if (name == kInfoHash) return facts.info_hash.hex();
    if (name == kState) return std::string(torrent::name(facts.state));
    if (name == kProgress) return progress_text(facts.progress);
    if (name == kRawName) return facts.raw_name.substr(0, limit::kXattrBytes);
    if (name == kFile && facts.file) return std::to_string(facts.file->value());
    return std::nullopt;
}

std::string whole_lines(std::string text, std::size_t most_bytes) {
    if (text.size() <= most_bytes) return text;
    auto const end = most_bytes == 0 ? std::string::npos : text.rfind('\n', most_bytes - 1);
    text.resize(end == std::string::npos ? 0 : end + 1);
    return text;
}

}  // namespace rqfs::fs
