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

#include "core/instant.hpp"

/// What the operator wants, from four places that each override the next: flags, the environment, a TOML file, defaults.
/// Every mistake in all of them is found before anything is opened, and all are told at once: nobody mends a
/// configuration one restart at a time.
namespace boxoffice::cli
{

enum class Command : std::uint8_t { serve, migrate_up, migrate_down, migrate_status, demo, doctor, backup, version };
enum class LogFormat : std::uint8_t { text, json };
enum class LogLevel : std::uint8_t { debug, info, warn, error };

/// The effective configuration. What a member is initialised with is the default that --help shows.
struct Config {
    Command command = Command::serve;

    std::filesystem::path data = "data";
    std::filesystem::path database;  // the SQLite file; DATA/boxoffice.db unless the URL says otherwise

    std::string host = "127.0.0.1";  // numeric; an IPv6 address without its brackets
    std::uint16_t port = 8000;
    Micros hold = std::chrono::seconds(120);
    unsigned io_threads = std::clamp(std::thread::hardware_concurrency(), 1U, 64U);
    unsigned read_threads = 2;
    unsigned password_threads = 1;  // a login flood may slow logins, not sales
    std::size_t write_queue = 8192;
    std::size_t write_batch = 512;
    std::size_t read_queue = 4096;
    std::size_t password_queue = 256;  // a minute of logins at cost 12
    std::size_t connections = 20'000;
    Micros header_timeout = std::chrono::seconds(10);
    Micros body_timeout = std::chrono::seconds(10);
    Micros idle_timeout = std::chrono::seconds(30);

    int bcrypt_cost = 12;
    int token_minutes = 30;
    std::string jwt_secret;  // empty: the one kept in DATA/jwt-secret
    std::filesystem::path jwt_secret_file;

    LogFormat log_format = LogFormat::text;
    LogLevel log_level = LogLevel::info;

    std::int64_t demo_events = 1000;
    std::uint64_t demo_seed = 1;
    std::optional<std::chrono::sys_days> demo_from;  // none: today
    bool demo_add = false;                           // to a store that already has events

    std::filesystem::path backup_to;
};

/// Nothing to run: the text for standard output or standard error, and the exit code (0, or 2 for a mistake).
struct Stop {
    int code = 0;
    std::string out;
    std::string err;
};

/// Reads all four places. `arguments` are argv without the program's name; `why_weak` says why a token secret is refused, or
/// nothing. Prints nothing. Secrets appear in no text it makes.
[[nodiscard]] std::variant<Config, Stop> read_config(std::span<const char* const> arguments,
                                                     std::string (*why_weak)(std::string_view));

/// "http://127.0.0.1:8000": where a browser on this machine finds a server that listens on `host`.
[[nodiscard]] std::string browser_origin(std::string_view host, std::uint16_t port);

}  // namespace boxoffice::cli
