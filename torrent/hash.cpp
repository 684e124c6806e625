#include "torrent/hash.h"

#include <openssl/evp.h>
#include <sys/random.h>

#include <cerrno>
#include <new>
#include <system_error>

namespace rqfs::torrent {

struct Sha1::Context {
    EVP_MD_CTX* evp = EVP_MD_CTX_new();

    Context() {
        if (evp == nullptr || EVP_DigestInit_ex(evp, EVP_sha1(), nullptr) != 1) throw std::bad_alloc();
    }
    Context(Context const&) = delete;
    Context& operator=(Context const&) = delete;
    ~Context() { EVP_MD_CTX_free(evp); }
};

Sha1::Sha1() : context_(std::make_unique<Context>()) {}
Sha1::Sha1(Sha1&&) noexcept = default;
Sha1& Sha1::operator=(Sha1&&) noexcept = default;
Sha1::~Sha1() = default;

void Sha1::update(std::span<std::byte const> bytes) {
    if (EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) != 1) throw std::bad_alloc();
}

Sha1Digest Sha1::finish() {
    Sha1Digest digest{};
    unsigned int size = 0;
    if (EVP_DigestFinal_ex(context_->evp, reinterpret_cast<unsigned char*>(digest.data()), &size) != 1)
        throw std::bad_alloc();
    return digest;
}

Sha1Digest sha1(std::span<std::byte const> bytes) {
    Sha1 hash;
    hash.update(bytes);
    return hash.finish();
}

void fill_random(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        auto const got = getrandom(bytes.data(), bytes.size(), 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            throw std::system_error(errno, std::generic_category(), "getrandom");
        }
        bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
}

}  // namespace rqfs::torrent
