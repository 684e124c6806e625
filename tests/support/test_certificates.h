#pragma once

#include <memory>
#include <string>

namespace rqfs::tests {

// A certificate and its key, PEM.
struct Certificate {
    std::string certificate;
    std::string key;
};

// A certificate authority made for one test: issues server certificates, and is trusted by nobody but who reads
// ca_file().
class TestAuthority {
public:
    TestAuthority();
    ~TestAuthority();

    // `names` as OpenSSL writes subjectAltName ("DNS:tracker.test,IP:127.0.0.1"); valid from now minus a day for
    // `days`: negative is expired.
    Certificate issue(std::string const& names, int days = 30);
    std::string const& ca_file() const { return ca_file_; }

    // Signed by itself.
    static Certificate self_signed(std::string const& names);

private:
    struct State;
    std::unique_ptr<State> state_;
    std::string ca_file_;  // removed with the authority
};

}  // namespace rqfs::tests
