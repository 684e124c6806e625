#include "tests/support/mounted_library.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace rqfs::tests {
namespace {

constexpr std::uint64_t kFilmBytes = 3'000'000;

void fill(FakeLibrary& library) {
    library.add(make_metainfo("Film.mkv", {{{"Film.mkv"}, kFilmBytes, ""}}));
    library.add(make_metainfo("Season", {{{"one.mkv"}, 1000, ""},
                                         {{"extra", "two.txt"}, 10, ""},
                                         {{".pad", "22"}, 22, "p"},
                                         {{"run.sh"}, 5, "x"},
                                         {{"link"}, 0, "l", {"extra", "two.txt"}},
                                         {{"out"}, 0, "l", {"..", "etc"}}}));
}

std::set<std::string> names_in(std::string const& directory) {
    std::set<std::string> names;
    for (auto const& entry : std::filesystem::directory_iterator(directory)) names.insert(entry.path().filename());
    return names;
}

std::string content_of(std::string const& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string xattr_of(std::string const& path, char const* name) {
    char value[256];
    auto const size = ::getxattr(path.c_str(), name, value, sizeof value);
    return size < 0 ? std::string("errno ") + std::to_string(errno)
                    : std::string(value, static_cast<std::size_t>(size));
}

class MountedFiles : public testing::Test {
protected:
    void SetUp() override {
        if (auto const why = why_no_mount(); !why.empty()) GTEST_SKIP() << why;
        mounted = std::make_unique<MountedLibrary>(point.path(), fs::Settings(), fill);
    }
    std::string path(std::string const& below) const { return point.path() + "/" + below; }

    MountPoint point;
    std::unique_ptr<MountedLibrary> mounted;
};

TEST_F(MountedFiles, AreListed) {
    auto const root = names_in(point.path());
    auto const season = names_in(path("Season"));

    EXPECT_EQ(root, (std::set<std::string>{"Film.mkv", "Season"}));
    EXPECT_EQ(season, (std::set<std::string>{"one.mkv", "extra", "run.sh", "link", "out"}));
    EXPECT_EQ(names_in(path("Film.mkv")), std::set<std::string>{"Film.mkv"});
}

TEST_F(MountedFiles, HaveSizesTimesAndModes) {
    mounted->on_engine([&] { mounted->library().stored = 5000; });
    struct stat film, directory, script, link, out;
    ASSERT_EQ(::stat(path("Film.mkv/Film.mkv").c_str(), &film), 0);
    ASSERT_EQ(::stat(path("Season").c_str(), &directory), 0);
    ASSERT_EQ(::stat(path("Season/run.sh").c_str(), &script), 0);
    ASSERT_EQ(::lstat(path("Season/link").c_str(), &link), 0);
    ASSERT_EQ(::lstat(path("Season/out").c_str(), &out), 0);

    EXPECT_EQ(film.st_size, static_cast<off_t>(kFilmBytes));
    EXPECT_EQ(film.st_blocks, 10);
    EXPECT_EQ(film.st_mtime, 1'234'567'890);
    EXPECT_EQ(film.st_mode, static_cast<mode_t>(S_IFREG | 0444));
    EXPECT_EQ(film.st_uid, ::geteuid());
    EXPECT_EQ(directory.st_mode, static_cast<mode_t>(S_IFDIR | 0555));
    EXPECT_EQ(script.st_mode, static_cast<mode_t>(S_IFREG | 0555));
    EXPECT_TRUE(S_ISLNK(link.st_mode));
    EXPECT_EQ(out.st_mode, static_cast<mode_t>(S_IFREG | 0444));
    EXPECT_EQ(out.st_size, 0);
    EXPECT_EQ(std::filesystem::read_symlink(path("Season/link")), "extra/two.txt");
}

TEST_F(MountedFiles, AreReadWhole) {
    EXPECT_EQ(content_of(path("Film.mkv/Film.mkv")), fake_bytes(torrent::FileIndex(0), 0, kFilmBytes));
    EXPECT_EQ(content_of(path("Season/link")), fake_bytes(torrent::FileIndex(1), 0, 10));
    EXPECT_EQ(content_of(path("Season/out")), "");
}

TEST_F(MountedFiles, AreReadAfterWaiting) {
    mounted->on_engine([&] { mounted->library().answers_late = true; });

    EXPECT_EQ(content_of(path("Film.mkv/Film.mkv")), fake_bytes(torrent::FileIndex(0), 0, kFilmBytes));
}

// The system may give up cached pages whenever it likes, some kernels do it with no need of memory: so one of many
// passes has to find all of the file there. Were the cache dropped at each open, none would.
TEST_F(MountedFiles, AreReadOnceAndThenComeFromThePageCache) {
    auto const reads = [this] { return mounted->on_engine([this] { return mounted->library().reads; }); };
    ASSERT_EQ(content_of(path("Film.mkv/Film.mkv")).size(), kFilmBytes);
    EXPECT_GT(reads(), 0);

    bool found_all = false;
    for (int pass = 0; pass < 100 && !found_all; ++pass) {
        auto const before = reads();
        EXPECT_EQ(content_of(path("Film.mkv/Film.mkv")).size(), kFilmBytes);
        found_all = reads() == before;
    }

    EXPECT_TRUE(found_all);
}

TEST_F(MountedFiles, CanBeMapped) {
    int const file = ::open(path("Film.mkv/Film.mkv").c_str(), O_RDONLY);
    ASSERT_GE(file, 0);
    void* const memory = ::mmap(nullptr, kFilmBytes, PROT_READ, MAP_SHARED, file, 0);
    ASSERT_NE(memory, MAP_FAILED);
    ::close(file);

    EXPECT_EQ(std::string(static_cast<char const*>(memory), kFilmBytes),
              fake_bytes(torrent::FileIndex(0), 0, kFilmBytes));

    ::munmap(memory, kFilmBytes);
}

TEST_F(MountedFiles, CannotBeWritten) {
    EXPECT_EQ(::open(path("Film.mkv/Film.mkv").c_str(), O_WRONLY), -1);
    EXPECT_EQ(errno, EROFS);
    EXPECT_EQ(::mkdir(path("new").c_str(), 0755), -1);
    EXPECT_EQ(errno, EROFS);
}

TEST_F(MountedFiles, TellAboutTheirTorrent) {
    auto const film = path("Film.mkv/Film.mkv");

    EXPECT_EQ(xattr_of(film, "user.rqfs.infohash").size(), 40u);
    EXPECT_EQ(xattr_of(film, "user.rqfs.state"), "idle");
    EXPECT_EQ(xattr_of(path("Season"), "user.rqfs.progress"), "0.5000");
    EXPECT_EQ(xattr_of(path("Season/out"), "user.rqfs.rawname"), "out");
    EXPECT_EQ(xattr_of(point.path(), "user.rqfs.state"), "errno " + std::to_string(ENODATA));
    EXPECT_EQ(::listxattr(point.path().c_str(), nullptr, 0), 0);
    EXPECT_GT(::listxattr(film.c_str(), nullptr, 0), 0);
}

TEST_F(MountedFiles, ShowTheSpaceOfTheStoreAndSafeFlags) {
    struct statvfs space;
    ASSERT_EQ(::statvfs(point.path().c_str(), &space), 0);

    EXPECT_EQ(space.f_blocks * space.f_frsize, 1'000'000 * 4096ull);
    EXPECT_EQ(space.f_bavail * space.f_frsize, 250'000 * 4096ull);
    EXPECT_EQ(space.f_namemax, 255u);
    EXPECT_TRUE(space.f_flag & ST_RDONLY);
    EXPECT_TRUE(space.f_flag & ST_NOSUID);
    EXPECT_TRUE(space.f_flag & ST_NODEV);
    EXPECT_TRUE(space.f_flag & ST_NOEXEC);
}

TEST_F(MountedFiles, AppearAndDisappearWithTheirTorrentAtOnce) {
    EXPECT_FALSE(std::filesystem::exists(path("New")));
    auto const hash = mounted->on_engine([&] {
        return mounted->library().add(make_metainfo("New", {{{"a"}, 1, ""}, {{"b"}, 1, ""}}));
    });

    EXPECT_EQ(names_in(path("New")), (std::set<std::string>{"a", "b"}));
    EXPECT_EQ(names_in(path(hash.hex())), (std::set<std::string>{"a", "b"}));

    mounted->on_engine([&] { mounted->library().remove(hash); });
    EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(path("New")); }, std::chrono::milliseconds(500)));
    EXPECT_FALSE(names_in(point.path()).contains("New"));
    EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(path(hash.hex())); }, std::chrono::milliseconds(500)));
}

TEST_F(MountedFiles, OfAMagnetComeUnderTheTorrentsNameWhenTheMetadataArrives) {
    auto const metainfo = make_metainfo("Real Name", {{{"a"}, 1, ""}, {{"b"}, 1, ""}});
    mounted->on_engine([&] { mounted->library().add_magnet(metainfo->info_hash(), "dn"); });
    EXPECT_EQ(names_in(path("dn")), std::set<std::string>());
    EXPECT_EQ(names_in(path(metainfo->info_hash().hex())), std::set<std::string>());

    mounted->on_engine([&] { mounted->library().metadata(metainfo->info_hash(), metainfo); });

    EXPECT_EQ(names_in(path("Real Name")), (std::set<std::string>{"a", "b"}));
    EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(path("dn")); }, std::chrono::milliseconds(500)));
    EXPECT_EQ(content_of(path(metainfo->info_hash().hex() + "/b")), fake_bytes(torrent::FileIndex(1), 0, 1));
}

TEST_F(MountedFiles, AreOpenedInTheNameOfTheirReader) {
    EXPECT_EQ(content_of(path("Season/one.mkv")).size(), 1000u);

    auto const reader = mounted->on_engine([&] { return mounted->library().last_reader; });
    EXPECT_EQ(reader.process_id, static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(reader.name, "test_mount");
}

}  // namespace
}  // namespace rqfs::tests
