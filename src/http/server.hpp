#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "http/http.hpp"

namespace boxoffice::http
{

/// Limits of the HTTP door, each held before anything is parsed beyond it.
struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8000;                         // 0: any free one; see Server::port()
    unsigned threads = 2;                              // one io_context each, sharing the port by SO_REUSEPORT
    std::size_t header_bytes_max = 16 * 1024;          // 431
    std::size_t target_bytes_max = 8 * 1024;           // 414
    std::size_t body_bytes_max = 64 * 1024;            // 413
    std::size_t connections_max = 20'000;              // above it a connection is answered 503 and closed
    std::chrono::milliseconds header_timeout{10'000};  // from the first byte of a request to the end of its header
    std::chrono::milliseconds body_timeout{10'000};
    std::chrono::milliseconds idle_timeout{30'000};  // between requests; a stream may be silent for as long as it likes
};

/// The HTTP/1.1 door. Listens from construction on (throws std::system_error when the address is taken or not
/// allowed, with the address in its message), answers from start() on.
class Server
{
public:
    Server(ServerOptions options, Handler& handler);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Starts the I/O threads and returns.
    void start();

    /// Stops accepting, closes idle connections and streams, lets requests in flight be answered (with `Connection: close`) until
    /// `grace` is over, then closes what is left and joins the threads. Idempotent. Any thread but an I/O thread.
    void stop(std::chrono::milliseconds grace);

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::size_t connections() const;  // open now

private:
    class Self;
    std::unique_ptr<Self> self_;
};

}  // namespace boxoffice::http
