// Puts pieces of made-up torrents into a store and prints what the store has promised, until it is killed or everything is there:
//   crash_child put DIR SEED      "recorded T P" for pieces a flush() has recorded, "saved T N" for saves that returned, "done"
//   crash_child read DIR          "right T P" or "lost T P" for every piece it lists, "wrong T P" if bytes are other ones
#include "cache/disk_store.h"
#include "tests/cache/child/crash_content.h"
#include "tests/support/run_engine.h"
#include "torrent/clock.h"
#include "torrent/workers.h"

#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::cache {
namespace {

using torrent::PieceIndex;

void say(std::string const& line) {
    auto const text = line + "\n";
    if (::write(1, text.data(), text.size()) < 0) std::_Exit(3);
}

struct Deaf final : torrent::PieceStore::Observer {
    void pieces_lost(std::span<PieceIndex const>) override {}
    void piece_found(PieceIndex) override {}
    void store_changed() override {}
};

class Child {
public:
    explicit Child(std::string directory) {
        CacheSettings settings;
        settings.memory_bytes = 2u << 20;
        settings.reserved_bytes = 0;
        settings.reserved_percent = 0;
        store_ = DiskStore::open(engine_.get_executor(), clock_, workers_, std::move(directory), settings);
        run(store_->load());
        for (auto const& content : contents_) pieces_.push_back(store_->open(content->info_hash, content->facts, deaf_));
    }

    void put_everything(std::uint32_t seed) {
        std::mt19937 random(seed);
        while (std::any_of(pieces_.begin(), pieces_.end(), [](auto const& p) { return !p->have().all(); })) {
            auto const t = random() % contents_.size();
            put_some(t, random);
            if (random() % 3 == 0) save(t);
        }
        stop();
        say("done");
    }

    void read_everything() {
        for (std::size_t t = 0; t < contents_.size(); ++t)
            for (std::uint32_t i = 0; i < contents_[t]->pieces(); ++i)
                if (pieces_[t]->have().test(PieceIndex(i))) say(read(t, i) + " " + std::to_string(t) + " " + std::to_string(i));
        stop();
        say("done");
    }

private:
    template <class T>
    T run(boost::asio::awaitable<T> task) {
        return tests::run_engine(engine_, std::move(task), std::chrono::seconds(60));
    }

    void put_some(std::size_t t, std::mt19937& random) {
        auto& pieces = *pieces_[t];
        std::vector<std::uint32_t> put;
        for (auto count = 1 + random() % 12; count > 0; --count) {
            auto const i = static_cast<std::uint32_t>(random() % contents_[t]->pieces());
            if (pieces.have().test(PieceIndex(i))) continue;
            pieces.put(PieceIndex(i), contents_[t]->shared(i));
            put.push_back(i);
        }
        if (random() % 4 == 0) return;
        do run(pieces.flush());
        while (pieces.condition().disk_full || !pieces.condition().failure.empty());
        for (auto const i : put)
            if (pieces.have().test(PieceIndex(i))) say("recorded " + std::to_string(t) + " " + std::to_string(i));
    }

    void save(std::size_t t) {
        auto record = contents_[t]->record();
        record.uploaded_bytes = static_cast<std::uint64_t>(clock_.wall_now().time_since_epoch().count());
        try {
            run(store_->save(record));
        } catch (boost::system::system_error const&) {
            return;
        }
        say("saved " + std::to_string(t) + " " + std::to_string(record.uploaded_bytes));
    }

    std::string read(std::size_t t, std::uint32_t piece) {
        auto const want = contents_[t]->piece(piece);
        try {
            auto const got = run(pieces_[t]->read(PieceIndex(piece), {0, want.size()}));
            return std::equal(got.bytes().begin(), got.bytes().end(), want.begin(), want.end()) ? "right" : "wrong";
        } catch (boost::system::system_error const&) {
            return "lost";
        }
    }

    void stop() {
        for (auto& pieces : pieces_) {
            run(pieces->flush());
            run(pieces->stop());
        }
        pieces_.clear();
        run(store_->stop());
    }

    std::vector<std::unique_ptr<Content>> contents_ = crash_contents();
    boost::asio::io_context engine_{1};
    torrent::Workers workers_;
    torrent::SteadyClock clock_;
    Deaf deaf_;
    std::unique_ptr<DiskStore> store_;
    std::vector<std::unique_ptr<torrent::PieceStore>> pieces_;
};

}  // namespace
}  // namespace rqfs::cache

int main(int argc, char** argv) {
    std::vector<std::string> const arguments(argv + 1, argv + argc);
    if (arguments.size() < 2) return 2;
    rqfs::cache::Child child(arguments[1]);
    if (arguments[0] == "read") child.read_everything();
    else child.put_everything(static_cast<std::uint32_t>(std::stoul(arguments.at(2))));
    return 0;
}
