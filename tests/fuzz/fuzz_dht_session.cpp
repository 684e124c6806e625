#include "tests/fuzz/dht/dht_session.h"
#include "tests/fuzz/dht/world.h"

#include <cstddef>
#include <cstdint>
#include <span>

// What happens to a node of the DHT, event by event: see DhtSession.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    rqfs::tests::DhtSession session(rqfs::tests::FuzzInput(std::span(data, size)));
    session.run();
    return 0;
}
