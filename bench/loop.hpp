#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "histogram.hpp"
#include "wire.hpp"

/// The generator proper: one thread, one epoll set, non-blocking sockets. It shares its cores with the server, so it does as
/// little as it can for a request: one send, one recv, one look at the clock.
namespace boxoffice::bench
{

enum class Verdict : std::uint8_t { good, bad };

/// What a set of connections asks. `slot` is the number of the connection within its set.
class Traffic
{
public:
    virtual ~Traffic() = default;
    /// The connection's next request, whole; the bytes stay valid until its answer or its loss. Nothing: it rests from now on.
    virtual std::optional<std::string_view> next(std::size_t slot) = 0;
    virtual Verdict answered(std::size_t slot, const Answer& answer) = 0;
    /// The connection broke before the answer came.
    virtual void lost(std::size_t slot) { static_cast<void>(slot); }
};

/// What came of it. Latency counts good answers only.
struct Tally {
    Histogram latency;
    std::uint64_t good = 0;
    std::uint64_t bad = 0;
    std::uint64_t lost = 0;
    std::map<int, std::uint64_t> bad_by_status;
};

enum class OnLoss : std::uint8_t { reconnect, rest };

struct Shape {
    unsigned connections = 64;
    /// 0: closed loop, every connection asks again as soon as it is answered. Otherwise requests are due at this rate
    /// whatever the server does, and latency counts from the moment a request was due, not from when a connection
    /// was free to carry it; else a stall would hide the requests it kept from being sent ("coordinated omission").
    double per_second = 0;
    OnLoss on_loss = OnLoss::reconnect;
};

class Loop
{
public:
    /// `source`: the address to connect from, see connect_local(); outlives the loop.
    explicit Loop(std::uint16_t port, const char* source = "127.0.0.1");
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Connects. `traffic` and `tally` outlive the loop; the tally may be replaced between two runs.
    void add(Traffic& traffic, const Shape& shape, Tally& tally);

    /// Goes on for that long. Requests under way at the end stay under way for the next call.
    void run_for(double seconds);

    /// Goes on until every connection rests. Throws std::runtime_error when that takes longer than `seconds_max`.
    void run_dry(double seconds_max);

    /// Adds to the tallies what is due but unanswered in paced sets, at the latency it has reached by now.
    void wait_until_idle();

private:
    struct Set;
    struct Connection;
    enum class Until : std::uint8_t { deadline, dry };

    void run(double seconds, Until until);
    void open(Connection& connection);
    void watch(Connection& connection, int change, std::uint32_t events);
    void ask(Connection& connection, std::int64_t started);
    void flush(Connection& connection);
    void readable(Connection& connection);
    void finish(Connection& connection, const Answer& answer);
    void lose(Connection& connection);
    void release_due(Set& set, std::int64_t now);

    std::uint16_t port_;
    const char* source_;
    int epoll_;
    std::vector<std::unique_ptr<Set>> sets_;
    std::vector<char> scratch_;
    std::size_t awake_ = 0;  // connections that do not rest
    std::uint64_t reconnects_ = 0;
};

}  // namespace boxoffice::bench
