#pragma once

#include "tests/cache/child/crash_content.h"
#include "tests/cache/store_fixture.h"
#include "torrent/units.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rqfs::cache {

// Runs crash_child, ends it in the middle, and holds the store to what it had promised.
class CrashHarness {
public:
    explicit CrashHarness(std::string store) : store_(std::move(store)) {}

    static bool has_strace() { return std::system("strace -o /dev/null true >/dev/null 2>&1") == 0; }
    static std::vector<std::string> strace(std::string const& call, std::string const& fault) {
        return {"strace", "-f", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=" + call + ":" + fault};
    }

    // What the child printed. Killed after `life` unless that is zero.
    std::vector<std::string> run(std::vector<std::string> command, std::chrono::microseconds life = {}) {
        int pipe_ends[2];
        if (::pipe(pipe_ends) != 0) throw std::runtime_error("pipe");
        pid_t const child = ::fork();
        if (child == 0) {
            ::dup2(pipe_ends[1], 1);
            ::close(pipe_ends[0]);
            ::close(pipe_ends[1]);
            std::vector<char*> arguments;
            for (auto& argument : command) arguments.push_back(argument.data());
            arguments.push_back(nullptr);
            ::execvp(arguments[0], arguments.data());
            std::_Exit(127);
        }
        ::close(pipe_ends[1]);
        std::thread killer;
        if (life.count() > 0)
            killer = std::thread([child, life] {
                std::this_thread::sleep_for(life);
                ::kill(child, SIGKILL);
            });
        std::string text;
        char buffer[4096];
        for (ssize_t got = 0; (got = ::read(pipe_ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(got));
        ::close(pipe_ends[0]);
        if (killer.joinable()) killer.join();
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFSIGNALED(status)) ++kills_;
        std::vector<std::string> lines;
        std::istringstream in(text.substr(0, text.find_last_of('\n') + 1));
        for (std::string line; std::getline(in, line);) lines.push_back(line);
        return lines;
    }

    // Puts pieces until it is killed; true when it came to its end.
    bool put(std::uint32_t seed, std::vector<std::string> command = {}, std::chrono::microseconds life = {}) {
        for (auto const& word : {std::string(CRASH_CHILD), std::string("put"), store_, std::to_string(seed)}) command.push_back(word);
        auto const lines = run(std::move(command), life);
        for (auto const& line : lines) {
            std::istringstream in(line);
            std::string what;
            std::size_t torrent = 0;
            std::uint64_t number = 0;
            in >> what >> torrent >> number;
            if (what == "recorded") recorded_.emplace(torrent, static_cast<std::uint32_t>(number));
            if (what == "saved") saved_[torrent] = number;
        }
        return !lines.empty() && lines.back() == "done";
    }

    // Every torrent is there in its last state or a later one, every recorded piece is there and right, and nothing is wrong.
    void verify() {
        auto const contents = crash_contents();
        StoreFixture fixture(store_);
        std::map<torrent::InfoHash, std::uint64_t> loaded;
        for (auto const& record : fixture.loaded) loaded.emplace(record.info_hash, record.uploaded_bytes);
        for (auto const& [torrent, number] : saved_) {
            auto const found = loaded.find(contents[torrent]->info_hash);
            ASSERT_NE(found, loaded.end()) << "torrent " << torrent << " is gone";
            EXPECT_GE(found->second, number) << "torrent " << torrent << " is in an older state";
        }
        for (std::size_t t = 0; t < contents.size(); ++t) {
            auto& pieces = fixture.open(*contents[t]);
            for (std::uint32_t i = 0; i < contents[t]->pieces(); ++i) {
                torrent::PieceIndex const piece(i);
                if (recorded_.contains({t, i})) {
                    EXPECT_TRUE(pieces.have().test(piece)) << "piece " << t << " " << i << " is gone";
                }
                if (pieces.have().test(piece)) {
                    EXPECT_TRUE(fixture.reads_right(*contents[t], i)) << "piece " << t << " " << i << " is damaged";
                }
            }
            fixture.close();
        }
    }

    void begin_anew() {
        std::filesystem::remove_all(store_);
        recorded_.clear();
        saved_.clear();
    }
    // The store is examined, and goes on, at another place.
    void move_to(std::string store) { store_ = std::move(store); }
    std::size_t recorded() const { return recorded_.size(); }
    // How many runs were killed before their end: a sweep that hits nothing shows nothing.
    std::size_t kills() const { return kills_; }
    std::string const& store() const { return store_; }

private:
    std::string store_;
    std::size_t kills_ = 0;
    std::set<std::pair<std::size_t, std::uint32_t>> recorded_;
    std::map<std::size_t, std::uint64_t> saved_;
};

}  // namespace rqfs::cache
