#include "torrent/net/tls.h"

#include "torrent/endpoint.h"
#include "torrent/error.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace asio = boost::asio;

struct TlsContext::State {
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_client_method()), &SSL_CTX_free};
};

TlsContext::TlsContext() : state_(std::make_unique<State>()) {
    auto* const context = state_->context.get();
    if (!context) throw_error(Errc::io, "TLS cannot be set up");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_default_verify_paths(context);  // none there: every certificate fails, with a reason
}

TlsContext::~TlsContext() = default;

void TlsContext::add_ca_file(std::string const& path) {
    ERR_clear_error();
    if (SSL_CTX_load_verify_locations(state_->context.get(), path.c_str(), nullptr) != 1)
        throw_error(Errc::io, "no certificates can be read from " + path);
}

// TLS over any stream: OpenSSL works on two buffers in memory, we carry bytes between them and the stream.
class TlsSocket final : public StreamSocket {
public:
    TlsSocket(TlsContext& context, std::unique_ptr<StreamSocket> socket, std::string host)
        : socket_(std::move(socket)), host_(std::move(host)), ssl_(SSL_new(context.state_->context.get()), &SSL_free) {
        if (!ssl_) throw_error(Errc::io, "TLS cannot be set up");
        auto* const received = BIO_new(BIO_s_mem());
        auto* const to_send = BIO_new(BIO_s_mem());
        BIO_set_mem_eof_return(received, -1);
        BIO_set_mem_eof_return(to_send, -1);
        SSL_set_bio(ssl_.get(), received, to_send);  // owns both now
        SSL_set_connect_state(ssl_.get());
        expect_host();
    }

    asio::awaitable<void> handshake() {
        for (;;) {
            ERR_clear_error();
            auto const result = SSL_do_handshake(ssl_.get());
            auto const why = SSL_get_error(ssl_.get(), result);
            if (result != 1 && why != SSL_ERROR_WANT_READ) {
                auto const reason = handshake_failure();
                co_await flush_quietly();  // they learn why from the alert
                throw_error(Errc::refused, reason);
            }
            co_await flush();
            if (result == 1) co_return;
            co_await receive();
        }
    }

    asio::awaitable<std::size_t> read_some(asio::mutable_buffer buffer) override {
        for (;;) {
            ERR_clear_error();
            auto const wanted = static_cast<int>(std::min<std::size_t>(buffer.size(), INT_MAX));
            auto const result = SSL_read(ssl_.get(), buffer.data(), wanted);
            if (result > 0) co_return static_cast<std::size_t>(result);
            auto const why = SSL_get_error(ssl_.get(), result);
            if (why == SSL_ERROR_ZERO_RETURN) throw boost::system::system_error(asio::error::eof);
            if (why != SSL_ERROR_WANT_READ)
                throw_error(Errc::malformed, "the TLS connection to " + host_ + " is damaged");
            co_await flush();
            co_await receive();
        }
    }

    asio::awaitable<void> write(std::span<asio::const_buffer const> buffers) override {
        for (auto const& buffer : buffers) {
            if (buffer.size() == 0) continue;
            ERR_clear_error();
            auto const size = static_cast<int>(std::min<std::size_t>(buffer.size(), INT_MAX));
            // Memory takes everything at once, so less than all is an error.
            if (SSL_write(ssl_.get(), buffer.data(), size) != size)
                throw_error(Errc::closed, "the TLS connection to " + host_ + " is over");
        }
        co_await flush();
    }

    void close() override { socket_->close(); }
    Endpoint local() const override { return socket_->local(); }
    Endpoint remote() const override { return socket_->remote(); }

private:
    static constexpr std::size_t kRecordBytes = 17 << 10;  // RFC 8446, 5.2: 16 KiB and 256

    void expect_host() {
        auto* const parameters = SSL_get0_param(ssl_.get());
        bool set = false;
        if (Address::parse(host_)) {
            set = X509_VERIFY_PARAM_set1_ip_asc(parameters, host_.c_str()) == 1;
        } else {
            X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
            set = X509_VERIFY_PARAM_set1_host(parameters, host_.c_str(), host_.size()) == 1 &&
                  SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host_.data()) == 1;
        }
        if (!set) throw_error(Errc::malformed, "TLS has no use for the host name " + host_);
    }

    std::string handshake_failure() const {
        auto const verified = SSL_get_verify_result(ssl_.get());
        if (verified != X509_V_OK)
            return "the certificate of " + host_ + " is not trusted: " + X509_verify_cert_error_string(verified);
        std::array<char, 256> text{};
        ERR_error_string_n(ERR_peek_error(), text.data(), text.size());
        auto const* const reason = ERR_reason_error_string(ERR_peek_error());
        return "TLS with " + host_ + " failed: " + (reason ? reason : text.data());
    }

    // What OpenSSL wants sent. A flush under way takes what comes later along.
    asio::awaitable<void> flush() {
        if (flushing_) co_return;
        flushing_ = true;
        struct Done {
            bool& flag;
            ~Done() { flag = false; }
        } const done{flushing_};
        auto* const to_send = SSL_get_wbio(ssl_.get());
        std::vector<std::byte> bytes;
        while (auto const waiting = BIO_ctrl_pending(to_send)) {
            bytes.resize(std::min<std::size_t>(waiting, INT_MAX));
            BIO_read(to_send, bytes.data(), static_cast<int>(bytes.size()));
            std::array<asio::const_buffer, 1> const one{asio::buffer(bytes)};
            std::span<asio::const_buffer const> const view(one);
            co_await socket_->write(view);
        }
    }

    asio::awaitable<void> flush_quietly() {
        try {
            co_await flush();
        } catch (boost::system::system_error const& e) {
            if (e.code() == asio::error::operation_aborted) throw;
        }
    }

    asio::awaitable<void> receive() {
        auto const buffer = asio::buffer(received_);
        auto const count = co_await socket_->read_some(buffer);
        BIO_write(SSL_get_rbio(ssl_.get()), received_.data(), static_cast<int>(count));
    }

    std::unique_ptr<StreamSocket> socket_;
    std::string host_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
    std::array<std::byte, kRecordBytes> received_;
    bool flushing_ = false;
};

asio::awaitable<std::unique_ptr<StreamSocket>> tls_connect(TlsContext& context, std::unique_ptr<StreamSocket> socket,
                                                           std::string host) {
    auto tls = std::make_unique<TlsSocket>(context, std::move(socket), std::move(host));
    co_await tls->handshake();
    co_return tls;
}

}  // namespace rqfs::torrent
