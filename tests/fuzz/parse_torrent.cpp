// Prints what rqfs reads out of torrent files, for comparison with other readers: a line of JSON for every path on the
// standard input. Untrusted bytes are written in hexadecimal. At the end the standard error tells the peak of memory
// (VmHWM; the resource usage that a parent sees would include the parent before exec).

#include "torrent/metainfo/metainfo.h"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <string>
#include <string_view>

using namespace rqfs::torrent;

namespace {

std::string hex(std::span<std::byte const> bytes) {
    std::string text;
    for (auto const b : bytes) {
        text.push_back("0123456789abcdef"[std::to_integer<std::size_t>(b >> 4)]);
        text.push_back("0123456789abcdef"[std::to_integer<std::size_t>(b & std::byte{15})]);
    }
    return text;
}

std::string hex(std::string_view text) { return hex(std::as_bytes(std::span(text))); }

void print(TorrentFile const& file) {
    std::cout << "[" << file.bytes << ",\"" << (file.pad ? "p" : "") << (file.executable ? "x" : "")
              << (file.hidden ? "h" : "") << "\",[";
    for (auto const& element : file.path)
        std::cout << (&element == file.path.data() ? "" : ",") << '"' << hex(element) << '"';
    std::cout << "]]";
}

void print(Metainfo const& torrent) {
    std::cout << R"({"info_hash":")" << torrent.info_hash().hex() << R"(","name":")" << hex(torrent.name())
              << R"(","piece_length":)" << torrent.pieces().piece_bytes() << R"(,"private":)" << torrent.is_private()
              << R"(,"total":)" << torrent.pieces().total_bytes() << R"(,"hashes":")";
    for (auto const& hash : torrent.hashes()) std::cout << hex(hash);
    std::cout << R"(","files":[)";
    for (auto const& file : torrent.files()) {
        if (&file != torrent.files().data()) std::cout << ',';
        print(file);
    }
    std::cout << "]}\n";
}

}  // namespace

int main() {
    for (std::string path; std::getline(std::cin, path);) {
        std::ifstream file(path, std::ios::binary);
        std::string content(std::filesystem::file_size(path), '\0');
        file.read(content.data(), static_cast<std::streamsize>(content.size()));
        auto const document = TorrentDocument::parse(std::as_bytes(std::span(content)));
        if (document)
            print(*document->metainfo);
        else
            std::cout << R"({"error":")" << hex(document.error().what) << "\"}\n";
    }
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:")) std::cerr << line << '\n';
    return 0;
}
