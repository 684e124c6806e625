#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

namespace rqfs::torrent {

using Sha1Digest = std::array<std::byte, 20>;

// SHA-1 of a span; any thread.
Sha1Digest sha1(std::span<std::byte const> bytes);

// SHA-1 of bytes that arrive in parts: hash runs from memory as blocks come. Not shared between threads at one time.
class Sha1 {
public:
    Sha1();
    Sha1(Sha1&&) noexcept;
    Sha1& operator=(Sha1&&) noexcept;
    ~Sha1();

    void update(std::span<std::byte const> bytes);
    // Ends the computation; the object may only be destroyed or assigned to afterwards.
    Sha1Digest finish();

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

// Bytes nobody can guess, from the kernel: ids, tokens, transaction numbers.
void fill_random(std::span<std::byte> bytes);

}  // namespace rqfs::torrent
