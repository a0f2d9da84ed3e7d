#include <fmt/format.h>

#include <atomic>
#include <cstdio>

#include "cli/stop_signals.hpp"
#include "cli/version.hpp"
#include "main/commands.hpp"
#include "main/parts.hpp"
#include "security/security.hpp"

namespace boxoffice
{

namespace
{

constexpr std::chrono::milliseconds kGrace{2'000};  // only scrapers are connected

}  // namespace

int work(const cli::Config& config)
{
    cli::StopSignals signals;
    const OpenLog log_open(config);
    OpenStore open(config);
    Store& store = *open.store;

    Metrics metrics;
    metrics.build_info(cli::version());
    Shedding shedding(metrics);
    Shared shared(config, store);
    // One lane: what a worker writes comes from its two loops, and each waits for its own.
    WriteLane writes(store, {.blocked_most = config.lock_timeout, .lanes = config.write_lanes}, metrics);
    WorkLane reads({.name = "read", .threads = 2, .nice = 0}, metrics);
    Work work(config, open, writes, metrics, shedding, shared.jobs.get());
    std::atomic<bool> draining{false};
    const auto watch = http::make_watch({.store = store,
                                         .writes = writes,
                                         .reads = reads,
                                         .clock = *open.clock,
                                         .metrics = metrics,
                                         .random_hex = random_hex,
                                         .draining = draining,
                                         .trusted_proxies = {},
                                         .others = others_of(config, open, shared)});
    http::Server server(server_options(config), *watch);
    measure_store(metrics, open, writes, reads);

    writes.on_batch([&bus = *shared.bus](const BatchNews& news) { bus.publish(news.changed); });
    work.start();
    server.start();
    fmt::print("boxoffice works\n  health      {0}/health/ready\n  metrics     {0}/metrics\n",
               cli::browser_origin(config.host, server.port()));
    std::fflush(stdout);
    log::info("worker started", {{"version", cli::version()}, {"port", std::int64_t{server.port()}}});

    const std::string_view signal = signals.wait();
    log::info("shutting down: finishing requests in flight", {{"signal", signal}});
    draining = true;
    server.stop(kGrace);
    work.stop();
    reads.stop();
    writes.stop();
    log::info("stopped");
    return 0;
}

}  // namespace boxoffice
