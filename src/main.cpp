/// config -> objects -> run. The only file that names every adapter.
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/version.hpp>
#include <cstdio>
#include <span>

#include "cli/config.hpp"
#include "cli/demo_sales.hpp"
#include "cli/stop_signals.hpp"
#include "cli/version.hpp"
#include "core/core.hpp"
#include "demo/demo.hpp"
#include "http/api.hpp"
#include "http/server.hpp"
#include "runtime/clock.hpp"
#include "runtime/expiry.hpp"
#include "runtime/lanes.hpp"
#include "runtime/log.hpp"
#include "runtime/metrics.hpp"
#include "security/security.hpp"
#include "sqlite/sqlite.hpp"

namespace
{

using namespace boxoffice;
using cli::Command;
using cli::Config;

// Of SIGTERM's ten seconds; the rest is for the last password and the last checkpoint.
constexpr std::chrono::milliseconds kGrace{6'000};
// A tenth of a sale's share of a core when both want it: sales hardly feel it, and a login takes seconds at worst. At 19 it has a
// seventieth, and one took 27 s beside two busy compilers.
constexpr int kPasswordNice = 10;
constexpr rlim_t kFilesBesideConnections = 64;
constexpr rlim_t kFilesToReader = 4;  // the store, its log, its index, one to spare
constexpr rlim_t kConnectionsMin = 16;

Instant system_now() { return std::chrono::floor<Micros>(std::chrono::system_clock::now()); }

void require_store(const Config& config)
{
    if (std::filesystem::exists(config.database)) return;
    throw std::runtime_error(fmt::format("There is no store at {} yet; boxoffice serve makes one.", config.database.native()));
}

void make_data_folder(const std::filesystem::path& folder)
{
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw std::runtime_error(fmt::format("The data folder {} cannot be made: {}.", folder.native(), error.message()));
    if (::access(folder.c_str(), W_OK | X_OK) == 0) return;
    throw std::runtime_error(fmt::format("The data folder {} cannot be written to.", folder.native()));
}

/// A connection is an open file, and the usual limit of 1024 would end a rush long before --connections does. As many of the
/// connections as the process may be given files for.
std::size_t connections_within_limit(const Config& config)
{
    const rlim_t beside = kFilesBesideConnections + kFilesToReader * config.read_threads;
    const rlim_t wanted = config.connections + beside;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return config.connections;
    rlimit raised = limit;
    raised.rlim_cur = std::min(wanted, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    if (limit.rlim_cur >= wanted) return config.connections;
    const rlim_t within = std::max(limit.rlim_cur, beside + kConnectionsMin) - beside;
    log::info("fewer connections than asked for, by the limit on open files",
              {{"connections", static_cast<std::int64_t>(within)}});
    return within;
}

/// Holds the log open, and writes out what is queued on whatever way the scope is left.
struct OpenLog {
    explicit OpenLog(const Config& config)
    {
        log::start(static_cast<log::Level>(config.log_level),
                   config.log_format == cli::LogFormat::json ? log::Format::json : log::Format::text);
    }
    OpenLog(const OpenLog&) = delete;
    OpenLog& operator=(const OpenLog&) = delete;
    ~OpenLog() { log::stop(); }
};
static_assert(static_cast<int>(cli::LogLevel::error) == static_cast<int>(log::Level::error));

http::ServerOptions server_options(const Config& config)
{
    const auto whole = [](Micros span) { return std::chrono::ceil<std::chrono::milliseconds>(span); };
    http::ServerOptions options;
    options.host = config.host;
    options.port = config.port;
    options.threads = config.io_threads;
    options.connections_max = connections_within_limit(config);
    options.header_timeout = whole(config.header_timeout);
    options.body_timeout = whole(config.body_timeout);
    options.idle_timeout = whole(config.idle_timeout);
    return options;
}

void announce(std::string_view origin)
{
    fmt::print("boxoffice is open\n  storefront  {0}/\n  docs        {0}/docs\n  reference   {0}/redoc\n", origin);
    std::fflush(stdout);
}

int serve(const Config& config)
{
    cli::StopSignals signals;
    const OpenLog log_open(config);
    make_data_folder(config.data);

    const auto zones = make_zones();
    auto store = open_sqlite({.file = config.database, .readers = config.read_threads + 1}, *zones);
    RealClock clock;
    if (const auto latest = store->latest_instant()) {
        clock.not_before(*latest);
        if (*latest > system_now()) log::warn("the system clock is behind the store; time goes on from the store's latest row");
    }
    const auto hasher = make_bcrypt(config.bcrypt_cost);
    const auto signer = make_jwt(config.jwt_secret.empty() ? load_or_make_secret(config.data / "jwt-secret") : config.jwt_secret,
                                 std::chrono::minutes(config.token_minutes));

    Metrics metrics;
    metrics.build_info(cli::version());
    WriteLane writes(*store, {.depth_max = config.write_queue, .batch_max = config.write_batch}, metrics);
    WorkLane reads({.name = "read", .threads = config.read_threads, .depth_max = config.read_queue, .nice = 0}, metrics);
    WorkLane passwords(
        {.name = "password", .threads = config.password_threads, .depth_max = config.password_queue, .nice = kPasswordNice},
        metrics);
    Expiry expiry(*store, writes, clock, metrics);
    std::atomic<bool> draining{false};

    const auto api = http::make_api({.store = *store,
                                     .writes = writes,
                                     .reads = reads,
                                     .passwords = passwords,
                                     .clock = clock,
                                     .zones = *zones,
                                     .hasher = *hasher,
                                     .signer = *signer,
                                     .metrics = metrics,
                                     .hold = config.hold,
                                     .digest = sha256_hex,
                                     .random_hex = random_hex,
                                     .draining = draining});
    http::Server server(server_options(config), *api);

    constexpr std::string_view kDepth = "boxoffice_lane_depth";
    constexpr std::string_view kDepthHelp = "Work waiting in a lane.";
    metrics.gauge(kDepth, kDepthHelp, "lane", "write", [&writes] { return static_cast<double>(writes.depth()); });
    metrics.gauge(kDepth, kDepthHelp, "lane", "read", [&reads] { return static_cast<double>(reads.depth()); });
    metrics.gauge(kDepth, kDepthHelp, "lane", "password", [&passwords] { return static_cast<double>(passwords.depth()); });
    metrics.gauge("boxoffice_holds_live", "Tickets reserved now.", "", "",
                  [&source = *store] { return static_cast<double>(source.reserved_count()); });
    metrics.gauge("boxoffice_http_connections", "Connections open now.", "", "",
                  [&server] { return static_cast<double>(server.connections()); });

    expiry.start();
    server.start();
    announce(cli::browser_origin(config.host, server.port()));
    log::info("open", {{"version", cli::version()}, {"port", std::int64_t{server.port()}}});

    const std::string_view signal = signals.wait();
    log::info("closing: finishing what is in flight", {{"signal", signal}});
    draining = true;
    server.stop(kGrace);
    expiry.stop();
    passwords.stop();
    reads.stop();
    writes.stop();
    store.reset();
    log::info("closed");
    return 0;
}

int migrate_up(const Config& config)
{
    SqliteMigrator migrator(config.database);
    const auto applied = migrator.up();
    for (const std::string& name : applied) fmt::print("applied {}\n", name);
    if (applied.empty()) fmt::print("Nothing to apply: {} is up to date.\n", config.database.native());
    return 0;
}

int migrate_down(const Config& config)
{
    require_store(config);
    SqliteMigrator migrator(config.database);
    const auto undone = migrator.down();
    fmt::print("{}\n", undone ? "undid " + *undone : "Nothing to undo: no migration is applied.");
    return 0;
}

int migrate_status(const Config& config)
{
    require_store(config);
    SqliteMigrator migrator(config.database);
    for (const MigrationState& state : migrator.status()) fmt::print("[{}] {}\n", state.applied ? 'x' : ' ', state.name);
    return 0;
}

int play_demo(const Config& config)
{
    const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
    const auto first_day = config.demo_from.value_or(today);
    const auto zones = make_zones();
    const auto store = open_sqlite({.file = config.database, .readers = 1}, *zones);
    EventQuery any;
    any.limit = 1;
    const std::int64_t there = store->list_events(any).total;
    if (there > 0 && !config.demo_add) {
        throw std::runtime_error(
            fmt::format("{} already has {} events; give --add to add to them.", config.database.native(), there));
    }
    const auto catalogue = demo::make_catalogue({.events = config.demo_events, .seed = config.demo_seed, .first_day = first_day});

    // A day's distance, because the first day begins up to 14 hours earlier in the east; and never in the future, because
    // the server's clock goes on from the latest row.
    const Instant before = std::min(first_day, today) - std::chrono::days(1);
    int shown = -1;
    const auto progress = [&shown, terminal = ::isatty(STDERR_FILENO) == 1](double share) {
        const int percent = static_cast<int>(share * 100);
        if (!terminal || percent == shown) return;
        shown = percent;
        fmt::print(stderr, "\r{:3} %{}", percent, percent == 100 ? "\n" : "");
        std::fflush(stderr);
    };
    const auto totals = cli::play_catalogue(*store, catalogue, before, progress);
    fmt::print("Wrote {} events, {} people and {} paid tickets to {} (seed {}).\n", totals.events, totals.people, totals.tickets,
               config.database.native(), config.demo_seed);
    return 0;
}

int doctor(const Config& config)
{
    require_store(config);
    const auto findings = examine_sqlite(config.database, system_now());
    for (const Finding& finding : findings) {
        fmt::print("{} {}{}{}\n", finding.good ? "✓" : "✗", finding.what, finding.detail.empty() ? "" : ": ", finding.detail);
    }
    return std::all_of(findings.begin(), findings.end(), [](const Finding& finding) { return finding.good; }) ? 0 : 1;
}

int backup(const Config& config)
{
    require_store(config);
    backup_sqlite(config.database, config.backup_to);
    fmt::print("Copied {} to {} ({} bytes).\n", config.database.native(), config.backup_to.native(),
               std::filesystem::file_size(config.backup_to));
    return 0;
}

int print_version()
{
    fmt::print("boxoffice {}\nSQLite {}\nBoost {}.{}.{}\n{}\n", cli::version(), sqlite3_libversion(), BOOST_VERSION / 100'000,
               BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100, OpenSSL_version(OPENSSL_VERSION));
    return 0;
}

int run(const Config& config)
{
    switch (config.command) {
        case Command::serve:
            return serve(config);
        case Command::migrate_up:
            return migrate_up(config);
        case Command::migrate_down:
            return migrate_down(config);
        case Command::migrate_status:
            return migrate_status(config);
        case Command::demo:
            return play_demo(config);
        case Command::doctor:
            return doctor(config);
        case Command::backup:
            return backup(config);
        case Command::version:
            return print_version();
    }
    return 2;
}

}  // namespace

int main(int argc, char** argv)
{
    ::umask(0077);  // the store holds addresses, the data folder a secret: nobody else's to read
    try {
        const std::span<const char* const> arguments(argv, static_cast<std::size_t>(argc));
        const auto read = cli::read_config(arguments.subspan(arguments.empty() ? 0 : 1), why_weak);
        if (const auto* const stop = std::get_if<cli::Stop>(&read)) {
            std::fputs(stop->out.c_str(), stdout);
            std::fputs(stop->err.c_str(), stderr);
            return stop->code;
        }
        return run(std::get<Config>(read));
    } catch (const std::exception& accident) {
        fmt::print(stderr, "boxoffice: {}\n", accident.what());
        return 1;
    }
}
