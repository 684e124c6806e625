#include "tools/control/dht_fields.h"
#include "tools/control/protocol.h"
#include "tools/control/protocol_fields.h"
#include "tools/control/session_fields.h"
#include "tools/control/tracker_fields.h"
#include "tools/control/why_fields.h"
#include "tools/rqfs/command_line.h"
#include "tools/rqfs/config.h"
#include "tools/rqfsctl/command_line.h"

#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace rqfs::tools;

std::string read_source(std::string const& path) {
    std::ifstream file(RQFS_SOURCE_DIRECTORY "/" + path);
    EXPECT_TRUE(file) << path;
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

bool is_word_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

// `word` with nothing that would make it another word before or after.
bool has_word(std::string const& text, std::string const& word) {
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        auto const end = at + word.size();
        bool const begins = at == 0 || !is_word_character(text[at - 1]);
        bool const ends = end == text.size() || !is_word_character(text[end]) ||
                          (text[end] == '.' && end + 1 < text.size() && text[end + 1] == '\n');
        if (begins && ends) return true;
    }
    return false;
}

// mdoc writes the option --wait as "Fl -wait", -o as "Fl o".
std::string as_mdoc(std::string const& option) { return "Fl " + option.substr(1); }

TEST(Manual, DocumentsEveryConfigurationKey) {
    auto const manual = read_source("man/rqfs.yaml.5");

    for (auto const& key : known_config_keys()) EXPECT_TRUE(has_word(manual, key)) << key;
}

TEST(Manual, DocumentsEveryOptionOfTheDaemon) {
    auto const manual = read_source("man/rqfs.1");

    for (auto const& option : known_options()) EXPECT_TRUE(has_word(manual, as_mdoc(option))) << option;
    for (std::string const option : {"allow_other", "uid=", "gid=", "umask=", "ro"})
        EXPECT_NE(manual.find("Cm " + option), std::string::npos) << option;
}

TEST(Manual, DocumentsEveryCommandAndOptionOfRqfsctl) {
    auto const manual = read_source("man/rqfsctl.1");

    for (auto const& known : known_commands_and_options()) {
        auto const dashes = known.find("--");
        if (dashes == std::string::npos)
            EXPECT_NE(manual.find(".It Cm " + known), std::string::npos) << known;
        else
            EXPECT_TRUE(has_word(manual, as_mdoc(known.substr(dashes)))) << known;
    }
}

TEST(Completions, KnowEveryCommandAndOption) {
    for (std::string const file : {"rqfsctl.bash", "_rqfsctl", "rqfsctl.fish"}) {
        auto const text = read_source("tools/rqfsctl/completions/" + file);
        for (auto const& known : known_commands_and_options()) {
            auto const dashes = known.find("--");
            bool const fish_option = file.ends_with("fish") && dashes != std::string::npos;
            auto const word = dashes == std::string::npos ? known : known.substr(dashes);
            EXPECT_TRUE(fish_option ? has_word(text, "-l " + word.substr(2)) : has_word(text, word))
                << file << ": " << known;
        }
    }
}

// Collects the names of members.
struct Names {
    std::vector<std::string> names;

    template <class T>
    void operator()(std::string_view name, T const&) {
        names.emplace_back(name);
    }
    void rate(std::string_view name, double) { names.emplace_back(name); }
};

TEST(Manual, DocumentsEveryMemberOfTheApi) {
    auto const manual = read_source("man/rqfs-api.7");
    Names members;
    fields(members, *std::make_unique<TorrentReply>());
    fields(members, *std::make_unique<SessionReply>());
    fields(members, *std::make_unique<ConfigTrouble>());
    fields(members, *std::make_unique<rqfs::torrent::IpFilterStatus>());
    fields(members, *std::make_unique<rqfs::torrent::InterfaceStatus>());
    fields(members, *std::make_unique<rqfs::torrent::PortMappingStatus>());
    fields(members, *std::make_unique<AddReply>());
    fields(members, *std::make_unique<HistogramReply>());
    fields(members, *std::make_unique<StatisticsReply>());
    fields(members, *std::make_unique<rqfs::torrent::FileStatus>());
    fields(members, *std::make_unique<rqfs::torrent::PeerStatus>());
    fields(members, *std::make_unique<rqfs::torrent::TrackerStatus>());
    fields(members, *std::make_unique<rqfs::torrent::TrackerFamilyStatus>());
    fields(members, *std::make_unique<rqfs::torrent::AskedTrackers>());
    fields(members, *std::make_unique<rqfs::torrent::DhtStatus>());
    fields(members, *std::make_unique<WhyReply>());
    fields(members, *std::make_unique<rqfs::torrent::WhyStatus::Reader>());
    fields(members, *std::make_unique<rqfs::torrent::WhyStatus::Read>());
    fields(members, *std::make_unique<rqfs::torrent::WhyStatus::Piece>());
    fields(members, *std::make_unique<rqfs::torrent::WhyStatus::Block>());
    fields(members, *std::make_unique<rqfs::torrent::WhyStatus::Asked>());
    fields(members, *std::make_unique<rqfs::torrent::WhyStatus::Peer>());

    for (auto const& name : members.names) EXPECT_NE(manual.find("Ql " + name), std::string::npos) << name;
}

TEST(Manual, DocumentsEveryKindOfError) {
    auto const manual = read_source("man/rqfs-api.7");

    for (int code = 1; code <= static_cast<int>(rqfs::torrent::Errc::stopping); ++code) {
        auto const reply = error_reply(static_cast<rqfs::torrent::Errc>(code), "");
        EXPECT_TRUE(has_word(manual, reply.kind)) << reply.kind;
    }
}

}  // namespace
