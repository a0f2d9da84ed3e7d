#include "honest.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "machine.hpp"
#include "process.hpp"
#include "traffic.hpp"

namespace boxoffice::bench
{
namespace
{

// A modest shop on a busy evening: far below what the server can do, so that its latency is the server's and not a queue's.
constexpr double kReservesPerSecond = 100;
constexpr double kPaymentsPerSecond = 50;
constexpr double kLooksPerSecond = 200;
constexpr double kReadinessPerSecond = 20;
constexpr double kLoginsPerSecond = 1;
// Each set has connections enough that a request is sent when it is due.
constexpr unsigned kConnections = 16;
constexpr unsigned kFewConnections = 4;
constexpr int kWatchEveryMs = 200;
// An answer that takes longer is as good as none.
constexpr int kPatienceMs = 5'000;

/// Opens the live feed anew again and again: how long until the first message, and how often it was refused. A thread of its own.
class Watching
{
public:
    Watching(std::uint16_t port, const char* source, std::int64_t event, Tally& tally)
        : port_(port),
          source_(source),
          request_(compose_request("GET", "/api/v1/events/" + std::to_string(event) + "/live", {}, {})),
          tally_(tally),
          thread_([this] { watch(); })
    {
    }
    ~Watching()
    {
        stopping_ = true;
        thread_.join();
    }
    Watching(const Watching&) = delete;
    Watching& operator=(const Watching&) = delete;

private:
    void watch()
    {
        while (!stopping_) {
            const std::int64_t started = steady_ns();
            const int status = first_message();
            if (status == 200) {
                ++tally_.good;
                tally_.latency.add(steady_ns() - started);
            } else if (status == 0) {
                ++tally_.lost;
            } else {
                ++tally_.bad;
                ++tally_.bad_by_status[status];
            }
            const auto spent = static_cast<int>((steady_ns() - started) / 1'000'000);
            if (spent < kWatchEveryMs) ::poll(nullptr, 0, kWatchEveryMs - spent);
        }
    }

    /// The status of the answer once its first message is there; 0: none came in time.
    int first_message()
    {
        int fd = -1;
        try {
            fd = connect_local(port_, source_);
        } catch (const std::system_error&) {
            return 0;
        }
        (void)!::send(fd, request_.data(), request_.size(), MSG_NOSIGNAL);
        const std::int64_t end = steady_ns() + std::int64_t{kPatienceMs} * 1'000'000;
        std::string heard;
        int status = 0;
        while (steady_ns() < end) {
            pollfd more{fd, POLLIN, 0};
            if (::poll(&more, 1, kPatienceMs) <= 0) break;
            std::array<char, 4096> chunk;
            const ssize_t got = ::recv(fd, chunk.data(), chunk.size(), 0);
            if (got <= 0) break;
            heard.append(chunk.data(), static_cast<std::size_t>(got));
            if (heard.starts_with("HTTP/1.1 ") && heard.size() > 12) status = std::stoi(heard.substr(9, 3));
            if (status != 0 && (status != 200 || heard.find("available_tickets") != std::string::npos)) break;
        }
        ::close(fd);
        return status == 200 && heard.find("available_tickets") == std::string::npos ? 0 : status;
    }

    std::uint16_t port_;
    const char* source_;
    std::string request_;
    Tally& tally_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace

std::uint64_t HonestRun::refused() const
{
    std::uint64_t sum = 0;
    for (const HonestView& view : views) sum += view.tally.bad;
    return sum;
}

std::uint64_t HonestRun::lost() const
{
    std::uint64_t sum = 0;
    for (const HonestView& view : views) sum += view.tally.lost;
    return sum;
}

HonestClients::HonestClients(std::uint16_t port, const char* source, const std::vector<Person>& people, std::int64_t event)
    : port_(port), source_(source), people_(people), event_(event)
{
}

void HonestClients::prepare(double seconds)
{
    Client client(port_);
    payments_.clear();
    const auto count = static_cast<std::size_t>(seconds * kPaymentsPerSecond) + kConnections;
    const std::string body = R"({"event_id":)" + std::to_string(event_) + "}";
    for (std::size_t i = 0; i < count; ++i) {
        const Person& buyer = people_[i % people_.size()];
        const auto ticket = integer_member(client.demand(201, "POST", "/api/v1/tickets/", buyer.token, body).body, "id");
        if (!ticket) throw std::runtime_error("a ticket without an id");
        const std::string id = std::to_string(*ticket);
        payments_.push_back(compose_request("POST", "/api/v1/tickets/" + id + "/pay", buyer.token,
                                            R"({"payment_reference":"bench-)" + id + R"("})"));
    }
}

HonestRun HonestClients::run(double seconds)
{
    std::vector<std::string> reserves;
    std::vector<std::string> logins;
    for (const Person& person : people_) {
        reserves.push_back(reserve_request(person, event_));
        logins.push_back(login_request(person.email));
    }
    RoundTraffic reserve(reserves, 201);
    RoundTraffic pay(payments_, 200);
    RoundTraffic look({compose_request("GET", "/api/v1/events/" + std::to_string(event_), {}, {})}, 200);
    RoundTraffic readiness({compose_request("GET", "/health/ready", {}, {})}, 200);
    RoundTraffic login(logins, 200);

    HonestRun seen;
    for (const char* name : {"reserve", "pay", "event", "ready", "login", "live"}) seen.views.push_back({name, {}});
    {
        Loop loop(port_, source_);
        loop.add(reserve, {kConnections, kReservesPerSecond}, seen.views[0].tally);
        loop.add(pay, {kConnections, kPaymentsPerSecond}, seen.views[1].tally);
        loop.add(look, {kConnections, kLooksPerSecond}, seen.views[2].tally);
        loop.add(readiness, {kFewConnections, kReadinessPerSecond}, seen.views[3].tally);
        loop.add(login, {kFewConnections, kLoginsPerSecond}, seen.views[4].tally);
        const Watching watching(port_, source_, event_, seen.views[5].tally);
        loop.run_for(seconds);
        loop.wait_until_idle();
    }
    seen.logins = seen.views[4].tally.good;
    return seen;
}

}  // namespace boxoffice::bench
