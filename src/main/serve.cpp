#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

#include "cli/stop_signals.hpp"
#include "cli/version.hpp"
#include "main/commands.hpp"
#include "main/parts.hpp"
#include "runtime/live.hpp"
#include "runtime/shedding.hpp"
#include "security/security.hpp"

namespace boxoffice
{

namespace
{

// Of SIGTERM's ten seconds; the rest is for the last password and the last checkpoint.
constexpr std::chrono::milliseconds kGrace{6'000};
// A tenth of a sale's share of a core when both want it: sales hardly feel it, and a login takes seconds at worst. At 19 it has a
// seventieth, and one took 27 s beside two busy compilers.
constexpr int kPasswordNice = 10;
constexpr std::size_t kHealthQueue = 256;
// Less than a transaction of the shared store takes, so that waiting pays where there are buyers at all.
constexpr Micros kGather{1'000};
// On a shared store a read waits for the database and not for a core, and those that wait at the same time travel together.
constexpr unsigned kReadersToConnection = 4;

void make_data_folder(const std::filesystem::path& folder)
{
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw std::runtime_error(fmt::format("The data folder {} cannot be made: {}.", folder.native(), error.message()));
    if (::access(folder.c_str(), W_OK | X_OK) == 0) return;
    throw std::runtime_error(fmt::format(
        "The data folder {} cannot be written to by this user (uid {}). Run boxoffice as its owner, or name another with --data.",
        folder.native(), ::geteuid()));
}

void announce(std::string_view origin)
{
    fmt::print("boxoffice is open\n  storefront  {0}/\n  docs        {0}/docs\n  reference   {0}/redoc\n", origin);
    std::fflush(stdout);
}

/// What to do with a store that has neither accounts nor events.
void suggest_first_steps(Store& store, const cli::Config& config, std::string_view origin)
{
    try {
        if (store.dearest_hash() || store.list_events({.limit = 1}).total > 0) return;
    } catch (const StoreFailure&) {
        return;  // a hint is worth no failure; who needs the store next says what is wrong with it
    }
    fmt::print(
        "\nThe store is empty. To begin, register the first account and publish an event: {0}/docs has a form for each.\n"
        "To look around instead, {1}`boxoffice demo` with the same settings: it adds people and events.\n",
        origin, is_shared(config) ? "run " : "stop the server and run ");
    std::fflush(stdout);
}

http::RatePolicies policies_of(const cli::Config& config)
{
    return {.account = config.account_rate,
            .login = config.login_rate,
            .registration = config.register_rate,
            .search = config.search_rate,
            .guess = config.guess_rate,
            .guesses = config.account_guess_rate};
}

std::vector<UserId> accounts_of(const cli::Config& config)
{
    std::vector<UserId> accounts;
    accounts.reserve(config.trusted_accounts.size());
    for (const std::int64_t account : config.trusted_accounts) accounts.push_back(UserId{account});
    return accounts;
}

}  // namespace

int serve(const cli::Config& config)
{
    cli::StopSignals signals;
    const OpenLog log_open(config);
    if (!is_shared(config)) make_data_folder(config.data);

    OpenStore open(config);
    Store& store = *open.store;
    const Clock& clock = *open.clock;
    const auto hasher = make_bcrypt(config.bcrypt_cost);
    const auto signer = make_jwt(config.jwt_secret.empty() ? load_or_make_secret(config.data / "jwt-secret") : config.jwt_secret,
                                 std::chrono::minutes(config.token_minutes), [&store] { return store.identity(); });

    Metrics metrics;
    metrics.build_info(cli::version());
    Shedding shedding(metrics);
    Shared shared(config, store);
    WriteLane writes(store,
                     {.depth_max = config.write_queue,
                      .batch_max = config.write_batch,
                      .gather = is_shared(config) ? kGather : Micros(0),
                      .blocked_most = config.lock_timeout,
                      .lanes = is_shared(config) ? config.write_lanes : 1},
                     metrics);
    const unsigned readers = is_shared(config) ? config.database_connections * kReadersToConnection : config.read_threads;
    WorkLane reads({.name = "read", .threads = readers, .depth_max = config.read_queue, .patience = config.read_deadline},
                   metrics);
    WorkLane searches(
        {.name = "search", .threads = config.search_threads, .depth_max = config.search_queue, .patience = config.read_deadline},
        metrics);
    WorkLane health({.name = "health", .threads = 1, .depth_max = kHealthQueue, .patience = config.read_deadline}, metrics);
    const auto of_passwords = [&config](std::string name, unsigned threads) {
        return WorkLane::Options{.name = std::move(name),
                                 .threads = threads,
                                 .depth_max = config.password_queue,
                                 .nice = kPasswordNice,
                                 .patience = config.password_deadline};
    };
    WorkLane passwords(of_passwords("password", config.password_threads), metrics);
    WorkLane registrations(of_passwords("register", 1), metrics);
    LiveHub live(store, clock, shared.bus.get(), metrics, {});
    std::optional<Work> work;
    if (!is_shared(config) || config.work) work.emplace(config, open, writes, metrics, shedding, shared.jobs.get());
    std::atomic<bool> draining{false};

    const http::ServerOptions listening = server_options(config);
    RateLimits* const limits = shared.rates ? shared.rates.get() : &shared.alone;
    const auto api = http::make_api({.store = store,
                                     .writes = writes,
                                     .reads = reads,
                                     .passwords = passwords,
                                     .clock = clock,
                                     .zones = *open.zones,
                                     .hasher = *hasher,
                                     .signer = *signer,
                                     .metrics = metrics,
                                     .arrivals = open.arrivals,
                                     .hold = config.hold,
                                     .digest = sha256_hex,
                                     .random_hex = random_hex,
                                     .draining = draining,
                                     .live = live,
                                     .rates = config.rate_limit ? limits : nullptr,
                                     .policies = policies_of(config),
                                     .events_a_day = config.events_per_account_day,
                                     .trusted_proxies = config.trusted_proxies,
                                     .cors_origins = config.cors_origins,
                                     .feeds = feed_limits(config, listening.connections_max),
                                     .feed_age = config.live_max_age,
                                     .others = others_of(config, open, shared),
                                     .searches = &searches,
                                     .health = &health,
                                     .registrations = &registrations,
                                     .shedding = &shedding,
                                     .trusted_accounts = accounts_of(config)});
    http::Server server(listening, *api, &shedding);

    measure_store(metrics, open, writes, reads);
    for (const WorkLane* const lane : {&searches, &passwords, &registrations, &health}) {
        metrics.gauge("boxoffice_lane_depth", "Work queued in a lane.", "lane", lane->name(),
                      [lane] { return static_cast<double>(lane->depth()); });
    }
    metrics.gauge("boxoffice_http_connections", "Connections open now.", "", "",
                  [&server] { return static_cast<double>(server.connections()); });
    constexpr std::string_view kMemory = "boxoffice_http_memory_bytes";
    constexpr std::string_view kMemoryHelp =
        "Memory that clients hold: answers that they have not taken, requests not answered yet.";
    metrics.gauge(kMemory, kMemoryHelp, "of", "unsent", [&server] { return static_cast<double>(server.unsent_bytes()); });
    metrics.gauge(kMemory, kMemoryHelp, "of", "received", [&server] { return static_cast<double>(server.received_bytes()); });

    live.start(writes);
    if (work) work->start();
    server.start();
    const std::string origin = cli::browser_origin(config.host, server.port());
    announce(origin);
    suggest_first_steps(store, config, origin);
    log::info("listening", {{"version", cli::version()}, {"port", std::int64_t{server.port()}}});

    const std::string_view signal = signals.wait();
    log::info("shutting down: finishing requests in flight", {{"signal", signal}});
    draining = true;
    server.stop(kGrace);
    live.stop();
    if (work) work->stop();
    registrations.stop();
    passwords.stop();
    health.stop();
    searches.stop();
    reads.stop();
    writes.stop();
    // A login that was under way gave back what it had taken of a limit, so this outlives the threads of the lanes; and whom it
    // still lets through goes on into a lane, so its own thread ends while those are there.
    shared.rates.reset();
    log::info("stopped");
    return 0;
}

}  // namespace boxoffice
