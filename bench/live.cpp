#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <deque>
#include <future>
#include <stdexcept>
#include <system_error>

#include "client.hpp"
#include "histogram.hpp"
#include "machine.hpp"
#include "scenarios.hpp"
#include "table.hpp"
#include "traffic.hpp"

namespace boxoffice::bench
{
namespace
{

constexpr std::int64_t kSeats = 1'000'000;
constexpr std::int64_t kSaleEveryNs = 125'000'000;  // twice as often as watchers may be told
constexpr double kHoldSeconds = 3600;               // no seat comes back meanwhile: what is free only falls
constexpr double kFirstWordSecondsMax = 15;
constexpr double kSaleSecondsMore = 30;
constexpr double kLastWordSecondsMax = 10;
constexpr std::size_t kOtherSockets = 128;  // files and connections of either side that are no watcher's
constexpr std::size_t kWaitingMax = 256;    // for their first message: all at once would be refused with 503

/// What a watcher was told, and when it had it.
struct Word {
    std::uint32_t watcher = 0;
    std::int64_t sold = 0;
    std::int64_t received = 0;
};

/// All watchers of the event: one thread, one epoll set, and of every message only the number in it.
class Crowd
{
public:
    Crowd(std::uint16_t port, std::int64_t event)
        : port_(port),
          request_(compose_request("GET", "/api/v1/events/" + std::to_string(event) + "/live", {}, {})),
          epoll_(::epoll_create1(EPOLL_CLOEXEC))
    {
        if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    }
    ~Crowd()
    {
        for (const Watcher& watcher : watchers_) ::close(watcher.fd);
        ::close(epoll_);
    }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    void add()
    {
        Watcher& watcher = watchers_.emplace_back();
        watcher.number = static_cast<std::uint32_t>(watchers_.size() - 1);
        watcher.fd = connect_local(port_);
        const ssize_t sent = ::send(watcher.fd, request_.data(), request_.size(), MSG_NOSIGNAL);
        if (sent != static_cast<ssize_t>(request_.size())) throw std::runtime_error("a watcher could not ask");
        ::fcntl(watcher.fd, F_SETFL, O_NONBLOCK);
        epoll_event interest{};
        interest.events = EPOLLIN;
        interest.data.ptr = &watcher;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, watcher.fd, &interest) != 0)
            throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }

    /// Listens for at most that long. False when time is up before `enough` says so.
    template <class Enough>
    bool listen_until(double seconds, const Enough& enough)
    {
        const std::int64_t end = steady_ns() + static_cast<std::int64_t>(seconds * 1e9);
        for (std::int64_t now = steady_ns(); !enough(); now = steady_ns()) {
            throw_if_interrupted();
            if (now >= end) return false;
            look(std::min<int>(static_cast<int>((end - now) / 1'000'000) + 1, 20));
        }
        return true;
    }

    /// How many have been told of at least that many sales.
    [[nodiscard]] std::size_t who_know_of(std::int64_t sold) const
    {
        const auto knows = [&](const Watcher& watcher) { return watcher.sold >= sold; };
        return static_cast<std::size_t>(std::count_if(watchers_.begin(), watchers_.end(), knows));
    }

    [[nodiscard]] std::size_t told() const { return told_; }  // their first message
    [[nodiscard]] const std::vector<Word>& words() const { return words_; }
    void forget_words() { words_.clear(); }

private:
    struct Watcher {
        std::uint32_t number = 0;
        int fd = -1;
        std::int64_t sold = -1;  // of what it was last told
        std::string partial;     // the beginning of a message
    };

    void look(int milliseconds)
    {
        std::array<epoll_event, 512> events;
        const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds);
        if (count < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "epoll_wait");
        for (int i = 0; i < count; ++i) hear(*static_cast<Watcher*>(events[static_cast<std::size_t>(i)].data.ptr));
    }

    void hear(Watcher& watcher)
    {
        std::array<char, 4096> chunk;
        const ssize_t got = ::recv(watcher.fd, chunk.data(), chunk.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) throw std::runtime_error("the server hung up on a watcher: " + watcher.partial);
        const std::int64_t now = steady_ns();
        std::string_view text(chunk.data(), static_cast<std::size_t>(got));
        if (!watcher.partial.empty()) text = watcher.partial.append(text);
        std::size_t done = 0;
        // Heads and the sizes of chunks end in \r\n, which no message has in it.
        for (std::size_t end = text.find("\n\n"); end != std::string_view::npos; end = text.find("\n\n", done)) {
            understand(watcher, text.substr(done, end - done), now);
            done = end + 2;
        }
        watcher.partial = std::string(text.substr(done));
        if (watcher.partial.starts_with("HTTP/1.1") && !watcher.partial.starts_with("HTTP/1.1 200"))
            throw std::runtime_error("a watcher was refused: " + watcher.partial);
    }

    void understand(Watcher& watcher, std::string_view message, std::int64_t now)
    {
        const auto there = integer_member(message, "available_tickets");
        if (!there) return;
        if (watcher.sold < 0) ++told_;
        watcher.sold = kSeats - *there;
        words_.push_back({watcher.number, watcher.sold, now});
    }

    std::uint16_t port_;
    std::string request_;
    int epoll_;
    std::deque<Watcher> watchers_;
    std::vector<Word> words_;
    std::size_t told_ = 0;
};

/// Reserves at a steady pace for that long. Returns when each answer was there: the n-th is the one that makes n + 1 sold.
std::vector<std::int64_t> sell(std::uint16_t port, const Person& buyer, std::int64_t event, double seconds)
{
    std::vector<std::int64_t> answered;
    Client client(port);
    const std::string body = R"({"event_id":)" + std::to_string(event) + "}";
    const std::int64_t began = steady_ns();
    for (std::int64_t due = began; static_cast<double>(due - began) < seconds * 1e9; due += kSaleEveryNs) {
        const std::int64_t wait = due - steady_ns();
        if (wait > 0) ::poll(nullptr, 0, static_cast<int>(wait / 1'000'000));
        throw_if_interrupted();
        client.demand(201, "POST", "/api/v1/tickets/", buyer.token, body);
        answered.push_back(steady_ns());
    }
    return answered;
}

struct Delays {
    Histogram to_median;  // of the watchers, for each sale
    Histogram to_last;
    Histogram fan_out;  // from the first watcher to the last, for each message
    std::size_t untold = 0;
    double least_per_second = 0;
    double most_per_second = 0;
};

/// Arrivals one after another.
struct Span {
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::size_t count = 0;

    void add(std::int64_t at)
    {
        if (count++ == 0) first = at;
        last = at;
    }
    [[nodiscard]] double per_second() const
    {
        return last > first ? static_cast<double>(count - 1) * 1e9 / static_cast<double>(last - first) : 0;
    }
};

/// A sale reaches a watcher with the first message that has it in.
Delays delays_of(const std::vector<Word>& words, const std::vector<std::int64_t>& answered, std::size_t watchers)
{
    std::vector<std::vector<std::int64_t>> reached(answered.size());
    std::vector<std::size_t> known(watchers, 0);
    std::vector<Span> heard(watchers);                // of each watcher
    std::vector<Span> messages(answered.size() + 1);  // of each state that watchers were told
    for (const Word& word : words) {
        heard[word.watcher].add(word.received);
        const std::size_t sold = std::min(static_cast<std::size_t>(word.sold), answered.size());
        messages[sold].add(word.received);
        for (std::size_t& next = known[word.watcher]; next < sold; ++next)
            reached[next].push_back(word.received - answered[next]);
    }
    Delays delays;
    for (auto& each : reached) {
        delays.untold += watchers - each.size();
        if (each.empty()) continue;
        std::sort(each.begin(), each.end());
        delays.to_median.add(each[each.size() / 2]);
        delays.to_last.add(each.back());
    }
    for (const Span& message : messages) {
        if (message.count > 0) delays.fan_out.add(message.last - message.first);
    }
    const auto by_rate = [](const Span& one, const Span& other) { return one.per_second() < other.per_second(); };
    const auto [least, most] = std::minmax_element(heard.begin(), heard.end(), by_rate);
    delays.least_per_second = least->per_second();
    delays.most_per_second = most->per_second();
    return delays;
}

std::vector<double> run_once(const Options& options)
{
    const TemporaryFolder folder(options.folder);
    std::vector<std::string> arguments = serve_arguments(kHoldSeconds, 4);
    // Feeds have at most three quarters of the connections.
    arguments.insert(arguments.end(), {"--connections", std::to_string(options.watchers / 3 * 4 + kOtherSockets), "--live-feeds",
                                       std::to_string(options.watchers)});
    ServerProcess server(program_of(options), folder.path() / "data", arguments);
    const Person buyer = enrol(server.port(), 1, "buyer").front();
    const std::int64_t event = create_event(server.port(), buyer, "Watched", kSeats);
    const Resident before = resident(server.pid());

    Crowd crowd(server.port(), event);
    const std::int64_t began = steady_ns();
    for (std::size_t came = 1; came <= options.watchers; ++came) {
        crowd.add();
        const std::size_t waiting_max = came == options.watchers ? 0 : kWaitingMax;
        if (!crowd.listen_until(kFirstWordSecondsMax, [&] { return came - crowd.told() <= waiting_max; }))
            throw std::runtime_error(std::to_string(came - crowd.told()) + " watchers heard nothing");
    }
    const double arrived_seconds = static_cast<double>(steady_ns() - began) / 1e9;
    const Resident watched = resident(server.pid());
    crowd.forget_words();

    const double cpu_before = cpu_seconds(server.pid());
    const double own_before = own_cpu_seconds();
    const std::int64_t sale_began = steady_ns();
    std::future<std::vector<std::int64_t>> sale =
        std::async(std::launch::async, [&] { return sell(server.port(), buyer, event, options.seconds); });
    const auto over = [&] { return sale.wait_for(std::chrono::seconds(0)) == std::future_status::ready; };
    if (!crowd.listen_until(options.seconds + kSaleSecondsMore, over)) throw std::runtime_error("the sale does not end");
    const std::vector<std::int64_t> answered = sale.get();
    const auto sold = static_cast<std::int64_t>(answered.size());
    crowd.listen_until(kLastWordSecondsMax, [&] { return crowd.who_know_of(sold) == options.watchers; });
    const double seconds = static_cast<double>(steady_ns() - sale_began) / 1e9;
    const double cpu = cpu_seconds(server.pid()) - cpu_before;
    const double own_cpu = own_cpu_seconds() - own_before;
    const Resident after = resident(server.pid());

    const Delays delays = delays_of(crowd.words(), answered, options.watchers);
    server.stop();
    return {arrived_seconds,
            before.now_mb,
            watched.now_mb,
            after.peak_mb,
            static_cast<double>(sold),
            static_cast<double>(delays.untold),
            delays.least_per_second,
            delays.most_per_second,
            delays.to_median.percentile_ms(0.5),
            delays.to_median.percentile_ms(0.99),
            delays.to_last.percentile_ms(0.5),
            delays.to_last.percentile_ms(0.99),
            delays.fan_out.percentile_ms(0.5),
            cpu / seconds,
            own_cpu / seconds};
}

}  // namespace

void run_live(const Options& options)
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < options.watchers + kOtherSockets)
        throw std::runtime_error("a process may open " + std::to_string(limit.rlim_cur) + " files here, too few for " +
                                 std::to_string(options.watchers) + " watchers; ulimit -Hn");
    Table table("live: " + std::to_string(options.watchers) +
                    " watchers of one event that sells 8 tickets/s (wanted: < 300 MB, at most 4 messages/s)",
                {{"all there s", 2},
                 {"RSS before MB", 1},
                 {"RSS MB", 1},
                 {"peak MB", 1},
                 {"sales"},
                 {"untold"},
                 {"least/s", 2},
                 {"most/s", 2},
                 {"median p50 ms", 1},
                 {"median p99 ms", 1},
                 {"last p50 ms", 1},
                 {"last p99 ms", 1},
                 {"fan-out p50 ms", 1},
                 {"server CPU s/s", 2},
                 {"bench CPU s/s", 2}});
    for (unsigned run = 0; run < options.repeat; ++run) table.add(run_once(options));
    table.close();
}

}  // namespace boxoffice::bench
