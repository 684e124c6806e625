#include "tests/support/scripted_proxy.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace rqfs::tests {

namespace asio = boost::asio;
using boost::system::system_error;

namespace {

asio::awaitable<void> write(torrent::StreamSocket& stream, std::string bytes) {
    if (bytes.empty()) co_return;
    std::array<asio::const_buffer, 1> const one{asio::buffer(bytes)};
    std::span<asio::const_buffer const> const view(one);
    co_await stream.write(view);
}

}  // namespace

asio::awaitable<std::unique_ptr<torrent::StreamSocket>> ScriptedProxy::connect(torrent::Endpoint endpoint,
                                                                               torrent::Duration) {
    dialled.push_back(endpoint);
    if (!up) throw system_error(asio::error::connection_refused, "cannot connect to " + endpoint.text());
    MemoryStreamOptions options;
    options.second = endpoint;
    options.most_bytes_a_read = most_bytes_a_read;
    auto streams = memory_streams(tasks_.executor(), options);
    ends_.push_back(std::move(streams.second));
    received.emplace_back();
    tasks_.spawn(serve(*ends_.back(), ends_.size() - 1));
    co_return std::move(streams.first);
}

asio::awaitable<void> ScriptedProxy::serve(torrent::StreamSocket& stream, std::size_t index) {
    std::array<char, 1024> bytes{};
    try {
        for (auto const& exchange : std::vector<Exchange>(script)) {
            for (auto left = exchange.expected_bytes; left > 0;) {
                auto const buffer = asio::buffer(bytes.data(), std::min(left, bytes.size()));
                auto const count = co_await stream.read_some(buffer);
                received[index].append(bytes.data(), count);
                left -= count;
            }
            auto answer = exchange.answer;
            co_await write(stream, std::move(answer));
        }
        if (afterwards == Afterwards::close) stream.close();
        while (afterwards != Afterwards::close) {
            auto const buffer = asio::buffer(bytes);
            std::string again(bytes.data(), co_await stream.read_some(buffer));
            if (afterwards == Afterwards::repeat) co_await write(stream, std::move(again));
        }
    } catch (system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
    }
}

void ScriptedProxy::hang_up() {
    for (auto const& end : ends_) end->close();
}

asio::awaitable<void> ScriptedProxy::stop() {
    hang_up();
    co_await tasks_.stop();
}

}  // namespace rqfs::tests
