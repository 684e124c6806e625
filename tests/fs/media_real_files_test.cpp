// Films as ffmpeg writes them, images as genisoimage and archives as zip do: what is found must be what is there.
// Skipped where those are not installed.

#include "fs/media_index.h"
#include "tests/fs/media_file.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

namespace rqfs::tests {
namespace {

using torrent::ByteRange;

struct RealFilm {
    std::string name;
    std::vector<std::string> options;
    std::string sign;           // how the index begins, the last place of it in the file
    std::ptrdiff_t before = 0;  // the index begins so much before the sign
    bool has_duration = true;

    friend std::ostream& operator<<(std::ostream& out, RealFilm const& film) { return out << film.name; }
};

class RealFiles : public testing::TestWithParam<RealFilm> {};

// Empty when it is not installed.
std::string path_of(std::string const& program) {
    for (std::string const directory : {"/usr/bin/", "/usr/local/bin/", "/bin/"})
        if (std::filesystem::exists(directory + program)) return directory + program;
    return {};
}

TEST_P(RealFiles, TheirIndexAndDurationAreFound) {
    auto const ffmpeg = path_of("ffmpeg");
    auto const ffprobe = path_of("ffprobe");
    if (ffmpeg.empty() || ffprobe.empty()) GTEST_SKIP() << "ffmpeg or ffprobe is not installed";
    TempDir const directory;
    auto const path = directory / GetParam().name;
    std::vector<std::string> arguments{"-v", "error", "-f", "lavfi", "-i", "testsrc=size=96x64:rate=25:duration=8"};
    arguments.insert(arguments.end(), GetParam().options.begin(), GetParam().options.end());
    arguments.insert(arguments.end(), {"-metadata", "title=made up", path});
    auto const made = run_program(ffmpeg, arguments);
    if (made.exit_status != 0 && made.err.find("Unknown encoder") != std::string::npos) GTEST_SKIP() << made.err;
    ASSERT_EQ(made.exit_status, 0) << made.err;
    std::ifstream stream(path, std::ios::binary);
    std::string const bytes{std::istreambuf_iterator<char>(stream), {}};

    auto const found = MediaFile().add(bytes).find();

    auto const sign = bytes.rfind(GetParam().sign);
    ASSERT_NE(sign, std::string::npos);
    auto const begin = sign - static_cast<std::size_t>(GetParam().before);
    ByteRange const index{begin, begin + 16};
    EXPECT_TRUE(covers(found.hints.first, index) || covers(found.hints.later, index)) << begin;
    EXPECT_TRUE(found.hints.index_known);
    auto const probe =
        run_program(ffprobe, {"-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path});
    auto const seconds = std::strtod(probe.out.c_str(), nullptr);
    ASSERT_GT(seconds, 7);
    EXPECT_NEAR(static_cast<double>(found.hints.duration.count()) / 1000, GetParam().has_duration ? seconds : 0, 0.1);
}

INSTANTIATE_TEST_SUITE_P(
    Ffmpeg, RealFiles,
    testing::Values(RealFilm{"end.mp4", {"-c:v", "mpeg4"}, "moov", 4},
                    RealFilm{"front.mp4", {"-c:v", "mpeg4", "-movflags", "+faststart"}, "moov", 4},
                    RealFilm{"fragmented.mp4",
                             {"-c:v", "mpeg4", "-g", "25", "-movflags", "+frag_keyframe+empty_moov"},
                             "mfra",
                             4,
                             false},
                    RealFilm{"indexed.mp4",
                             {"-c:v", "mpeg4", "-g", "25", "-movflags", "+frag_keyframe+empty_moov+global_sidx"},
                             "sidx",
                             4},
                    RealFilm{"end.mov", {"-c:v", "mpeg4"}, "moov", 4},
                    RealFilm{"film.mkv", {"-c:v", "mpeg4"}, "\x1C\x53\xBB\x6B"},
                    RealFilm{
                        "film.webm", {"-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"}, "\x1C\x53\xBB\x6B"},
                    RealFilm{"film.avi", {"-c:v", "mpeg4"}, "idx1"}),
    [](auto const& parameter) {
        auto name = parameter.param.name;
        name[name.find('.')] = '_';
        return name;
    });

// Where a name stands in the image, in the letters of ISO 9660, of Joliet and of UDF.
std::vector<std::size_t> places_of(std::string const& bytes, std::string const& name) {
    std::string wide;
    for (auto const letter : name) wide += std::string(1, '\0') + letter;
    std::vector<std::size_t> places;
    for (auto const& sign : {name, wide})
        for (auto at = bytes.find(sign); at != std::string::npos; at = bytes.find(sign, at + 1)) places.push_back(at);
    return places;
}

class RealImages : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(RealImages, WhereNamesStandIsNeededFirstAndTheirFilesAreNot) {
    auto const genisoimage = path_of("genisoimage");
    if (genisoimage.empty()) GTEST_SKIP() << "genisoimage is not installed";
    TempDir const directory;
    std::filesystem::path const root = directory / "disc";
    std::filesystem::create_directories(root / "VIDEO" / "DEEPER");
    std::filesystem::create_directories(root / "AUDIO");
    std::ofstream(root / "FIRST.BIN") << std::string(700'000, '1');
    std::ofstream(root / "VIDEO" / "SECOND.BIN") << std::string(3'000'000, '2');
    std::ofstream(root / "VIDEO" / "DEEPER" / "THIRD.BIN") << std::string(5000, '3');
    auto const path = directory / "disc.iso";
    auto arguments = GetParam();
    arguments.insert(arguments.end(), {"-quiet", "-o", path, root.string()});
    auto const made = run_program(genisoimage, arguments);
    ASSERT_EQ(made.exit_status, 0) << made.err;
    std::ifstream stream(path, std::ios::binary);
    std::string const bytes{std::istreambuf_iterator<char>(stream), {}};

    auto const found = MediaFile(0, "disc.iso").add(bytes).find();

    for (auto const* const name : {"FIRST", "SECOND", "THIRD", "DEEPER", "AUDIO"}) {
        auto const places = places_of(bytes, name);
        EXPECT_FALSE(places.empty()) << name;
        for (auto const place : places)
            EXPECT_TRUE(covers(found.hints.first, {place, place + 5})) << name << ' ' << place;
    }
    auto const film = bytes.find(std::string(1000, '2'));
    EXPECT_FALSE(covers(found.hints.first, {film + 4096, film + 4097}));
    EXPECT_TRUE(found.hints.index_known);
}

INSTANTIATE_TEST_SUITE_P(Genisoimage, RealImages,
                         testing::Values(std::vector<std::string>{}, std::vector<std::string>{"-J", "-R"},
                                         std::vector<std::string>{"-udf"}, std::vector<std::string>{"-J", "-udf"}));

TEST(RealArchives, TheirDirectoryIsFound) {
    auto const zip = path_of("zip");
    if (zip.empty()) GTEST_SKIP() << "zip is not installed";
    TempDir const directory;
    std::vector<std::string> files;
    for (int i = 0; i < 3; ++i) {
        auto const file = directory / ("file" + std::to_string(i));
        std::ofstream(file) << std::string(300'000, static_cast<char>('a' + i));
        files.push_back(file);
    }
    auto const path = directory / "a.zip";
    std::vector<std::string> arguments{"-0", "-q", "-j", "-fz", path};  // with records of zip64
    arguments.insert(arguments.end(), files.begin(), files.end());
    auto const made = run_program(zip, arguments);
    ASSERT_EQ(made.exit_status, 0) << made.err;
    std::ifstream stream(path, std::ios::binary);
    std::string const bytes{std::istreambuf_iterator<char>(stream), {}};

    auto const found = MediaFile().add(bytes).find();

    EXPECT_EQ(found.hints.first, (std::vector<ByteRange>{{bytes.find("PK\1\2"), bytes.size()}}));
    EXPECT_TRUE(found.hints.index_known);
}

}  // namespace
}  // namespace rqfs::tests
