#pragma once
#include <openssl/ssl.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "redis/url.hpp"

namespace boxoffice::redis
{

/// One TLS connection as a machine without a socket: bytes of the wire go in, plain text comes out, and the other way round. The
/// server has to prove that it is the host of the address, to the system's authorities or to those of its `ca_file`. Methods
/// throw TlsFailure. One thread at a time.
class Tls
{
public:
    explicit Tls(const Address& address);

    /// Takes in what came over the wire, the handshake's part of it too; appends the plain text in it to `plain`.
    void take(std::string_view wire, std::string& plain);
    /// Plain text to be said. Once is_ready().
    void say(std::string_view plain);
    /// What has to be sent over the wire by now.
    [[nodiscard]] std::string take_out();
    [[nodiscard]] bool is_ready() const { return SSL_is_init_finished(session_.get()) != 0; }

private:
    struct Free {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
        void operator()(SSL* session) const { SSL_free(session); }
    };

    void shake_hands();
    [[noreturn]] void fail() const;

    std::unique_ptr<SSL_CTX, Free> context_;
    std::unique_ptr<SSL, Free> session_;
    BIO* in_ = nullptr;   // the session's: from the wire
    BIO* out_ = nullptr;  // the session's: to the wire
};

class TlsFailure : public std::runtime_error
{
    using std::runtime_error::runtime_error;
};

}  // namespace boxoffice::redis
