#include <cstdio>

#include "client.hpp"
#include "machine.hpp"
#include "scenarios.hpp"
#include "table.hpp"
#include "traffic.hpp"

namespace boxoffice::bench
{
namespace
{

constexpr unsigned kEvents = 8;
constexpr unsigned kFillConnections = 256;
constexpr double kFillSecondsMax = 1200;
// The whole burst must still be held when the last start is measured, so that each start finds the same file.
constexpr double kLongHold = 86'400;

void fill(const Options& options, const std::filesystem::path& data)
{
    ServerProcess server(program_of(options), data, serve_arguments(kLongHold, 4));
    const auto people = enrol(server.port(), options.people, "buyer");
    std::vector<std::string> requests;
    for (unsigned i = 0; i < kEvents; ++i) {
        const std::int64_t event = create_event(server.port(), people.front(), "Night " + std::to_string(i + 1), 1'000'000'000);
        for (const Person& person : people) requests.push_back(reserve_request(person, event));
    }
    RoundTraffic traffic(std::move(requests), 201);
    traffic.stop_after(options.tickets);
    Tally tally;
    {
        Loop loop(server.port());
        loop.add(traffic, {kFillConnections}, tally);
        loop.run_dry(kFillSecondsMax);
    }
    complain_of(tally);
    server.stop();
}

}  // namespace

void run_start(const Options& options)
{
    const TemporaryFolder folder(options.folder);
    const auto data = folder.path() / "data";
    std::printf("\nreserving %lld tickets ...", static_cast<long long>(options.tickets));
    std::fflush(stdout);
    const std::int64_t began = steady_ns();
    fill(options, data);
    const double megabytes = static_cast<double>(std::filesystem::file_size(data / "boxoffice.db")) / 1e6;
    std::printf(" done in %.1f s; the file has %.0f MB\n", static_cast<double>(steady_ns() - began) / 1e9, megabytes);
    Table table("start: from exec to 200 on /health/ready (wanted: 200 ms)", {{"ready ms", 1}, {"RSS MB", 1}});
    for (unsigned run = 0; run < options.repeat; ++run) {
        ServerProcess server(program_of(options), data, serve_arguments(kLongHold, 4));
        table.add({server.ready_ms(), resident(server.pid()).now_mb});
        server.stop();
    }
    table.close();
}

}  // namespace boxoffice::bench
