#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The words between the sockets (net/) and the routes (api/): net knows nothing of the routes, and neither of Beast.
namespace boxoffice::http
{

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };

/// A request that has passed every limit and framing rule of server.cpp. Owns its bytes.
struct Request {
    Method method = Method::get;
    std::string target;                                        // origin form, as sent: path and query, still encoded
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case; those of one name together, in order
    std::string body;                                          // de-chunked
    std::string peer;                                          // address of the other end, "127.0.0.1"
    std::shared_ptr<const std::atomic<bool>> gone;             // true once the client surely is; none where this is not observed

    /// The value of the first header of that (lower-case) name, or empty.
    [[nodiscard]] std::string_view header(std::string_view name) const
    {
        for (const auto& [key, value] : headers) {
            if (key == name) return value;
        }
        return {};
    }
};

/// Bytes on their way to many clients at once: ten thousand of them share one string.
using Piece = std::shared_ptr<const std::string>;

/// A body that goes on after its head has been answered. Any thread; nothing blocks. Its owner letting go of it without end()
/// leaves the client waiting until the server stops.
class OpenStream
{
public:
    virtual ~OpenStream() = default;
    /// Queues the piece. False: the stream is over (the client has gone, is too slow to be waited for, or the server stops),
    /// and will not open again.
    virtual bool send(const Piece& piece) = 0;
    /// Nothing more will come: what is queued is written, then the connection closes.
    virtual void end() = 0;
};

/// Called once, when the head of the answer is out, on an I/O thread; must not block.
using StartStream = std::function<void(std::shared_ptr<OpenStream>)>;

/// An answer. server.cpp adds Date, Server, Content-Length and Connection, and leaves the body out for HEAD.
struct Reply {
    int status = 200;
    std::string content_type;  // empty: no body, no Content-Type
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::string_view static_body;  // used instead of `body` when not empty; must outlive the server
    StartStream stream{};          // used instead of both; no Content-Length, and the connection closes with the body
    bool signed_in = false;        // the request carried a token that was believed
    bool tells_of_change = false;  // of something that has been done: never taken back for want of memory
};

/// Called exactly once for each request, from any thread; never blocks.
using Respond = std::function<void(Reply)>;

/// What answers requests. Called on an I/O thread and must not block: slow work is handed to a
/// lane and calls `respond` from there. `request` stays alive as long as the pointer is held.
class Handler
{
public:
    virtual ~Handler() = default;
    virtual void handle(std::shared_ptr<const Request> request, Respond respond) = 0;
    /// The answer to a request that server.cpp itself refuses: 400, 408, 413, 414, 417, 431, 500, 501, 503, 505. `reason` is one
    /// sentence for the person, `asked_id` the client's X-Request-Id as it was sent, if that much has come. The connection closes
    /// after it.
    virtual Reply refuse(int status, std::string_view reason, std::string_view asked_id) = 0;
};

}  // namespace boxoffice::http
