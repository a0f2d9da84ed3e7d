#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "net/http.hpp"
#include "net/shares.hpp"
#include "runtime/shedding.hpp"

namespace boxoffice::http
{

/// Limits of the HTTP server, each held before anything is parsed beyond it.
struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8000;                 // 0: any free one; see Server::port()
    unsigned threads = 2;                      // one io_context each, sharing the port by SO_REUSEPORT
    std::size_t header_bytes_max = 16 * 1024;  // 431
    std::size_t target_bytes_max = 8 * 1024;   // 414
    std::size_t body_bytes_max = 64 * 1024;    // 413
    std::size_t connections_max = 20'000;      // above it a connection is answered 503 and closed
    /// Of one client: open connections, or requests in flight where a trusted proxy says for whom. Above it: 503.
    ShareLimits client_connections{.per_address = 512, .per_64 = 128, .per_48 = 1024};
    std::size_t unsent_bytes_max = 48 * 1024 * 1024;    // of answers that their clients have not taken yet
    std::size_t received_bytes_max = 24 * 1024 * 1024;  // of requests that are not answered yet, beyond the first 2 KiB of each
    std::size_t send_rate_min = 64 * 1024;       // bytes a second; who takes less is cut while the first of these is half used
    bool client_limits = true;                   // false: none of the shares of these by client
    std::vector<std::string> trusted_proxies{};  // as in client_address.hpp
    std::chrono::milliseconds header_timeout{10'000};  // from the first byte of a request to the end of its header
    std::chrono::milliseconds body_timeout{10'000};
    std::chrono::milliseconds idle_timeout{30'000};  // between requests; a stream may be silent for as long as it likes
};

/// So many more than the limit are told so at a time; those beyond are closed without a word. Each is an open file, too.
[[nodiscard]] std::size_t turned_away_at_once(std::size_t connections_max);

/// The HTTP/1.1 server. Listens from construction on (throws std::system_error when the address is taken or not
/// allowed, with the address in its message), answers from start() on.
class Server
{
public:
    /// `shedding`, which outlives the server, hears of whom it refuses or cuts so that others are served. Throws
    /// std::invalid_argument when one of the trusted proxies is no address and no block.
    Server(ServerOptions options, Handler& handler, Shedding* shedding = nullptr);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Starts the I/O threads and returns.
    void start();

    /// Stops accepting, closes idle connections and streams, lets requests in flight be answered (with `Connection: close`) until
    /// `grace` is over, then closes what is left and joins the threads. Idempotent. Any thread but an I/O thread.
    void stop(std::chrono::milliseconds grace);

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::size_t connections() const;     // open now
    [[nodiscard]] std::size_t unsent_bytes() const;    // of answers, as far as they are counted
    [[nodiscard]] std::size_t received_bytes() const;  // of requests, as far as they are counted

private:
    class Self;
    std::unique_ptr<Self> self_;
};

}  // namespace boxoffice::http
