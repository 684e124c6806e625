#pragma once

#include "tests/sim/sessions/film_player.h"
#include "tests/sim/sessions/sessions.h"
#include "tests/support/make_torrent.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::tests {

// Players and copies of one daemon that share its way in: torrents of films, each with seeds of its own, and who reads
// them.
class Household : public Sessions {
protected:
    struct Shared {
        MadeTorrent made;
        torrent::InfoHash hash;
    };
    struct Films {
        double bytes_per_second = 250e3;  // that each file plays
        std::uint64_t bytes = 14'000'000;
        std::size_t files = 1;
        std::uint64_t seed_up_bytes_per_second = 600'000;
        int seeds = 4;
        std::uint32_t piece_bytes = 256 << 10;
    };
    // Reads from end to end as fast as it can.
    struct Copy {
        std::unique_ptr<torrent::Stream> stream;
        std::uint64_t bytes = 0;
    };

    void meet(torrent::Duration latency, std::uint64_t down_bytes_per_second) {
        leech = &add("20.0.0.1:6881", {.latency = latency, .down_bytes_per_second = down_bytes_per_second});
    }
    Shared const& share(Films const& films) {
        auto& shared = *torrents.emplace_back(std::make_unique<Shared>());
        kinds.push_back(films);
        TorrentOptions options;
        options.name = "torrent" + std::to_string(torrents.size());
        for (std::size_t i = 0; i < films.files; ++i)
            options.files.emplace_back(std::string(1, static_cast<char>('a' + i)) + ".mkv", films.bytes);
        options.piece_bytes = films.piece_bytes;
        shared.made = make_torrent(options);
        shared.hash = shared.made.metainfo->info_hash();
        run(leech->session->add(shared.made.file, torrent::AddOptions{}));
        for (int i = 0; i < films.seeds; ++i) {
            auto const at = "20." + std::to_string(torrents.size()) + "." + std::to_string(i) + ".1:6881";
            auto const& seed =
                add_seed(shared.made, at, {.up_bytes_per_second = films.seed_up_bytes_per_second}).host.endpoint();
            run(leech->session->connect(shared.hash, seed.address.text(), seed.port));
        }
        return shared;
    }
    FilmPlayer& play(std::size_t torrent, std::uint32_t file, std::uint64_t bytes) {
        auto const& films = kinds[torrent];
        FilmPlayer::Film const film{
            .bytes_per_second = films.bytes_per_second, .part = {0, bytes}, .first = std::chrono::seconds(2)};
        auto& player = *players.emplace_back(std::make_unique<FilmPlayer>(
            clock, open(torrent, file, "mpv"),
            std::span(torrents[torrent]->made.data).subspan(file * films.bytes, films.bytes), film));
        boost::asio::co_spawn(engine, player.play(), ended);
        return player;
    }
    // Of a file that is a film of this rate; 0: of its torrent's.
    Copy& copy(std::size_t torrent, std::uint32_t file, std::string const& program, double bytes_per_second = 0) {
        auto& copy = *copies.emplace_back(std::make_unique<Copy>());
        copy.stream = open(torrent, file, program, bytes_per_second);
        boost::asio::co_spawn(engine, read_all(copy, kinds[torrent].bytes), ended);
        return copy;
    }
    void pass(torrent::Duration time) {
        until(time, [] { return false; });
    }
    void TearDown() override {
        for (auto const& member : members) run(member->session->stop());
        members.clear();
        players.clear();
        copies.clear();
    }

    Member* leech = nullptr;
    std::vector<std::unique_ptr<Shared>> torrents;
    std::vector<Films> kinds;  // of torrents
    std::vector<std::unique_ptr<FilmPlayer>> players;
    std::vector<std::unique_ptr<Copy>> copies;

private:
    // Reads that are still under way when the sessions stop are told so.
    static void ended(std::exception_ptr const&) {}

    std::unique_ptr<torrent::Stream> open(std::size_t torrent, std::uint32_t file, std::string const& program,
                                          double bytes_per_second = 0) {
        auto stream = leech->session->open(torrents[torrent]->hash, torrent::FileIndex(file),
                                           torrent::ReaderProgram{program, static_cast<std::uint32_t>(players.size())});
        auto const& films = kinds[torrent];
        auto const rate = bytes_per_second > 0 ? bytes_per_second : films.bytes_per_second;
        torrent::MediaHints hints;
        hints.duration =
            std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(films.bytes) / rate * 1000));
        stream->hint(hints);
        return stream;
    }
    boost::asio::awaitable<void> read_all(Copy& copy, std::uint64_t file_bytes) {
        constexpr std::uint64_t kKernelRead = 128u << 10;
        while (copy.bytes < file_bytes) {
            torrent::ByteRange const range{copy.bytes, std::min(copy.bytes + kKernelRead, file_bytes)};
            auto slices = copy.stream->try_read(range);
            if (!slices) slices = co_await copy.stream->read(range);
            copy.bytes = range.end;
        }
    }
};

}  // namespace rqfs::tests
