#include "torrent/net/ip_filter_files.h"

#include "tests/support/temp_dir.h"
#include "torrent/limits.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {
namespace {

class IpFilterFiles : public testing::Test {
protected:
    std::string write(std::string const& name, std::string_view text) {
        auto const file = (directory.path() / name).string();
        std::ofstream(file, std::ios::binary) << text;
        return file;
    }
    std::string write_gzip(std::string const& name, std::string const& text) {
        auto const file = (directory.path() / name).string();
        auto* const stream = gzopen(file.c_str(), "wb1");
        gzwrite(stream, text.data(), static_cast<unsigned>(text.size()));
        gzclose(stream);
        return file;
    }
    static bool blocks(Result<LoadedIpFilter> const& loaded, std::string_view address) {
        return loaded.value().filter->blocks(Address::parse(address).value());
    }

    tests::TempDir directory;
};

TEST_F(IpFilterFiles, MakeOneFilterOfAllFiles) {
    auto const loaded = load_ip_filter({write("a.p2p", "x:1.0.0.1-1.0.0.9\nbad\n"), write("b", "2.0.0.0/8\nworse\n")});

    EXPECT_TRUE(blocks(loaded, "1.0.0.5"));
    EXPECT_TRUE(blocks(loaded, "2.3.4.5"));
    EXPECT_EQ(loaded->bad_lines, 2u);
    EXPECT_EQ(loaded->first_bad, (directory.path() / "a.p2p").string() + ":2: \"bad\" names no range of addresses");
    EXPECT_EQ(loaded->stamps.size(), 2u);
}

TEST_F(IpFilterFiles, MayBePackedWithGzip) {
    std::string text;
    for (int i = 0; i < 50'000; ++i)
        text += "name:1.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + "-1.0.255.255\n";

    auto const loaded = load_ip_filter({write_gzip("a.gz", text)});

    EXPECT_TRUE(blocks(loaded, "1.0.255.255"));
    EXPECT_EQ(loaded->bad_lines, 0u);
}

TEST_F(IpFilterFiles, MayBeEmpty) { EXPECT_TRUE(load_ip_filter({write("a", "# none yet\n")}).value().filter->empty()); }

TEST_F(IpFilterFiles, SaysWhichFileIsMissing) {
    auto const loaded = load_ip_filter({write("a", "1.2.3.4\n"), "/nowhere/list"});

    EXPECT_EQ(loaded.error().code, Errc::not_found);
    EXPECT_EQ(loaded.error().what, "the IP filter /nowhere/list cannot be taken: No such file or directory");
}

TEST_F(IpFilterFiles, ATruncatedGzipIsNoList) {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += "n" + std::to_string(i * 7919) + ":1.0.0.1-1.0.0.9\n";
    auto const file = write_gzip("a.gz", text);
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);

    auto const loaded = load_ip_filter({file});

    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().what.find("cannot be read to its end"), std::string::npos) << loaded.error().what;
}

TEST_F(IpFilterFiles, ADamagedGzipIsNoList) {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += "n" + std::to_string(i * 7919) + ":1.0.0.1-1.0.0.9\n";
    auto const file = write_gzip("a.gz", text);
    std::fstream damaged(file, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(static_cast<std::streamoff>(std::filesystem::file_size(file) / 2));
    damaged << std::string(64, '\xff');
    damaged.close();

    EXPECT_FALSE(load_ip_filter({file}));
}

TEST_F(IpFilterFiles, AnErrorPageIsNoList) {
    auto const loaded = load_ip_filter({write("a", "<html>\n<h1>404</h1>\n")});

    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().what.find("it is no list"), std::string::npos) << loaded.error().what;
}

TEST_F(IpFilterFiles, APipeOrDirectoryIsNoListAndHoldsNothingUp) {
    auto const pipe = (directory.path() / "pipe").string();
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);

    EXPECT_NE(load_ip_filter({pipe}).error().what.find("no regular file"), std::string::npos);
    EXPECT_NE(load_ip_filter({directory.path().string()}).error().what.find("no regular file"), std::string::npos);
}

TEST_F(IpFilterFiles, AGzipBombIsStoppedAtTheLimit) {
    auto const file = (directory.path() / "bomb.gz").string();
    auto* const stream = gzopen(file.c_str(), "wb1");
    std::string const zeros(1u << 20, '#');
    for (std::size_t i = 0; i <= limit::kIpFilterBytes >> 20; ++i)
        gzwrite(stream, zeros.data(), static_cast<unsigned>(zeros.size()));
    gzclose(stream);

    auto const loaded = load_ip_filter({file});

    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, Errc::too_large);
}

TEST_F(IpFilterFiles, TheStampOfAFileTellsThatItHasChanged) {
    auto const file = write("a", "1.2.3.4\n");
    std::vector<std::string> const files{file, "/nowhere/list"};
    auto const before = stamps_of(files);
    write("a.new", "1.2.3.5\n");
    std::filesystem::rename(directory.path() / "a.new", file);

    auto const after = stamps_of(files);

    EXPECT_TRUE(before[0] && after[0] && before[0] != after[0]);
    EXPECT_FALSE(before[1] || after[1]);
    EXPECT_EQ(after, stamps_of(files));
    EXPECT_EQ(load_ip_filter({file}).value().stamps[0], after[0]);
}

}  // namespace
}  // namespace rqfs::torrent
