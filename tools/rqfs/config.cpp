#include "tools/rqfs/config.h"

#include "tools/control/text.h"
#include "tools/rqfs/config_values.h"

#include <yaml-cpp/yaml.h>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>
#include <utility>

namespace rqfs::tools {

namespace {

using torrent::Errc;
using torrent::error;
using torrent::Result;

constexpr std::size_t kFileBytes = 1u << 20;  // no configuration; a file named by mistake

struct Problem {
    int line = 0;  // from 0, as yaml-cpp counts; -1 where it does not know
    std::string what;
};

ConfigKey const* find_key(std::string_view name) {
    auto const keys = config_keys();
    auto const found = std::find_if(keys.begin(), keys.end(), [&](auto const& key) { return key.name == name; });
    return found == keys.end() ? nullptr : &*found;
}

// The names that may follow `section` (empty: at the top): "up, down, ...".
std::string names_in(std::string const& section) {
    auto const prefix = section.empty() ? section : section + ".";
    std::string list;
    std::set<std::string_view> seen;
    for (auto const& key : config_keys()) {
        if (!key.name.starts_with(prefix)) continue;
        auto const rest = key.name.substr(prefix.size());
        auto const name = rest.substr(0, rest.find('.'));
        if (seen.insert(name).second) list += (list.empty() ? "" : ", ") + std::string(name);
    }
    return list;
}

// Takes a document apart into the keys it holds.
class Walk {
public:
    explicit Walk(Config& config) : config_(config) {}

    std::optional<Problem> section(YAML::Node const& node, std::string const& name) {
        if (node.IsNull()) return std::nullopt;
        if (!node.IsMap()) return Problem{node.Mark().line, where(name) + "keys were expected: " + names_in(name)};
        std::set<std::string> seen;
        for (auto const& entry : node) {
            int const line = entry.first.Mark().line;
            if (!entry.first.IsScalar()) return Problem{line, where(name) + "a key was expected: " + names_in(name)};
            auto const full = name.empty() ? entry.first.Scalar() : name + "." + entry.first.Scalar();
            if (!seen.insert(full).second) return Problem{line, where(full) + "is there twice"};
            if (auto problem = value(entry.second, full, name, line)) return problem;
        }
        return std::nullopt;
    }

private:
    static std::string where(std::string const& name) { return name.empty() ? name : printable(name) + ": "; }

    std::optional<Problem> value(YAML::Node const& node, std::string const& full, std::string const& parent, int line) {
        if (auto const* const key = find_key(full)) return take(*key, node, line);
        if (!names_in(full).empty()) return section(node, full);
        return Problem{line, where(full) + "unknown key; expected one of: " + names_in(parent)};
    }

    std::optional<Problem> take(ConfigKey const& key, YAML::Node const& node, int key_line) {
        auto const name = std::string(key.name);
        if (node.IsScalar()) return take_scalar(key, node);
        if (!key.is_list || !node.IsSequence())
            return Problem{node.IsNull() ? key_line : node.Mark().line,
                           where(name) + (key.is_list ? "a list of values was expected" : "a value was expected")};
        for (auto const& element : node) {
            if (!element.IsScalar()) return Problem{element.Mark().line, where(name) + "a list of values was expected"};
            if (auto problem = take_scalar(key, element)) return problem;
        }
        return std::nullopt;
    }

    std::optional<Problem> take_scalar(ConfigKey const& key, YAML::Node const& node) {
        auto const wrong = key.take(node.Scalar(), config_);
        if (!wrong) return std::nullopt;
        return Problem{node.Mark().line, where(std::string(key.name)) + printable(*wrong)};
    }

    Config& config_;
};

torrent::Error located(std::string const& name, int line, std::string const& what) {
    return error(Errc::malformed, name + ":" + std::to_string(line < 0 ? 1 : line + 1) + ": " + what);
}

}  // namespace

Result<Config> parse_config(std::string_view text, std::string const& name) {
    Config config;
    try {
        auto const documents = YAML::LoadAll(std::string(text));
        if (documents.empty()) return config;
        if (documents.size() > 1) return located(name, documents[1].Mark().line, "only one document was expected");
        auto const problem = Walk(config).section(documents.front(), {});
        if (problem) return located(name, problem->line, problem->what);
    } catch (YAML::Exception const& failure) {
        return located(name, failure.mark.line, "no valid YAML: " + printable(failure.msg));
    }
    return config;
}

Result<Config> load_config(std::string const& file, bool may_be_missing) {
    struct stat found {};
    if (stat(file.c_str(), &found) != 0) {
        if (may_be_missing && (errno == ENOENT || errno == ENOTDIR)) return Config{};
        return error(Errc::not_found, "the configuration file " + file + " cannot be read: " + std::strerror(errno));
    }
    if (S_ISDIR(found.st_mode)) return error(Errc::io, "the configuration file " + file + " is a directory");
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return error(Errc::io, "the configuration file " + file + " cannot be read: " + std::strerror(errno));
    std::string text(kFileBytes + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (stream.bad())
        return error(Errc::io, "the configuration file " + file + " cannot be read: " + std::strerror(errno));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (text.size() > kFileBytes) return error(Errc::too_large, "the configuration file " + file + " is over 1 MiB");
    return parse_config(text, file);
}

std::vector<std::string> known_config_keys() {
    std::vector<std::string> names;
    for (auto const& key : config_keys()) names.emplace_back(key.name);
    return names;
}

// What torrent::Session::apply() tells of its own settings is not here.
std::vector<std::string> keys_for_next_start(Config const& now, Config const& next) {
    std::vector<std::string> keys;
    auto const compare = [&](bool same, char const* key) {
        if (!same) keys.emplace_back(key);
    };
    compare(now.cache.memory_bytes == next.cache.memory_bytes, "cache.memory");
    compare(now.fs.allow_other == next.fs.allow_other, "mount.allow_other");
    compare(now.fs.uid == next.fs.uid, "mount.uid");
    compare(now.fs.gid == next.fs.gid, "mount.gid");
    compare(now.fs.umask == next.fs.umask, "mount.umask");
    compare(now.store == next.store, "store");
    compare(now.socket == next.socket, "socket");
    compare(now.log_file == next.log_file, "log.file");
    return keys;
}

}  // namespace rqfs::tools
