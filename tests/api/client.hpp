#pragma once
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A small blocking HTTP/1.1 client that hides nothing: it neither retries nor follows nor repairs, so that a test sees what
/// the server really sent. Wire is one connection in bytes, Client a keep-alive conversation over it.
namespace blackbox
{

using Json = nlohmann::json;
using Headers = std::vector<std::pair<std::string, std::string>>;
using Millis = std::chrono::milliseconds;

/// Long enough for a sanitizer build on a loaded machine; a test that waits this long has found a hang.
inline constexpr Millis kPatience{20'000};

struct Address {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::string source{};  // the address to come from, of 127.0.0.0/8; empty: whichever the system takes
};

/// "http://127.0.0.1:8000" -> its address. Throws std::runtime_error on anything but an IPv4 origin.
[[nodiscard]] Address parse_origin(std::string_view url);

/// There was no whole answer where one was due.
class NoAnswer : public std::runtime_error
{
public:
    enum class Why {
        refused,  // there is no listener
        silent,   // nothing came in time
        closed,   // the connection ended before the first byte of an answer
        cut,      // it ended in the middle of one
        garbled,  // what came is not HTTP
    };
    NoAnswer(Why why, const std::string& what) : std::runtime_error(what), why_(why) {}
    [[nodiscard]] Why why() const noexcept { return why_; }

private:
    Why why_;
};

struct Answer {
    int status = 0;
    Headers headers;  // names in lower case, in order
    std::string body;

    [[nodiscard]] std::string header(std::string_view lower_case_name) const;  // empty when there is none
    [[nodiscard]] bool has(std::string_view lower_case_name) const;
    [[nodiscard]] Json json() const;  // throws with the body in its message when that is not JSON
};
std::ostream& operator<<(std::ostream& out, const Answer& answer);

/// One connection, byte by byte.
class Wire
{
public:
    explicit Wire(const Address& to, Millis patience = kPatience);
    ~Wire();
    Wire(Wire&& other) noexcept;
    Wire& operator=(Wire&& other) noexcept;
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    /// Sends it all, or as much as the other end takes before it closes: what it said before that is still to be read.
    void send(std::string_view bytes);
    /// No more will be sent; answers may still come.
    void half_close();
    /// The next answer (1xx ones too). `method` decides whether a body follows. Throws NoAnswer.
    [[nodiscard]] Answer read_answer(std::string_view method = "GET");
    /// Whether something has come that was not read yet. Does not wait.
    [[nodiscard]] bool has_answer() const;
    /// True when the other end closes the connection within its patience without sending another byte.
    [[nodiscard]] bool ends();
    /// True when the other end has closed it or sent something unasked for: not fit for another request.
    [[nodiscard]] bool stale() const;

private:
    void fill();  // at least one more byte into buffer_, or NoAnswer
    [[nodiscard]] std::string take_line();
    [[nodiscard]] std::string take(std::size_t count);
    [[nodiscard]] std::string take_chunks();

    int fd_ = -1;
    Millis patience_;
    std::string buffer_;
    std::string::size_type answered_from_ = std::string::npos;  // npos: between answers
};

struct Ask {
    std::string method = "GET";
    std::string target = "/";
    Headers headers{};
    std::string body{};
};

/// The bytes of a request as this client sends it: Host and Content-Length are added unless given.
[[nodiscard]] std::string to_bytes(const Ask& ask, const Address& to);

/// A conversation: one connection, kept alive while the server keeps it, opened anew when it does not.
class Client
{
public:
    explicit Client(Address to, Millis patience = kPatience) : to_(std::move(to)), patience_(patience) {}
    /// The final answer; interim ones are passed over. Throws NoAnswer.
    Answer send(const Ask& ask);
    Answer get(const std::string& target, Headers headers = {}) { return send({"GET", target, std::move(headers)}); }
    [[nodiscard]] const Address& address() const { return to_; }

private:
    Address to_;
    Millis patience_;
    std::optional<Wire> wire_;
};

}  // namespace blackbox
