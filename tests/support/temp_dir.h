#pragma once

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace rqfs::tests {

// A directory of its own under $TMPDIR or /tmp, gone with everything in it when this goes.
class TempDir {
public:
    enum class Where { disk, memory };

    // In memory, where there is such a place, syncs cost nothing: for tests that do not ask what a disk does.
    explicit TempDir(Where where = Where::disk) {
        auto const in_memory = where == Where::memory && std::filesystem::is_directory("/dev/shm");
        auto const parent = in_memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
        auto name = (parent / "rqfs-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp");
        path_ = name;
    }
    TempDir(TempDir const&) = delete;
    TempDir& operator=(TempDir const&) = delete;
    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    std::filesystem::path const& path() const { return path_; }
    std::string operator/(std::string const& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

}  // namespace rqfs::tests
