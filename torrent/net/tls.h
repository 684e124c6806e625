#pragma once

#include "torrent/net/stream_socket.h"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace rqfs::torrent {

// What TLS connections of ours have in common: the machine's certificate authorities and at least TLS 1.2. There is no
// way to switch verification off. Engine thread only; outlives nothing: connections keep what they need of it.
class TlsContext {
public:
    TlsContext();
    ~TlsContext();

    // Trusts the authorities in this PEM file too. Throws Errc::io when it holds none.
    void add_ca_file(std::string const& path);

private:
    friend class TlsSocket;
    struct State;
    std::unique_ptr<State> state_;
};

// A TLS connection to `host` (a name or an address literal) over a connected stream, after the handshake; the
// certificate was checked against the authorities, the time and the host. Throws Errc::refused with the reason in its
// sentence.
boost::asio::awaitable<std::unique_ptr<StreamSocket>> tls_connect(TlsContext& context,
                                                                  std::unique_ptr<StreamSocket> socket,
                                                                  std::string host);

}  // namespace rqfs::torrent
