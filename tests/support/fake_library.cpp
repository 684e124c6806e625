#include "tests/support/fake_library.h"

#include "torrent/error.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <span>
#include <stdexcept>

namespace rqfs::tests {

namespace asio = boost::asio;

using namespace torrent;

namespace {

constexpr std::uint64_t kPieceBytes = 1u << 20;

std::string bencoded(std::string const& text) { return std::to_string(text.size()) + ":" + text; }

std::string bencoded(std::vector<std::string> const& texts) {
    std::string list = "l";
    for (auto const& text : texts) list += bencoded(text);
    return list + "e";
}

std::string integer(std::uint64_t value) { return "i" + std::to_string(value) + "e"; }

std::string bencoded(FakeFile const& file) {
    std::string dictionary = "d";
    if (!file.attributes.empty()) dictionary += "4:attr" + bencoded(file.attributes);
    dictionary += "6:length" + integer(file.bytes) + "4:path" + bencoded(file.path);
    if (!file.symlink.empty()) dictionary += "12:symlink path" + bencoded(file.symlink);
    return dictionary + "e";
}

}  // namespace

std::shared_ptr<Metainfo const> make_metainfo(std::string const& name, std::vector<FakeFile> const& files) {
    std::uint64_t total = 0;
    for (auto const& file : files) total += file.bytes;
    bool const single = files.size() == 1 && files[0].path == std::vector<std::string>{name};
    std::string info = "d";
    if (single) {
        info += "6:length" + integer(total);
    } else {
        info += "5:filesl";
        for (auto const& file : files) info += bencoded(file);
        info += "e";
    }
    info += "4:name" + bencoded(name) + "12:piece length" + integer(kPieceBytes);
    info += "6:pieces" + bencoded(std::string((total + kPieceBytes - 1) / kPieceBytes * 20, 'h')) + "e";
    auto metainfo = Metainfo::parse_info(std::as_bytes(std::span(info)));
    if (!metainfo) throw std::runtime_error("made-up metadata is wrong: " + metainfo.error().what);
    return *metainfo;
}

std::uint8_t fake_byte(FileIndex file, std::uint64_t offset) {
    return static_cast<std::uint8_t>((offset * 7) ^ (offset >> 8) ^ (offset >> 16) ^ (file.value() * 31));
}

std::string fake_bytes(FileIndex file, std::uint64_t offset, std::size_t bytes) {
    std::string text(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(fake_byte(file, offset + i));
    return text;
}

class FakeStream final : public Stream {
public:
    FakeStream(FakeLibrary& library, InfoHash const& info_hash, FileIndex file)
        : library_(library), info_hash_(info_hash), file_(file) {
        ++library_.streams;
    }
    ~FakeStream() override { --library_.streams; }

    asio::awaitable<std::vector<SharedBytes>> read(ByteRange range) override {
        ++library_.reads;
        struct Waiting {
            int& count;
            explicit Waiting(int& counter) : count(counter) { ++count; }
            ~Waiting() { --count; }
        } const waiting(library_.waiting);
        if (library_.answers_late) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        for (;;) {
            check();
            if (!library_.holds_back) co_return slices(range);
            co_await library_.changed_.wait();
        }
    }

    std::optional<std::vector<SharedBytes>> try_read(ByteRange range) override {
        if (library_.holds_back || library_.answers_late) return std::nullopt;
        check();
        ++library_.reads;
        return slices(range);
    }

    std::optional<std::vector<SharedBytes>> peek(ByteRange range) const override {
        if (library_.holds_back || library_.answers_late) return std::nullopt;
        ++library_.peeks;
        return slices(range);
    }

    void hint(MediaHints hints) override { library_.last_hints = std::move(hints); }

private:
    void check() const {
        if (!library_.find(info_hash_)) throw_error(Errc::removed, "the torrent was removed");
        if (library_.refuses) throw_error(Errc::not_allowed, FakeLibrary::kRefusal);
        if (library_.torrent_state == TorrentState::paused) throw_error(Errc::paused, "the torrent is paused");
        if (library_.torrent_state == TorrentState::error) throw_error(Errc::failed, "the torrent failed");
    }

    // In blocks, as the engine gives them.
    std::vector<SharedBytes> slices(ByteRange range) const {
        std::vector<SharedBytes> parts;
        for (auto at = range.begin; at < range.end;) {
            auto const end = std::min(range.end, (at / kBlockBytes + 1) * kBlockBytes);
            auto text = fake_bytes(file_, at, end - at);
            for (auto i = at; i < end && i < library_.head.size(); ++i) text[i - at] = library_.head[i];
            auto const bytes = std::as_bytes(std::span(text));
            parts.emplace_back(std::vector<std::byte>(bytes.begin(), bytes.end()));
            at = end;
        }
        return parts;
    }

    FakeLibrary& library_;
    InfoHash info_hash_;
    FileIndex file_;
};

FakeLibrary::FakeLibrary(asio::any_io_executor executor) : changed_(executor) {}

InfoHash FakeLibrary::add(std::shared_ptr<Metainfo const> metainfo, std::string directory) {
    auto const info_hash = metainfo->info_hash();
    entries_.push_back({info_hash, "", std::move(metainfo), std::move(directory),
                        std::chrono::sys_seconds(std::chrono::seconds(1'234'567'890))});
    if (observer_) observer_->torrent_added(info_hash);
    return info_hash;
}

InfoHash FakeLibrary::add_magnet(InfoHash const& info_hash, std::string display_name) {
    entries_.push_back({info_hash, std::move(display_name), nullptr, "",
                        std::chrono::sys_seconds(std::chrono::seconds(1'234'567'890))});
    if (observer_) observer_->torrent_added(info_hash);
    return info_hash;
}

void FakeLibrary::metadata(InfoHash const& info_hash, std::shared_ptr<Metainfo const> metainfo) {
    find(info_hash)->metainfo = std::move(metainfo);
    if (observer_) observer_->metadata_arrived(info_hash);
}

void FakeLibrary::remove(InfoHash const& info_hash) {
    std::erase_if(entries_, [&](Entry const& entry) { return entry.info_hash == info_hash; });
    if (observer_) observer_->torrent_removed(info_hash);
    changed_.notify();
}

void FakeLibrary::deliver() {
    holds_back = false;
    changed_.notify();
}

Library::Entry* FakeLibrary::find(InfoHash const& info_hash) {
    auto const found =
        std::find_if(entries_.begin(), entries_.end(), [&](Entry const& e) { return e.info_hash == info_hash; });
    return found == entries_.end() ? nullptr : &*found;
}

std::optional<Library::Entry> FakeLibrary::entry(InfoHash const& info_hash) const {
    for (auto const& entry : entries_)
        if (entry.info_hash == info_hash) return entry;
    return std::nullopt;
}

void FakeLibrary::remember_directory(InfoHash const& info_hash, std::string directory) {
    remembered[info_hash] = directory;
    if (auto* const entry = find(info_hash)) entry->directory = std::move(directory);
}

std::unique_ptr<Stream> FakeLibrary::open(InfoHash const& info_hash, FileIndex file, ReaderProgram program) {
    auto const* const entry = find(info_hash);
    if (entry == nullptr || !entry->metainfo || file.value() >= entry->metainfo->files().size())
        throw_error(Errc::not_found, "no such file");
    last_reader = std::move(program);
    return std::make_unique<FakeStream>(*this, info_hash, file);
}

}  // namespace rqfs::tests
