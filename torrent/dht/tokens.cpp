#include "torrent/dht/tokens.h"

#include "torrent/hash.h"
#include "torrent/settings.h"

#include <span>
#include <vector>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kTokenBytes = 8;

// All parts but the address have fixed lengths, and that is told by its family: no two inputs are the same bytes.
std::string token_of(Tokens::Secret const& secret, Address const& address, InfoHash const& info_hash) {
    std::vector<std::byte> input(secret.begin(), secret.end());
    input.insert(input.end(), info_hash.bytes().begin(), info_hash.bytes().end());
    auto const bytes = std::as_bytes(address.bytes());
    input.insert(input.end(), bytes.begin(), bytes.end());
    auto const digest = sha1(input);
    return {reinterpret_cast<char const*>(digest.data()), kTokenBytes};
}

}  // namespace

bool Tokens::is_old(TimePoint now) const { return now - since_ >= limit::kDhtTokenSecretLife; }

void Tokens::rotate(Secret const& fresh, TimePoint now) {
    // After a long sleep the one before is too old as well.
    previous_ = now - since_ >= 2 * limit::kDhtTokenSecretLife ? fresh : current_;
    current_ = fresh;
    since_ = now;
}

std::string Tokens::make(Address const& address, InfoHash const& info_hash) const {
    return token_of(current_, address, info_hash);
}

bool Tokens::valid(std::string_view token, Address const& address, InfoHash const& info_hash) const {
    return token == token_of(current_, address, info_hash) || token == token_of(previous_, address, info_hash);
}

}  // namespace rqfs::torrent
