#include "main/parts.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>

#include "app/mail_notifier.hpp"
#include "mail/mail.hpp"
#include "runtime/clock.hpp"
#include "runtime/log_throttle.hpp"
#include "runtime/shared_clock.hpp"
#include "security/security.hpp"
#include "sqlite/sqlite.hpp"

namespace boxoffice
{

namespace
{

constexpr rlim_t kFilesOfTheProcess = 64;  // standard streams, log, signals, files of time zones, a backup
constexpr rlim_t kFilesToIoThread = 4;     // its listening socket, and what its event loop sleeps on
constexpr rlim_t kFilesToReader = 4;       // the store, its log, its index, one to spare
constexpr rlim_t kFilesToWriteLane = 2;    // its connection, and one to ask after a commit that was cut off
constexpr rlim_t kFilesBesideLanes = 8;    // listener, clock, migrations, one that is being replaced
constexpr rlim_t kFilesToRedis = 12;       // four connections, each perhaps beside the one that it replaces
constexpr rlim_t kFilesToJobThread = 8;    // a mail server, and looking up its name
constexpr std::size_t kKilobyte = 1024;
constexpr std::size_t kMegabyte = 1024 * kKilobyte;
constexpr rlim_t kConnectionsMin = 16;
constexpr unsigned kReadersBeside = 4;  // health, live feeds, expiry, jobs
/// How long a mail's turn waits for the write lane: a lane that is full for longer has other worries, and the job is tried again.
constexpr Micros kTurnPatience = std::chrono::seconds(30);
/// Due holds per transaction of the shared store: its round trips and its sync cost more than the embedded one's.
constexpr std::size_t kLapsedAtOnceShared = 2000;

/// As many as there are threads that may read at a time, so that no read waits for another one's connection.
unsigned readers_of(const cli::Config& config)
{
    return config.read_threads + config.search_threads + config.password_threads + kReadersBeside;
}

/// What else is open when all connections are.
rlim_t files_beside_connections(const cli::Config& config)
{
    rlim_t files = kFilesOfTheProcess + kFilesToIoThread * config.io_threads + kFilesToJobThread * config.job_threads;
    if (is_shared(config)) {
        files += kFilesToWriteLane * config.write_lanes + config.database_connections + config.search_threads + kFilesBesideLanes;
    } else {
        files += kFilesToReader * readers_of(config);
    }
    if (!config.redis_url.empty()) files += kFilesToRedis;
    return files;
}

/// A connection is an open file, and the usual limit of 1024 would end a rush long before --connections does. As many of the
/// connections as the process may be given files for, so that it turns clients away before it runs out of files.
std::size_t connections_within_limit(const cli::Config& config)
{
    const rlim_t beside = files_beside_connections(config);
    const rlim_t wanted = config.connections + http::turned_away_at_once(config.connections) + beside;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return config.connections;
    rlimit raised = limit;
    raised.rlim_cur = std::min(wanted, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    if (limit.rlim_cur >= wanted) return config.connections;
    auto within = static_cast<std::size_t>(std::max(limit.rlim_cur, beside + kConnectionsMin) - beside);
    while (within > kConnectionsMin && within + http::turned_away_at_once(within) + beside > limit.rlim_cur) {
        within -= 1 + within / 64;
    }
    within = std::max<std::size_t>(within, kConnectionsMin);
    log::info("connections limited by the limit on open files", {{"connections", static_cast<std::int64_t>(within)}});
    return within;
}

std::string consumer_name()
{
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    return fmt::format("{}:{}", host.data(), ::getpid());
}

/// Where there is none: publishes nothing, and delivers nothing.
class NullChangeBus final : public ChangeBus
{
public:
    void publish(std::span<const EventId>) noexcept override {}
    void listen(std::function<void(std::span<const EventId>)>) override {}
    [[nodiscard]] bool connected() const noexcept override { return false; }
};

/// The store's clock stands still for others to catch up, or is away from this machine's by more than a hold: one of them is
/// wrong.
bool is_right(const SharedClock& clock, Micros hold)
{
    constexpr Micros kBehind = std::chrono::seconds(1);
    return clock.behind() <= kBehind && std::chrono::abs(clock.behind_machine()) <= hold;
}

/// Of the embedded store's housekeeping; on its write lane's thread.
void warn_operator(std::string_view what)
{
    static LogThrottle throttle;
    if (const auto more = throttle.due()) log::warn("store housekeeping failed", {{"why", what}, {"unlogged", *more}});
}

/// A day's sales may be off by so much unnoticed: a virtual machine that was paused, a time daemon at work.
constexpr Micros kAheadMost = std::chrono::minutes(1);

std::string why_ahead(Micros ahead)
{
    return fmt::format(
        "the store's newest row is {} ahead of the system clock, and time goes on from there: events and holds end that much too "
        "early; if the system clock is right, stop the server and say so: boxoffice doctor --accept-clock",
        ahead >= std::chrono::days(2) ? fmt::format("{} days", ahead / std::chrono::days(1))
                                      : fmt::format("{} s", ahead / std::chrono::seconds(1)));
}

/// What a store and its processes judge by, and how far that is ahead of the clock that it is carried by.
template <class Kind>
void keep_time(OpenStore& open, std::unique_ptr<Kind> clock)
{
    const auto latest = open.store->latest_instant();
    if (latest) clock->not_before(*latest);
    open.ahead = [kind = clock.get()] { return kind->ahead(); };
    open.clock = std::move(clock);
    if (const Micros ahead = open.ahead(); ahead > std::chrono::seconds(1)) log::warn(why_ahead(ahead));
}

std::unique_ptr<Mailer> make_mailer(const cli::Config& config)
{
    // Without a name for them, the messages of a trial come from this machine.
    constexpr std::string_view kFromHere = "Box office <boxoffice@localhost>";
    switch (config.mail) {
        case cli::MailWay::smtp:
            return make_smtp({.url = config.smtp_url, .from = config.mail_from});
        case cli::MailWay::file:
            return make_mail_folder(
                {.folder = config.data / "mail", .from = config.mail_from.empty() ? std::string(kFromHere) : config.mail_from});
        case cli::MailWay::none:
            if (!config.smtp_url.empty()) log::warn("--mail is none: --smtp-url is not used, and no mail is sent");
            return nullptr;
        case cli::MailWay::unset:
            log::info("no mail is sent from here: it waits for a process with --smtp-url; where there is none, set --mail none");
            return nullptr;
    }
    return nullptr;
}

JobRunner::Job make_job(const cli::Config& config, const OpenStore& open, WriteLane& writes, Mailer* mailer, Shedding& shedding,
                        const std::atomic<bool>& stopping)
{
    if (!mailer) return [](const Effect&) {};  // those that need mail are not taken, and nothing follows from the others yet
    const auto is_stopping = [&stopping] { return stopping.load(); };
    MailNotifier::Callbacks callbacks;
    callbacks.execute = [&writes](const Act& act) { return submit_and_wait(writes, act, kTurnPatience); };
    callbacks.execute_with_retries = [&writes, is_stopping](const Act& act) {
        return submit_with_retries(writes, act, {.stopping = is_stopping});
    };
    callbacks.stopping = is_stopping;
    callbacks.left_out = [&shedding](UserId user) {
        shedding.refused("mail", "hourly_limit", {.address = {}, .account = user.value});
    };
    const auto notifier = std::make_shared<MailNotifier>(*open.store, *open.clock, *open.zones, *mailer, std::move(callbacks),
                                                         MailNotifierOptions{config.site_url});
    return [notifier](const Effect& effect) {
        if (notifier->notify(effect) == MailNotifier::Progress::partial) throw JobLeftOff();
    };
}

}  // namespace

static_assert(static_cast<int>(cli::LogLevel::error) == static_cast<int>(log::Level::error));

Instant system_now() { return std::chrono::floor<Micros>(std::chrono::system_clock::now()); }

OpenLog::OpenLog(const cli::Config& config)
{
    log::start(static_cast<log::Level>(config.log_level),
               config.log_format == cli::LogFormat::json ? log::Format::json : log::Format::text);
}
OpenLog::~OpenLog() { log::stop(); }

PostgresOptions postgres_options(const cli::Config& config)
{
    PostgresOptions options;
    options.url = config.postgres_url;
    options.lanes = config.write_lanes;
    options.readers = config.database_connections;
    options.searchers = config.search_threads;
    options.search_timeout = config.read_deadline;
    options.mails = config.mail != cli::MailWay::none;
    options.lock_timeout = config.lock_timeout;
    options.statement_timeout = config.statement_timeout;
    return options;
}

RedisOptions redis_options(const cli::Config& config) { return {.url = config.redis_url, .consumer = consumer_name()}; }

http::ServerOptions server_options(const cli::Config& config)
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
    options.client_connections = {
        .per_address = config.connections_per_address, .per_64 = config.connections_per_64, .per_48 = config.connections_per_48};
    options.unsent_bytes_max = config.unsent_memory_mb * kMegabyte;
    options.received_bytes_max = config.received_memory_mb * kMegabyte;
    options.send_rate_min = config.send_rate_kb * kKilobyte;
    options.client_limits = config.rate_limit;
    options.trusted_proxies = config.trusted_proxies;
    return options;
}

http::ShareLimits feed_limits(const cli::Config& config, std::size_t connections_max)
{
    http::ShareLimits limits{.total =
                                 std::min(config.live_feeds, std::max<std::size_t>(1, connections_max - connections_max / 4))};
    if (!config.rate_limit) return limits;
    const auto per_address = config.live_feeds_per_address;
    limits.per_address = per_address;
    limits.per_64 = (per_address + 3) / 4;
    limits.per_48 = 2 * per_address;
    limits.per_account = config.live_feeds_per_account;
    return limits;
}

OpenStore::OpenStore(const cli::Config& config) : zones(make_zones()), has_housekeeping(!is_shared(config))
{
    if (is_shared(config)) {
        PostgresOptions options = postgres_options(config);
        options.arrivals = &arrivals;
        store = open_postgres(options, *zones);
        auto shared = std::make_unique<SharedClock>([this] { return store->time().value_or(system_now()); });
        shared->share([this](Instant given) { return store->latest_time(given).value_or(given); });
        shared->read();
        shared->start();
        keep_time(*this, std::move(shared));
    } else {
        store = open_sqlite({.file = config.database,
                             .readers = readers_of(config),
                             .mails = config.mail != cli::MailWay::none,
                             .on_warning = warn_operator,
                             .arrivals = &arrivals},
                            *zones);
        keep_time(*this, std::make_unique<RealClock>());
    }
}

std::vector<http::OtherPart> OpenStore::others() const
{
    std::vector<http::OtherPart> parts;
    parts.push_back(
        {.name = "clock", .ok = [this] { return ahead() < kAheadMost; }, .why = [this] { return why_ahead(ahead()); }});
    if (!has_housekeeping) return parts;
    parts.push_back({.name = "housekeeping",
                     .ok = [this] { return store->upkeep().worry.empty(); },
                     .why = [this] { return store->upkeep().worry; }});
    return parts;
}

std::vector<http::OtherPart> others_of(const cli::Config& config, const OpenStore& open, const Shared& shared)
{
    std::vector<http::OtherPart> all = open.others();
    for (http::OtherPart& part : shared.others(config, *open.store)) all.push_back(std::move(part));
    if (const auto* const clock = dynamic_cast<const SharedClock*>(open.clock.get())) {
        all.push_back({.name = "store_clock",
                       .ok = [clock, most = config.hold] { return is_right(*clock, most); },
                       .trouble = "not in step with the nodes"});
    }
    return all;
}

Shared::Shared(const cli::Config& config, Store& store)
{
    if (config.redis_url.empty()) {
        if (is_shared(config)) bus = std::make_unique<NullChangeBus>();
        return;
    }
    const RedisOptions options = redis_options(config);
    if (is_shared(config)) {
        jobs = make_redis_jobs(options, {[&store] { return store.identity(); },
                                         [&store](const Effect& effect) { return store.has_effect(effect); }});
        bus = make_redis_change_bus(options);
    }
    rates = make_redis_rates(options, alone);
    watch = std::make_unique<RedisWatch>(options);
}

std::vector<http::OtherPart> Shared::others(const cli::Config& config, Store& store) const
{
    std::vector<http::OtherPart> parts;
    if (watch) {
        parts.push_back({.name = "redis", .ok = [&redis = *watch, log_of_it = std::make_shared<LogThrottle>()] {
                             const std::string trouble = redis.trouble();
                             if (!trouble.empty() && log_of_it->due())
                                 log::warn("Redis is unusable", {{"why", std::string_view(trouble)}});
                             return trouble.empty();
                         }});
    }
    if (is_shared(config)) parts.push_back({"rows", [&store] { return store.blocked_rows() == 0; }, "locked by another session"});
    return parts;
}

Work::Work(const cli::Config& config, const OpenStore& open, WriteLane& writes, Metrics& metrics, Shedding& shedding,
           JobStream* stream)
    : store_(*open.store),
      shared_(is_shared(config)),
      mailer_(make_mailer(config)),
      job_(make_job(config, open, writes, mailer_.get(), shedding, stopping_)),
      expiry_(*open.store, writes, *open.clock, metrics, {.at_once = shared_ ? kLapsedAtOnceShared : Expiry::Options{}.at_once}),
      // The stream has the jobs that need mail among others, and who takes from it takes what comes.
      jobs_(writes, *open.clock, can_mail(config) ? stream : nullptr, job_, metrics,
            {.threads = config.job_threads, .mail = can_mail(config)})
{
}

Work::~Work() { stop(); }

void Work::start()
{
    expiry_.start();
    jobs_.start();
    if (!shared_) return;
    store_.listen([this](StoreNotification notification) {
        if (notification == StoreNotification::hold_made) expiry_.look();
        if (notification == StoreNotification::effect_made) jobs_.wake();
    });
}

void Work::stop()
{
    stopping_ = true;
    if (shared_) store_.listen({});
    jobs_.stop();
    expiry_.stop();
}

void measure_store(Metrics& metrics, const OpenStore& open, const WriteLane& writes, const WorkLane& reads)
{
    Store& store = *open.store;
    constexpr std::string_view kDepth = "boxoffice_lane_depth";
    constexpr std::string_view kDepthHelp = "Work queued in a lane.";
    metrics.gauge(kDepth, kDepthHelp, "lane", "write", [&writes] { return static_cast<double>(writes.depth()); });
    metrics.gauge(kDepth, kDepthHelp, "lane", "read", [&reads] { return static_cast<double>(reads.depth()); });
    metrics.gauge("boxoffice_holds_active", "Tickets reserved now.", "", "",
                  [&store] { return static_cast<double>(store.reserved_count()); });
    metrics.gauge("boxoffice_store_locked_rows", "Rows of the database that another session keeps locked.", "", "",
                  [&store] { return static_cast<double>(store.blocked_rows()); });
    metrics.gauge("boxoffice_lane_deferred", "Acts deferred because of a locked row, or until their next step.", "", "",
                  [&writes] { return static_cast<double>(writes.parked()); });
    metrics.gauge("boxoffice_store_wal_bytes", "Size of the embedded store's write-ahead log.", "", "",
                  [&store] { return static_cast<double>(store.upkeep().log_bytes); });
    metrics.gauge("boxoffice_store_checkpoints_failed", "Checkpoints of the embedded store that failed, since the start.", "", "",
                  [&store] { return static_cast<double>(store.upkeep().checkpoints_failed); });
    if (const auto* const clock = dynamic_cast<const SharedClock*>(open.clock.get())) {
        const auto seconds = [](Micros span) { return std::chrono::duration<double>(span).count(); };
        metrics.gauge("boxoffice_store_clock_behind_seconds", "How far the store's clock is behind the time in use.", "", "",
                      [clock, seconds] { return seconds(clock->behind()); });
        metrics.gauge("boxoffice_store_clock_behind_machine_seconds", "How far the store's clock is behind this machine's.", "",
                      "", [clock, seconds] { return seconds(clock->behind_machine()); });
    }
    constexpr std::string_view kOutbox = "boxoffice_outbox";
    constexpr std::string_view kOutboxHelp = "Effects in the outbox: waiting for their job, or dead after its last try.";
    metrics.gauge(kOutbox, kOutboxHelp, "state", "waiting",
                  [&store] { return static_cast<double>(store.outbox_counts().waiting); });
    metrics.gauge(kOutbox, kOutboxHelp, "state", "dead", [&store] { return static_cast<double>(store.outbox_counts().dead); });
}

}  // namespace boxoffice
