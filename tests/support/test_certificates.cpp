#include "tests/support/test_certificates.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace rqfs::tests {

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using X509Pointer = std::unique_ptr<X509, decltype(&X509_free)>;

constexpr long kDay = 24 * 60 * 60;

void require(bool good) {
    if (!good) throw std::runtime_error("OpenSSL could not make a certificate");
}

Key make_key() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }

void add_extension(X509* certificate, X509* issuer, int kind, std::string const& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    auto* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    require(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

X509Pointer make_certificate(std::string const& name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key, int days,
                             bool authority, std::string const& names) {
    static long serial = 1;
    X509Pointer certificate(X509_new(), &X509_free);
    require(certificate && X509_set_version(certificate.get(), 2) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -10 * kDay);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), days * kDay);
    X509_set_pubkey(certificate.get(), key);
    auto const* const common_name = reinterpret_cast<unsigned char const*>(name.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC, common_name, -1, -1, 0);
    auto* const signer = issuer ? issuer : certificate.get();
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
    add_extension(certificate.get(), signer, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!names.empty()) add_extension(certificate.get(), signer, NID_subject_alt_name, names);
    require(X509_sign(certificate.get(), issuer_key, EVP_sha256()) > 0);
    return certificate;
}

std::string take_text(BIO* bio) {
    char* bytes = nullptr;
    auto const size = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
}

Certificate to_pem(X509* certificate, EVP_PKEY* key) {
    auto* const first = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(first, certificate);
    auto* const second = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(second, key, nullptr, nullptr, 0, nullptr, nullptr);
    return {take_text(first), take_text(second)};
}

}  // namespace

struct TestAuthority::State {
    Key key = make_key();
    X509Pointer certificate = make_certificate("rqfs test authority", key.get(), nullptr, key.get(), 30, true, "");
};

TestAuthority::TestAuthority() : state_(std::make_unique<State>()) {
    std::string name = "/tmp/rqfs-test-ca-XXXXXX";
    auto const file = ::mkstemp(name.data());
    require(file >= 0);
    ::close(file);
    ca_file_ = name;
    std::ofstream(ca_file_) << to_pem(state_->certificate.get(), state_->key.get()).certificate;
}

TestAuthority::~TestAuthority() { ::unlink(ca_file_.c_str()); }

Certificate TestAuthority::issue(std::string const& names, int days) {
    auto const key = make_key();
    auto const certificate =
        make_certificate("server", key.get(), state_->certificate.get(), state_->key.get(), days, false, names);
    return to_pem(certificate.get(), key.get());
}

Certificate TestAuthority::self_signed(std::string const& names) {
    auto const key = make_key();
    auto const certificate = make_certificate("server", key.get(), nullptr, key.get(), 30, false, names);
    return to_pem(certificate.get(), key.get());
}

}  // namespace rqfs::tests
