#pragma once

#include "tests/support/memory_stream.h"
#include "torrent/endpoint.h"
#include "torrent/net/connector.h"
#include "torrent/net/stream_socket.h"
#include "torrent/task_group.h"
#include "torrent/units.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace rqfs::tests {

// A network with nothing but a proxy in it, which waits for as many bytes as are expected of each exchange, whatever
// they are, and answers what it was told to; then it repeats what it gets. stop() before destroying.
class ScriptedProxy final : public torrent::Connector {
public:
    struct Exchange {
        std::size_t expected_bytes;
        std::string answer;
    };
    enum class Afterwards { repeat, fall_silent, close };

    explicit ScriptedProxy(boost::asio::any_io_executor const& executor) : tasks_(executor, "scripted proxy") {}

    std::vector<Exchange> script;
    Afterwards afterwards = Afterwards::repeat;
    bool up = true;  // otherwise nobody listens
    std::size_t most_bytes_a_read = SIZE_MAX;
    std::vector<torrent::Endpoint> dialled;
    std::vector<std::string> received;  // of each connection, without what was repeated

    boost::asio::awaitable<std::unique_ptr<torrent::StreamSocket>> connect(torrent::Endpoint endpoint,
                                                                           torrent::Duration limit) override;
    void hang_up();  // on everybody
    boost::asio::awaitable<void> stop();

private:
    boost::asio::awaitable<void> serve(torrent::StreamSocket& stream, std::size_t index);

    std::vector<std::unique_ptr<torrent::StreamSocket>> ends_;
    torrent::TaskGroup tasks_;
};

}  // namespace rqfs::tests
