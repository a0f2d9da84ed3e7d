#include "cli/settings.hpp"

#include <fmt/format.h>

#include "cli/setting_values.hpp"

namespace boxoffice::cli
{
namespace
{

constexpr unsigned kServe = bit(Command::serve);
constexpr unsigned kWorker = bit(Command::worker);
constexpr unsigned kBoth = kServe | kWorker;
constexpr unsigned kDemo = bit(Command::demo);
constexpr unsigned kBackup = bit(Command::backup);
constexpr unsigned kCopy = bit(Command::copy);
constexpr unsigned kDoctor = bit(Command::doctor);
constexpr unsigned kJobsList = bit(Command::jobs_list);
constexpr unsigned kJobs = kJobsList | bit(Command::jobs_retry) | bit(Command::jobs_drop);
constexpr unsigned kAnyStore = kServe | kDemo | kDoctor | kJobs | bit(Command::restore) | bit(Command::migrate_up) |
                               bit(Command::migrate_down) | bit(Command::migrate_status);

constexpr std::string_view kWhere = "Store and address";
constexpr std::string_view kShared = "Several machines, on one PostgreSQL store";
constexpr std::string_view kSelling = "Selling";
constexpr std::string_view kPeople = "Accounts and tokens";
constexpr std::string_view kMail = "Mail";
constexpr std::string_view kRates = "Rate limits, as BURST/PER_MINUTE: so many requests at once, so many a minute after";
constexpr std::string_view kShares = "One client's share of connections and memory";
constexpr std::string_view kWatching = "Log";
constexpr std::string_view kLimits = "Threads and limits";
constexpr std::string_view kCatalogue = "The catalogue";
constexpr std::string_view kOutbox = "The jobs";
constexpr std::string_view kCopying = "Source and target";
constexpr auto kOpen = Visibility::open;
constexpr auto kUrl = Visibility::url;

constexpr Setting kSettings[] = {
    Setting{"data", "DIR", kWhere, "folder for the store and the token secret", "", kAnyStore | kBackup, "BOXOFFICE_DATA", kOpen,
            set_path<&Config::data>, show_path<&Config::data>},
    Setting{
        "database-url", "URL", kWhere,
        "the store: sqlite:PATH, a file for one server, or postgresql://USER:PASSWORD@HOST/DATABASE, for many; other users of "
        "the machine can read a flag, so a password rather belongs into the environment or the file",
        "sqlite:DATA/boxoffice.db", kAnyStore, "BOXOFFICE_DATABASE_URL", kUrl, set_database_url, show_database_url},
    Setting{
        "database-url", "URL", kWhere,
        "the shared store, postgresql://USER:PASSWORD@HOST/DATABASE; other users of the machine can read a flag, so a password "
        "rather belongs into the environment or the file",
        "", kWorker, "BOXOFFICE_DATABASE_URL", kUrl, set_database_url, show_database_url},
    Setting{"database-url", "URL", kWhere, "the embedded store, sqlite:PATH", "sqlite:DATA/boxoffice.db", kBackup,
            "BOXOFFICE_DATABASE_URL", kUrl, set_database_url, show_database_url},
    Setting{"listen", "HOST:PORT", kWhere, "numeric address to listen on; port 0 takes any free one", "", kServe,
            "BOXOFFICE_LISTEN", kOpen, set_listen, show_listen},
    Setting{"listen", "HOST:PORT", kWhere, "numeric address for /health and /metrics; port 0 takes any free one", "", kWorker,
            "BOXOFFICE_LISTEN", kOpen, set_listen, show_listen},
    Setting{"from", "URL", kCopying, "the embedded store to copy, sqlite:PATH; it is only read", "", kCopy, "", kUrl,
            set_copy_source, show_nothing},
    Setting{"to", "URL", kCopying,
            "the shared store to copy it to, postgresql://USER@HOST/DATABASE; a password may stand in it, or better in the "
            "environment (PGPASSWORD) or in ~/.pgpass, where other users of the machine cannot read it",
            "", kCopy, "", kUrl, set_copy_target, show_nothing},

    Setting{"redis-url", "URL", kShared,
            "redis[s]://[[USER]:PASSWORD@]HOST[:PORT]: rate limits and the live feed are then shared, and jobs go to whichever "
            "worker is free",
            "", kBoth, "BOXOFFICE_REDIS_URL", kUrl, set_text<&Config::redis_url>, show_text<&Config::redis_url>},
    Setting{"redis-url", "URL", kShared, "redis[s]://[[USER]:PASSWORD@]HOST[:PORT]: check this Redis, too", "", kDoctor,
            "BOXOFFICE_REDIS_URL", kUrl, set_text<&Config::redis_url>, show_text<&Config::redis_url>},
    Setting{"redis-url", "URL", kShared, "jobs retried or dropped are removed from the dead letters of this Redis, too", "",
            bit(Command::jobs_retry) | bit(Command::jobs_drop), "BOXOFFICE_REDIS_URL", kUrl, set_text<&Config::redis_url>,
            show_text<&Config::redis_url>},
    Setting{"work", "yes|no", kShared, "whether this server also does what a worker does; with the embedded store it always does",
            "", kServe, "BOXOFFICE_WORK", kOpen, set_yes_or_no<&Config::work>, show_yes_or_no<&Config::work>},
    Setting{"write-lanes", "N", kShared, "concurrent write transactions, 1 to 16; all writes to one event go through one of them",
            "", kBoth, "BOXOFFICE_WRITE_LANES", kOpen, set_whole<&Config::write_lanes, 1, 16>, show_whole<&Config::write_lanes>},
    Setting{"database-connections", "N", kShared,
            "connections that read, 1 to 64; each write lane has one of its own beside them", "", kBoth,
            "BOXOFFICE_DATABASE_CONNECTIONS", kOpen, set_whole<&Config::database_connections, 1, 64>,
            show_whole<&Config::database_connections>},
    Setting{"lock-timeout", "SECONDS", kShared, "how long a write waits for a row that another session keeps locked: 0.1 to 50",
            "", kBoth, "BOXOFFICE_LOCK_TIMEOUT", kOpen, set_seconds<&Config::lock_timeout, 100, 50'000>,
            show_seconds<&Config::lock_timeout>},
    Setting{"statement-timeout", "SECONDS", kShared, "how long a statement may run: 0.1 to 3600", "", kBoth,
            "BOXOFFICE_STATEMENT_TIMEOUT", kOpen, set_seconds<&Config::statement_timeout, 100, 3'600'000>,
            show_seconds<&Config::statement_timeout>},

    Setting{"cors-origins", "LIST", kSelling,
            "origins (https://shop.example.org) whose pages may call the API from a browser; exact, with commas between", "none",
            kServe, "BOXOFFICE_CORS_ORIGINS", kOpen, set_origins, show_origins},
    Setting{"hold-seconds", "SECONDS", kSelling, "how long a reserved ticket waits for its payment: 0.5 to 86400", "", kServe,
            "BOXOFFICE_HOLD_SECONDS", kOpen, set_seconds<&Config::hold, 500, 86'400'000>, show_seconds<&Config::hold>},

    Setting{"bcrypt-cost", "N", kPeople, "work put into each new password, 4 to 15; one more doubles it", "", kServe,
            "BOXOFFICE_BCRYPT_COST", kOpen, set_whole<&Config::bcrypt_cost, 4, 15>, show_whole<&Config::bcrypt_cost>},
    Setting{"token-minutes", "MINUTES", kPeople, "how long a login is good for: 1 to 10080", "", kServe,
            "BOXOFFICE_TOKEN_MINUTES", kOpen, set_whole<&Config::token_minutes, 1, 10'080>, show_whole<&Config::token_minutes>},
    Setting{
        "jwt-secret", "SECRET", kPeople,
        "secret that signs tokens, at least 32 bytes, the same for all that share a store; other users of the machine can read "
        "a flag, so rather use the environment or the file",
        "made on first start, in DATA/jwt-secret; none with a shared store", kServe, "BOXOFFICE_JWT_SECRET", Visibility::secret,
        set_text<&Config::jwt_secret>, show_secret},
    Setting{"jwt-secret-file", "FILE", kPeople, "file to read that secret from", "", kServe, "BOXOFFICE_JWT_SECRET_FILE", kOpen,
            set_path<&Config::jwt_secret_file>, show_path<&Config::jwt_secret_file>},

    Setting{"mail", "WAY", kMail,
            "smtp: sent through --smtp-url; file: kept as files in DATA/mail, with the embedded store only; none: no mail is "
            "ever written",
            "smtp with --smtp-url; without it none with the embedded store, and with a shared one left to nodes that have it",
            kBoth, "BOXOFFICE_MAIL", kOpen, set_mail, show_mail},
    Setting{"smtp-url", "URL", kMail, "server that takes mail, smtp://[USER:PASSWORD@]HOST[:PORT] or smtps://…", "", kBoth,
            "BOXOFFICE_SMTP_URL", kUrl, set_text<&Config::smtp_url>, show_text<&Config::smtp_url>},
    Setting{"mail-from", "ADDRESS", kMail,
            "whom mail comes from, such as \"Box office <tickets@example.org>\"; needed with --smtp-url", "", kBoth,
            "BOXOFFICE_MAIL_FROM", kOpen, set_text<&Config::mail_from>, show_text<&Config::mail_from>},
    Setting{"site-url", "URL", kMail, "where links in mail lead, such as https://tickets.example.org; without it there are none",
            "", kBoth, "BOXOFFICE_SITE_URL", kOpen, set_site_url, show_text<&Config::site_url>},
    Setting{"job-threads", "N", kMail, "threads that run jobs, such as sending one mail, 1 to 64", "", kBoth,
            "BOXOFFICE_JOB_THREADS", kOpen, set_whole<&Config::job_threads, 1, 64>, show_whole<&Config::job_threads>},

    Setting{"rate-limit", "on|off", kRates, "off lets everything through", "", kServe, "BOXOFFICE_RATE_LIMIT", kOpen,
            set_on_or_off<&Config::rate_limit>, show_on_or_off<&Config::rate_limit>},
    Setting{"account-rate", "RATE", kRates, "requests of one account; 0/0 is no limit", "", kServe, "BOXOFFICE_ACCOUNT_RATE",
            kOpen, set_rate<&Config::account_rate>, show_rate<&Config::account_rate>},
    Setting{"login-rate", "RATE", kRates, "logins from one address", "", kServe, "BOXOFFICE_LOGIN_RATE", kOpen,
            set_rate<&Config::login_rate>, show_rate<&Config::login_rate>},
    Setting{"register-rate", "RATE", kRates, "new accounts from one address", "", kServe, "BOXOFFICE_REGISTER_RATE", kOpen,
            set_rate<&Config::register_rate>, show_rate<&Config::register_rate>},
    Setting{"events-per-account-day", "N", kRates, "events that one account may add in 24 hours, 0 to 1000000; 0 is no limit", "",
            kServe, "BOXOFFICE_EVENTS_PER_ACCOUNT_DAY", kOpen, set_whole<&Config::events_per_account_day, 0, 1'000'000>,
            show_whole<&Config::events_per_account_day>},
    Setting{"search-rate", "RATE", kRates,
            "searches of one account, or of one address without one: a search by words costs 1, around a wide place 5", "",
            kServe, "BOXOFFICE_SEARCH_RATE", kOpen, set_rate<&Config::search_rate>, show_rate<&Config::search_rate>},
    Setting{"guess-rate", "RATE", kRates, "wrong passwords for one account from one address", "", kServe, "BOXOFFICE_GUESS_RATE",
            kOpen, set_rate<&Config::guess_rate>, show_rate<&Config::guess_rate>},
    Setting{"account-guess-rate", "RATE", kRates,
            "wrong passwords for one account from all addresses: beyond it clients unknown to the account wait for each other",
            "", kServe, "BOXOFFICE_ACCOUNT_GUESS_RATE", kOpen, set_rate<&Config::account_guess_rate>,
            show_rate<&Config::account_guess_rate>},
    Setting{"trusted-accounts", "LIST", kRates,
            "ids of accounts, comma between, that no limit by account holds for: a shop's own software", "none", kServe,
            "BOXOFFICE_TRUSTED_ACCOUNTS", kOpen, set_accounts, show_accounts},
    Setting{"trusted-proxies", "LIST", kRates,
            "addresses or blocks (10.0.0.0/8, ::1) of proxies in front, whose X-Forwarded-For says who asks", "none is trusted",
            kServe, "BOXOFFICE_TRUSTED_PROXIES", kOpen, set_proxies, show_proxies},

    Setting{"connections-per-address", "N", kShares, "connections of one IPv4 address; 0 is no limit", "", kServe,
            "BOXOFFICE_CONNECTIONS_PER_ADDRESS", kOpen, set_whole<&Config::connections_per_address, 0, 1'000'000>,
            show_whole<&Config::connections_per_address>},
    Setting{"connections-per-64", "N", kShares, "connections of one IPv6 /64; 0 is no limit", "", kServe,
            "BOXOFFICE_CONNECTIONS_PER_64", kOpen, set_whole<&Config::connections_per_64, 0, 1'000'000>,
            show_whole<&Config::connections_per_64>},
    Setting{"connections-per-48", "N", kShares, "connections of one IPv6 /48; 0 is no limit", "", kServe,
            "BOXOFFICE_CONNECTIONS_PER_48", kOpen, set_whole<&Config::connections_per_48, 0, 1'000'000>,
            show_whole<&Config::connections_per_48>},
    Setting{"live-feeds", "N", kShares, "live feeds open at once, at most three quarters of --connections: 1 to 1000000", "",
            kServe, "BOXOFFICE_LIVE_FEEDS", kOpen, set_whole<&Config::live_feeds, 1, 1'000'000>, show_whole<&Config::live_feeds>},
    Setting{"live-feeds-per-address", "N", kShares,
            "live feeds of one IPv4 address; a quarter of it of one /64, twice of one /48; 0 is no limit", "", kServe,
            "BOXOFFICE_LIVE_FEEDS_PER_ADDRESS", kOpen, set_whole<&Config::live_feeds_per_address, 0, 1'000'000>,
            show_whole<&Config::live_feeds_per_address>},
    Setting{"live-feeds-per-account", "N", kShares, "live feeds of one account, where a token is shown; 0 is no limit", "",
            kServe, "BOXOFFICE_LIVE_FEEDS_PER_ACCOUNT", kOpen, set_whole<&Config::live_feeds_per_account, 0, 1'000'000>,
            show_whole<&Config::live_feeds_per_account>},
    Setting{"live-max-age", "SECONDS", kShares, "a live feed that is older ends, and its client comes again: 1 to 86400", "",
            kServe, "BOXOFFICE_LIVE_MAX_AGE", kOpen, set_seconds<&Config::live_max_age, 1'000, 86'400'000>,
            show_seconds<&Config::live_max_age>},
    Setting{"unsent-memory", "MB", kShares,
            "memory of answers that their clients have not taken; an eighth of it for one address: 8 to 65536", "", kServe,
            "BOXOFFICE_UNSENT_MEMORY", kOpen, set_whole<&Config::unsent_memory_mb, 8, 65'536>,
            show_whole<&Config::unsent_memory_mb>},
    Setting{"received-memory", "MB", kShares,
            "memory of requests above 2 KiB that are not answered yet; an eighth of it for one address: 4 to 65536", "", kServe,
            "BOXOFFICE_RECEIVED_MEMORY", kOpen, set_whole<&Config::received_memory_mb, 4, 65'536>,
            show_whole<&Config::received_memory_mb>},
    Setting{"send-rate", "KB", kShares,
            "per second: a client that reads an answer more slowly is cut while --unsent-memory is half used: 0 to 1000000", "",
            kServe, "BOXOFFICE_SEND_RATE", kOpen, set_whole<&Config::send_rate_kb, 0, 1'000'000>,
            show_whole<&Config::send_rate_kb>},

    Setting{"log-format", "FORMAT", kWatching, "text for people, json for machines; on standard error", "", kBoth,
            "BOXOFFICE_LOG_FORMAT", kOpen, set_log_format, show_log_format},
    Setting{"log-level", "LEVEL", kWatching, "debug, info, warn or error", "", kBoth, "BOXOFFICE_LOG_LEVEL", kOpen, set_log_level,
            show_log_level},

    Setting{"io-threads", "N", kLimits, "threads that serve HTTP, 1 to 64", "one per core", kServe, "BOXOFFICE_IO_THREADS", kOpen,
            set_whole<&Config::io_threads, 1, 64>, show_whole<&Config::io_threads>},
    Setting{"read-threads", "N", kLimits, "threads that read the store, 1 to 64", "", kServe, "BOXOFFICE_READ_THREADS", kOpen,
            set_whole<&Config::read_threads, 1, 64>, show_whole<&Config::read_threads>},
    Setting{"search-threads", "N", kLimits, "threads, and with a shared store connections, for expensive reads, 1 to 64",
            "one a core", kServe, "BOXOFFICE_SEARCH_THREADS", kOpen, set_whole<&Config::search_threads, 1, 64>,
            show_whole<&Config::search_threads>},
    Setting{"password-threads", "N", kLimits, "threads that check passwords, at a low priority, 1 to 64", "all cores but one",
            kServe, "BOXOFFICE_PASSWORD_THREADS", kOpen, set_whole<&Config::password_threads, 1, 64>,
            show_whole<&Config::password_threads>},
    Setting{"write-queue", "N", kLimits, "acts that may wait for the store before buyers hear 503: 1 to 1000000", "", kServe,
            "BOXOFFICE_WRITE_QUEUE", kOpen, set_whole<&Config::write_queue, 1, 1'000'000>, show_whole<&Config::write_queue>},
    Setting{"write-batch", "N", kLimits, "acts to one transaction and one disk sync at most: 1 to 10000", "", kServe,
            "BOXOFFICE_WRITE_BATCH", kOpen, set_whole<&Config::write_batch, 1, 10'000>, show_whole<&Config::write_batch>},
    Setting{"read-queue", "N", kLimits, "reads that may wait: 1 to 1000000", "", kServe, "BOXOFFICE_READ_QUEUE", kOpen,
            set_whole<&Config::read_queue, 1, 1'000'000>, show_whole<&Config::read_queue>},
    Setting{"search-queue", "N", kLimits, "expensive reads that may wait: 1 to 1000000", "", kServe, "BOXOFFICE_SEARCH_QUEUE",
            kOpen, set_whole<&Config::search_queue, 1, 1'000'000>, show_whole<&Config::search_queue>},
    Setting{"read-deadline", "SECONDS", kLimits,
            "a read that has waited for so long is answered 503, one that has run for so long is broken off: 0.1 to 600", "",
            kServe, "BOXOFFICE_READ_DEADLINE", kOpen, set_seconds<&Config::read_deadline, 100, 600'000>,
            show_seconds<&Config::read_deadline>},
    Setting{"password-deadline", "SECONDS", kLimits,
            "a login or registration that has waited for so long is answered 503: 0.1 to 600", "", kServe,
            "BOXOFFICE_PASSWORD_DEADLINE", kOpen, set_seconds<&Config::password_deadline, 100, 600'000>,
            show_seconds<&Config::password_deadline>},
    Setting{"password-queue", "N", kLimits, "passwords that may wait: 1 to 100000", "", kServe, "BOXOFFICE_PASSWORD_QUEUE", kOpen,
            set_whole<&Config::password_queue, 1, 100'000>, show_whole<&Config::password_queue>},
    Setting{"connections", "N", kLimits, "connections open at once: 1 to 1000000", "", kServe, "BOXOFFICE_CONNECTIONS", kOpen,
            set_whole<&Config::connections, 1, 1'000'000>, show_whole<&Config::connections>},
    Setting{"header-timeout", "SECONDS", kLimits, "for a request's header to arrive: 0.1 to 3600", "", kServe,
            "BOXOFFICE_HEADER_TIMEOUT", kOpen, set_seconds<&Config::header_timeout, 100, 3'600'000>,
            show_seconds<&Config::header_timeout>},
    Setting{"body-timeout", "SECONDS", kLimits, "for its body: 0.1 to 3600", "", kServe, "BOXOFFICE_BODY_TIMEOUT", kOpen,
            set_seconds<&Config::body_timeout, 100, 3'600'000>, show_seconds<&Config::body_timeout>},
    Setting{"idle-timeout", "SECONDS", kLimits, "between requests of one connection: 0.1 to 3600", "", kServe,
            "BOXOFFICE_IDLE_TIMEOUT", kOpen, set_seconds<&Config::idle_timeout, 100, 3'600'000>,
            show_seconds<&Config::idle_timeout>},

    Setting{"events", "N", kCatalogue, "how many events, 1 to 1000000", "", kDemo, "", kOpen,
            set_whole<&Config::demo_events, 1, 1'000'000>, show_whole<&Config::demo_events>},
    Setting{"seed", "S", kCatalogue, "the same seed gives the same catalogue", "", kDemo, "", kOpen,
            set_whole<&Config::demo_seed, 0, UINT64_MAX>, show_whole<&Config::demo_seed>},
    Setting{"limit", "N", kOutbox, "list so many at most, 1 to 10000", "", kJobsList, "", kOpen,
            set_whole<&Config::jobs_limit, 1, 10'000>, show_whole<&Config::jobs_limit>},
    Setting{"from", "YYYY-MM-DD", kCatalogue, "the first day with events", "today", kDemo, "", kOpen, set_first_day,
            show_nothing},
};

constexpr std::uint16_t kWorkerPort = 8001;  // so that a server and a worker of one machine do not meet

}  // namespace

std::span<const Setting> settings() { return kSettings; }

const Setting* find_setting(std::string_view name, Command command)
{
    const Setting* found = nullptr;
    for (const Setting& setting : kSettings) {
        if (setting.name != name) continue;
        if ((setting.commands & bit(command)) != 0) return &setting;
        found = &setting;
    }
    return found;
}

Config defaults(Command command)
{
    Config config;
    config.command = command;
    if (command == Command::worker) config.port = kWorkerPort;
    return config;
}

std::string browser_origin(std::string_view host, std::uint16_t port)
{
    if (host == "0.0.0.0") host = "127.0.0.1";
    if (host == "::") host = "::1";
    const bool v6 = host.find(':') != std::string_view::npos;
    return v6 ? fmt::format("http://[{}]:{}", host, port) : fmt::format("http://{}:{}", host, port);
}

}  // namespace boxoffice::cli
