#pragma once
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "core/instant.hpp"
#include "core/rate.hpp"

/// What the operator wants, from four places that each override the next: flags, the environment, a TOML file, defaults.
/// Every mistake in all of them is found before anything is opened, and all are told at once: nobody mends a
/// configuration one restart at a time.
namespace boxoffice::cli
{

enum class Command : std::uint8_t {
    serve,
    worker,
    migrate_up,
    migrate_down,
    migrate_status,
    demo,
    doctor,
    backup,
    restore,
    copy,
    jobs_list,
    jobs_retry,
    jobs_drop,
    version
};
/// unset: read_config() leaves it so only with a shared store and no server for mail; then it is sent by those that have one.
enum class MailWay : std::uint8_t { unset, smtp, file, none };
enum class LogFormat : std::uint8_t { text, json };
enum class LogLevel : std::uint8_t { debug, info, warn, error };

/// The effective configuration. What a member is initialised with is the default that --help shows.
struct Config {
    Command command = Command::serve;

    std::filesystem::path data = "data";
    std::filesystem::path database;  // the SQLite file; DATA/boxoffice.db unless the URL says otherwise; copy's source
    std::string postgres_url;        // the shared store, copy's target; empty: the embedded one in `database`

    std::string redis_url;              // empty: none
    bool work = true;                   // serve on a shared store: what a worker does, too
    unsigned write_lanes = 2;           // of a shared store
    unsigned database_connections = 4;  // of a shared store: those that read; each write lane has one more
    Micros lock_timeout = std::chrono::seconds(15);
    Micros statement_timeout = std::chrono::seconds(15);

    std::string host = "127.0.0.1";  // numeric; an IPv6 address without its brackets
    std::uint16_t port = 8000;
    Micros hold = std::chrono::seconds(120);
    unsigned io_threads = std::clamp(std::thread::hardware_concurrency(), 1U, 64U);
    unsigned read_threads = 2;
    // What takes long has so many threads and no more; passwords leave a core to the sales, to which they also give way.
    unsigned search_threads = std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
    unsigned password_threads = std::clamp(std::thread::hardware_concurrency(), 2U, 17U) - 1;
    std::size_t write_queue = 8192;
    std::size_t write_batch = 512;
    std::size_t read_queue = 4096;
    std::size_t search_queue = 1024;
    std::size_t password_queue = 256;                     // a minute of logins at cost 12
    Micros read_deadline = std::chrono::seconds(5);       // longer than a user waits for a page
    Micros password_deadline = std::chrono::seconds(20);  // beside a crowd that signs in
    std::size_t connections = 20'000;
    Micros header_timeout = std::chrono::seconds(10);
    Micros body_timeout = std::chrono::seconds(10);
    Micros idle_timeout = std::chrono::seconds(30);

    int bcrypt_cost = 12;
    int token_minutes = 30;
    std::string jwt_secret;  // empty: the one kept in DATA/jwt-secret
    std::filesystem::path jwt_secret_file;

    MailWay mail = MailWay::unset;
    std::string smtp_url;  // empty: none
    std::string mail_from;
    std::string site_url;  // "https://tickets.example.org", no slash at its end; empty: no links in mails
    unsigned job_threads = 2;

    // A whole university may come from one address, and all of it in the minute before an on-sale: hence the bursts. The rates
    // are half of what one password thread can check, so that no address keeps the others from signing in. An account may
    // belong to a shop's own software; at a hundred a second it is still a small part of what a node carries.
    bool rate_limit = true;  // false: no client is limited, whatever the rates
    RatePolicy account_rate{.per_minute = 6000, .burst = 2000};
    RatePolicy login_rate{.per_minute = 120, .burst = 200};
    RatePolicy register_rate{.per_minute = 120, .burst = 200};
    // A venue chain's whole season, or a catalogue moved over in one go, fits; each costs its words in the index, for ever.
    std::int64_t events_per_account_day = 500;
    // Ten searches a second are more than a person asks; the burst is for the many behind one address.
    RatePolicy search_rate{.per_minute = 600, .burst = 600};
    // A person who tries all passwords they ever had is done within ten. The second is every address' together: beyond it
    // clients unknown to the account wait for each other, and none is refused.
    RatePolicy guess_rate{.per_minute = 4, .burst = 10};
    RatePolicy account_guess_rate{.per_minute = 20, .burst = 50};
    std::vector<std::string> trusted_proxies;    // addresses and CIDR blocks
    std::vector<std::int64_t> trusted_accounts;  // ids
    std::vector<std::string> cors_origins;       // as browsers send them; empty: no page of another origin may read answers

    // One client's share of what is scarce; 0: no limit.
    std::size_t connections_per_address = 512;
    std::size_t connections_per_64 = 128;
    std::size_t connections_per_48 = 1024;
    std::size_t live_feeds = 10'000;  // at most three quarters of the connections
    std::size_t live_feeds_per_address = 256;
    std::size_t live_feeds_per_account = 32;
    Micros live_max_age = std::chrono::minutes(15);
    std::size_t unsent_memory_mb = 48;
    std::size_t received_memory_mb = 24;
    std::size_t send_rate_kb = 64;

    LogFormat log_format = LogFormat::text;
    LogLevel log_level = LogLevel::info;

    std::int64_t demo_events = 1000;
    std::uint64_t demo_seed = 1;
    std::optional<std::chrono::sys_days> demo_from;  // none: today
    bool demo_add = false;                           // to a store that already has events

    std::filesystem::path backup_to;
    std::filesystem::path restore_from;  // empty: a shared store, into which its own tools have put the backup

    bool yes = false;           // migrate down: though rows are lost
    bool accept_clock = false;  // doctor: though times in the store are later

    std::vector<std::int64_t> jobs;  // which: their numbers, or
    bool all_dead_jobs = false;      // all that are dead
    bool dead_jobs_only = false;     // to list
    std::size_t jobs_limit = 50;
};

/// Nothing to run: the text for standard output or standard error, and the exit code (0, or 2 for a mistake).
struct Stop {
    int code = 0;
    std::string out;
    std::string err;
};

/// What the modules that will use a value have to say about it: nothing, or why it will not do. Connects to nothing.
struct Checks {
    using Check = std::string (*)(std::string_view);
    Check why_weak;  // the token secret
    Check why_bad_postgres_url;
    Check why_bad_redis_url;
    Check why_bad_smtp_url;
    Check why_bad_mail_from;
    Check hide_password;  // the URL with stars for its password; the same URL when it has none
};

/// Reads all four places. `arguments` are argv without the program's name. Prints nothing. Secrets, and passwords in URLs, appear
/// in no text it makes.
[[nodiscard]] std::variant<Config, Stop> read_config(std::span<const char* const> arguments, const Checks& checks);

/// "http://127.0.0.1:8000": where a browser on this machine finds a server that listens on `host`.
[[nodiscard]] std::string browser_origin(std::string_view host, std::uint16_t port);

}  // namespace boxoffice::cli
