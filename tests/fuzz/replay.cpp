// Stands in for libFuzzer where the compiler has none: every file of a corpus directory, then random changes of them,
// all made of one seed. When an input kills the program, it is left in the working directory as crash-input.
//
// usage: fuzz_NAME [CORPUS [RUNS [SEED]]]

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
// The sanitizers' hook before they end a program; absent without them.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

constexpr auto kTimeLimit = std::chrono::seconds(8);  // a test must end, also under sanitizers
constexpr std::size_t kMostBytes = 64u << 10;         // inputs grow no longer by changes

std::string current;

void save_current() {
    int const file = ::open("crash-input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) return;
    for (std::string_view rest = current; !rest.empty();) {
        auto const written = ::write(file, rest.data(), rest.size());
        if (written <= 0) break;
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    ::close(file);
}

void on_signal(int number) {
    save_current();
    std::signal(number, SIG_DFL);
    std::raise(number);
}

void run(std::string input) {
    current = std::move(input);
    // A copy of exactly this size lets AddressSanitizer see every byte read behind it.
    std::vector<std::uint8_t> const exact(current.begin(), current.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

std::vector<std::string> read_corpus(char const* directory) {
    std::vector<std::filesystem::path> paths;
    for (auto const& entry : std::filesystem::directory_iterator(directory))
        if (entry.is_regular_file()) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> corpus;
    for (auto const& path : paths) {
        std::ifstream file(path, std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return corpus;
}

class Mutator {
public:
    Mutator(std::vector<std::string> const& corpus, std::uint64_t seed) : corpus_(corpus), random_(seed) {}

    std::string next() {
        std::string input = pick();
        for (auto changes = std::size_t{1} << below(4); changes > 0; --changes) change(input);
        input.resize(std::min(input.size(), kMostBytes));
        return input;
    }

private:
    std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }
    std::string const& pick() { return corpus_[below(corpus_.size())]; }

    void change(std::string& input) {
        static constexpr std::array<std::string_view, 12> interesting{"0",
                                                                      "-1",
                                                                      "127",
                                                                      "255",
                                                                      "65536",
                                                                      "2147483648",
                                                                      "4294967295",
                                                                      "9223372036854775807",
                                                                      "18446744073709551616",
                                                                      std::string_view("\0\0\0\0", 4),
                                                                      "\xff\xff\xff\xff",
                                                                      "%00"};
        auto const at = below(input.size() + 1);
        auto const count = below(std::min<std::size_t>(input.size() - at, 64) + 1);
        switch (below(8)) {
            case 0: input.erase(at, count); break;
            case 1: input.insert(at, 1, static_cast<char>(below(256))); break;
            case 2: input.insert(at, interesting[below(interesting.size())]); break;
            case 3: input.insert(below(input.size() + 1), std::string(input, at, count)); break;
            case 4: {
                auto const& other = pick();
                input.insert(at, other, below(other.size() + 1), below(64));
                break;
            }
            case 5: input.replace(at, count, interesting[below(interesting.size())]); break;
            case 6:
                if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
                break;
            default:
                if (at < input.size()) input[at] = static_cast<char>(below(256));
        }
    }

    std::vector<std::string> const& corpus_;
    std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
    for (int const number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(number, on_signal);
    if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(save_current);
    auto corpus = argc > 1 ? read_corpus(argv[1]) : std::vector<std::string>();
    auto const runs = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 200'000;
    auto const seed = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1;
    for (auto const& input : corpus) run(input);
    std::printf("%zu files of the corpus replayed\n", corpus.size());
    corpus.emplace_back();
    Mutator mutator(corpus, seed);
    auto const end = std::chrono::steady_clock::now() + kTimeLimit;
    std::uint64_t done = 0;
    while (done < runs && std::chrono::steady_clock::now() < end) {
        run(mutator.next());
        ++done;
    }
    std::printf("%llu random changes of seed %llu\n", static_cast<unsigned long long>(done), seed);
    return 0;
}
