#pragma once

#include "tests/fuzz/dht/dht_model.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/endpoint.h"

#include <cstdint>
#include <random>
#include <string>

namespace rqfs::tests {

// What strangers say to a fuzzed Dht: a byte chooses one of many forms, right and wrong ones.

torrent::KrpcQuery stranger_query(DhtModel const& model, std::uint8_t kind, torrent::Endpoint const& from,
                                  std::uint8_t about);
torrent::KrpcReply stranger_reply(DhtModel::Asked const& asked, std::uint8_t how, std::minstd_rand& random);

template <class Message>
std::string encoded(Message const& message) {
    auto const bytes = torrent::encode_krpc(message);
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

}  // namespace rqfs::tests
