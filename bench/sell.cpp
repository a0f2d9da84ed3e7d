#include <cstdio>

#include "client.hpp"
#include "scenarios.hpp"
#include "table.hpp"
#include "traffic.hpp"

namespace boxoffice::bench
{
namespace
{

constexpr std::int64_t kEndless = 1'000'000'000;  // the contract's most tickets to an event
// One password thread at 255 ms a check is kept busy by one connection; the others make sure that it never waits for a request.
constexpr unsigned kLoginConnections = 4;
constexpr unsigned kPacedConnections = 64;
constexpr int kCheap = 4;
constexpr int kRealCost = 12;

std::vector<std::string> reservations(const std::vector<Person>& people, std::int64_t event)
{
    std::vector<std::string> requests;
    for (const Person& person : people) requests.push_back(reserve_request(person, event));
    return requests;
}

}  // namespace

double run_reserve(const Options& options, unsigned connections)
{
    Table table("reserve: POST /api/v1/tickets/ on one event, closed loop, " + std::to_string(connections) + " connections" +
                    (options.database_url.empty() ? " (wanted: 20 000/s at 64, 30 000/s at 512)" : ", shared store"),
                {{"accepted/s"},
                 {"p50 ms", 2},
                 {"p90 ms", 2},
                 {"p99 ms", 2},
                 {"p99.9 ms", 2},
                 {"max ms", 2},
                 {"not 201"},
                 {"server CPU s/M", 1},
                 {"bench CPU s/M", 1}});
    for (unsigned run = 0; run < options.repeat; ++run) {
        const TemporaryFolder folder(options.folder);
        ServerProcess server(program_of(options), folder.path() / "data", serve_arguments(options.hold_seconds, kCheap));
        const auto people = enrol(server.port(), options.people, "buyer");
        RoundTraffic traffic(reservations(people, create_event(server.port(), people.front(), "On sale", kEndless)), 201);
        Tally tally;
        Spent spent;
        {
            Loop loop(server.port());
            loop.add(traffic, {connections}, tally);
            spent = measure(loop, server, options, {&tally});
        }
        const double millions = static_cast<double>(tally.good) / 1e6;
        table.add({static_cast<double>(tally.good) / spent.seconds, tally.latency.percentile_ms(0.5),
                   tally.latency.percentile_ms(0.9), tally.latency.percentile_ms(0.99), tally.latency.percentile_ms(0.999),
                   tally.latency.max_ms(), static_cast<double>(tally.bad), spent.server_cpu / millions,
                   spent.own_cpu / millions});
        server.stop();
    }
    return table.close().front();
}

void run_paced(const Options& options, double rate)
{
    Table table("paced: reservations due at " + std::to_string(static_cast<long>(rate)) +
                    "/s over 64 connections while logins (bcrypt cost 12) keep the password pool busy (wanted: p99 < 20 ms)",
                {{"accepted/s"},
                 {"p50 ms", 2},
                 {"p99 ms", 2},
                 {"p99.9 ms", 2},
                 {"max ms", 2},
                 {"not 201"},
                 {"logins/s", 2},
                 {"login p50 ms"},
                 {"server CPU s/s", 2}});
    for (unsigned run = 0; run < options.repeat; ++run) {
        const TemporaryFolder folder(options.folder);
        const auto data = folder.path() / "data";
        std::vector<Person> people;
        std::int64_t event = 0;
        {
            ServerProcess cheap(program_of(options), data, serve_arguments(options.hold_seconds, kCheap));
            people = enrol(cheap.port(), options.people, "buyer");
            event = create_event(cheap.port(), people.front(), "On sale", kEndless);
            cheap.stop();
        }
        ServerProcess server(program_of(options), data, serve_arguments(options.hold_seconds, kRealCost));
        std::vector<std::string> logins;
        for (const Person& person : enrol(server.port(), 2, "guest")) logins.push_back(login_request(person.email));
        RoundTraffic buying(reservations(people, event), 201);
        RoundTraffic entering(std::move(logins), 200);
        Tally bought;
        Tally entered;
        Spent spent;
        {
            Loop loop(server.port());
            loop.add(entering, {kLoginConnections}, entered);
            loop.add(buying, {kPacedConnections, rate}, bought);
            spent = measure(loop, server, options, {&bought, &entered});
        }
        table.add({static_cast<double>(bought.good) / spent.seconds, bought.latency.percentile_ms(0.5),
                   bought.latency.percentile_ms(0.99), bought.latency.percentile_ms(0.999), bought.latency.max_ms(),
                   static_cast<double>(bought.bad), static_cast<double>(entered.good) / spent.seconds,
                   entered.latency.percentile_ms(0.5), spent.server_cpu / spent.seconds});
        server.stop();
    }
    table.close();
}

}  // namespace boxoffice::bench
