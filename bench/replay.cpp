#include <algorithm>
#include <fstream>
#include <optional>
#include <stdexcept>

#include "machine.hpp"
#include "scenarios.hpp"
#include "table.hpp"
#include "traffic.hpp"

namespace boxoffice::bench
{
namespace
{

/// METHOD TARGET [BODY] on each line.
std::vector<std::string> requests_of(const std::filesystem::path& file)
{
    std::ifstream in(file);
    std::vector<std::string> requests;
    for (std::string line; std::getline(in, line);) {
        const std::size_t target = line.find(' ');
        if (target == std::string::npos) throw std::runtime_error("not a request: " + line);
        const std::size_t body = std::min(line.find(' ', target + 1), line.size());
        const std::string_view text = line;
        requests.push_back(compose_request(text.substr(0, target), text.substr(target + 1, body - target - 1), {},
                                           text.substr(std::min(body + 1, text.size()))));
    }
    if (requests.empty()) throw std::runtime_error("no request in " + file.string());
    return requests;
}

/// For a server that was started elsewhere: there is no telling what it spends.
double rate_at(std::uint16_t port, Traffic& traffic, unsigned connections, const Options& options, Tally& tally)
{
    Loop loop(port);
    loop.add(traffic, {connections}, tally);
    if (options.warmup > 0) loop.run_for(options.warmup);
    tally = Tally{};
    const std::int64_t started = steady_ns();
    loop.run_for(options.seconds);
    const double seconds = static_cast<double>(steady_ns() - started) / 1e9;
    complain_of(tally);
    return static_cast<double>(tally.good) / seconds;
}

}  // namespace

void run_replay(const Options& options, unsigned connections)
{
    const TemporaryFolder folder(options.folder);
    std::optional<ServerProcess> server;
    if (options.port == 0) server.emplace(program_of(options), folder.path() / "data", serve_arguments(options.hold_seconds, 4));
    const std::uint16_t port = server ? server->port() : options.port;
    const std::vector<std::string> requests = requests_of(options.requests);
    Table table(
        "replay: " + std::to_string(requests.size()) + " requests, closed loop, " + std::to_string(connections) + " connections",
        {{"answers/s"}, {"p50 ms", 2}, {"p99 ms", 2}, {"p99.9 ms", 2}, {"max ms", 2}, {"not good"}});
    for (unsigned run = 0; run < options.repeat; ++run) {
        RoundTraffic traffic(requests, options.status);
        Tally tally;
        const double rate = rate_at(port, traffic, connections, options, tally);
        table.add({rate, tally.latency.percentile_ms(0.5), tally.latency.percentile_ms(0.99), tally.latency.percentile_ms(0.999),
                   tally.latency.max_ms(), static_cast<double>(tally.bad + tally.lost)});
    }
    table.close();
    if (server) server->stop();
}

}  // namespace boxoffice::bench
