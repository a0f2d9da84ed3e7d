#include "redis/tls.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <new>
#include <stdexcept>

namespace boxoffice::redis
{

namespace
{

constexpr std::size_t kReadAtOnce = std::size_t{16} * 1024;  // a TLS record's most

void need(bool good)
{
    if (!good) throw std::bad_alloc();
}

/// OpenSSL keeps what goes wrong in a queue of the thread, where what went wrong earlier may still lie.
std::string newest_error()
{
    const unsigned long error = ERR_peek_last_error();
    const char* const reason = ERR_reason_error_string(error);
    ERR_clear_error();
    return reason != nullptr ? reason : "it broke off";
}

}  // namespace

Tls::Tls(const Address& address) : context_(SSL_CTX_new(TLS_client_method()))
{
    need(context_ != nullptr);
    ERR_clear_error();
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    const bool trusts = address.ca_file.empty() ? SSL_CTX_set_default_verify_paths(context_.get()) == 1
                                                : SSL_CTX_load_verify_file(context_.get(), address.ca_file.c_str()) == 1;
    if (!trusts) throw TlsFailure("the authorities' certificates cannot be read: " + newest_error());
    if (!address.cert_file.empty() &&
        (SSL_CTX_use_certificate_chain_file(context_.get(), address.cert_file.c_str()) != 1 ||
         SSL_CTX_use_PrivateKey_file(context_.get(), address.key_file.c_str(), SSL_FILETYPE_PEM) != 1))
        throw TlsFailure("this client's certificate and key cannot be used: " + newest_error());
    session_.reset(SSL_new(context_.get()));
    need(session_ != nullptr);
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    if (in_ == nullptr || out_ == nullptr) {
        BIO_free(in_);
        BIO_free(out_);
        throw std::bad_alloc();
    }
    SSL_set_bio(session_.get(), in_, out_);
    // A certificate names an address otherwise than a host, and an address is not asked for by name.
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session_.get()), address.host.c_str()) != 1) {
        need(SSL_set1_host(session_.get(), address.host.c_str()) == 1 &&
             SSL_set_tlsext_host_name(session_.get(), address.host.c_str()) == 1);
    }
    SSL_set_connect_state(session_.get());
    shake_hands();
}

void Tls::shake_hands()
{
    ERR_clear_error();
    const int done = SSL_do_handshake(session_.get());
    if (done != 1 && SSL_get_error(session_.get(), done) != SSL_ERROR_WANT_READ) fail();
}

void Tls::fail() const
{
    const long verified = SSL_get_verify_result(session_.get());
    if (verified != X509_V_OK)
        throw TlsFailure(std::string("its certificate is not believed: ") + X509_verify_cert_error_string(verified));
    throw TlsFailure("TLS: " + newest_error());
}

void Tls::take(std::string_view wire, std::string& plain)
{
    need(BIO_write(in_, wire.data(), static_cast<int>(wire.size())) == static_cast<int>(wire.size()));
    if (!is_ready()) shake_hands();
    if (!is_ready()) return;
    std::array<char, kReadAtOnce> buffer;
    for (;;) {
        ERR_clear_error();
        const int count = SSL_read(session_.get(), buffer.data(), static_cast<int>(buffer.size()));
        if (count > 0) {
            plain.append(buffer.data(), static_cast<std::size_t>(count));
            continue;
        }
        const int error = SSL_get_error(session_.get(), count);
        if (error == SSL_ERROR_WANT_READ) return;
        if (error == SSL_ERROR_ZERO_RETURN) throw TlsFailure("closed the connection");
        fail();
    }
}

void Tls::say(std::string_view plain)
{
    if (plain.empty()) return;
    ERR_clear_error();
    if (SSL_write(session_.get(), plain.data(), static_cast<int>(plain.size())) != static_cast<int>(plain.size())) fail();
}

std::string Tls::take_out()
{
    std::string wire(BIO_ctrl_pending(out_), '\0');
    if (wire.empty()) return wire;
    const int count = BIO_read(out_, wire.data(), static_cast<int>(wire.size()));
    wire.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return wire;
}

}  // namespace boxoffice::redis
