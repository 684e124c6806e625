#include "tests/fuzz/dht/world.h"
#include "tests/fuzz/udp/dispatch_session.h"

#include <cstddef>
#include <cstdint>
#include <span>

// What comes to the UDP socket that trackers and the DHT share, event by event: see DispatchSession.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    rqfs::tests::DispatchSession session(rqfs::tests::FuzzInput(std::span(data, size)));
    session.run();
    return 0;
}
