#include "cli/settings.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace boxoffice::cli
{
namespace
{

template <class Number>
std::optional<Number> parse_number(std::string_view text)
{
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string toml_string(std::string_view text)
{
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

template <auto Member, std::uint64_t Least, std::uint64_t Most>
std::string set_whole(Config& config, std::string_view text)
{
    const auto number = parse_number<std::uint64_t>(text);
    if (!number || *number < Least || *number > Most) return fmt::format("a whole number from {} to {}", Least, Most);
    using Target = std::remove_reference_t<decltype(config.*Member)>;
    config.*Member = static_cast<Target>(*number);
    return {};
}

template <auto Member>
std::string show_whole(const Config& config)
{
    return fmt::format("{}", config.*Member);
}

std::string seconds_text(Micros span) { return fmt::format("{}", std::chrono::duration<double>(span).count()); }

template <auto Member, std::int64_t LeastMs, std::int64_t MostMs>
std::string set_seconds(Config& config, std::string_view text)
{
    const auto number = parse_number<double>(text);
    const double least = static_cast<double>(LeastMs) / 1000;
    const double most = static_cast<double>(MostMs) / 1000;
    if (!number || !(*number >= least && *number <= most)) return fmt::format("a number of seconds from {} to {}", least, most);
    config.*Member = Micros(std::llround(*number * 1e6));
    return {};
}

template <auto Member>
std::string show_seconds(const Config& config)
{
    return seconds_text(config.*Member);
}

template <auto Member>
std::string set_path(Config& config, std::string_view text)
{
    if (text.empty() || text.find('\0') != std::string_view::npos) return "a path";
    config.*Member = std::filesystem::path(text);
    return {};
}

template <auto Member>
std::string show_path(const Config& config)
{
    const std::filesystem::path& path = config.*Member;
    return path.empty() ? std::string() : toml_string(path.native());
}

std::string set_database_url(Config& config, std::string_view text)
{
    if (text.starts_with("postgres://") || text.starts_with("postgresql://")) {
        return "sqlite:PATH: this build has no PostgreSQL store";
    }
    constexpr std::string_view kScheme = "sqlite:";
    if (!text.starts_with(kScheme) || text.size() == kScheme.size()) return "sqlite:PATH, such as sqlite:data/boxoffice.db";
    config.database = std::filesystem::path(text.substr(kScheme.size()));
    return {};
}

std::string show_database_url(const Config& config)
{
    return config.database.empty() ? std::string() : toml_string("sqlite:" + config.database.native());
}

std::string set_listen(Config& config, std::string_view text)
{
    constexpr std::string_view kWanted = "HOST:PORT with a numeric host, such as 127.0.0.1:8000, 0.0.0.0:80 or [::1]:8000";
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::string(kWanted);
    std::string host(text.substr(0, colon));
    const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
    if (!port) return "HOST:PORT with a port from 0 to 65535";
    if (host == "localhost") host = "127.0.0.1";

    std::array<unsigned char, sizeof(in6_addr)> address{};
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (::inet_pton(bracketed ? AF_INET6 : AF_INET, host.c_str(), address.data()) != 1) return std::string(kWanted);
    config.host = host;
    config.port = *port;
    return {};
}

std::string show_listen(const Config& config)
{
    const bool v6 = config.host.find(':') != std::string::npos;
    return v6 ? fmt::format("\"[{}]:{}\"", config.host, config.port) : fmt::format("\"{}:{}\"", config.host, config.port);
}

std::string set_secret(Config& config, std::string_view text)
{
    if (text.empty()) return "a secret of at least 32 bytes";
    config.jwt_secret = text;
    return {};
}

std::string show_secret(const Config& config) { return config.jwt_secret.empty() ? std::string() : "\"********\""; }

std::string set_log_format(Config& config, std::string_view text)
{
    if (text != "text" && text != "json") return "text or json";
    config.log_format = text == "json" ? LogFormat::json : LogFormat::text;
    return {};
}

std::string show_log_format(const Config& config) { return config.log_format == LogFormat::json ? "\"json\"" : "\"text\""; }

constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warn", "error"};

std::string set_log_level(Config& config, std::string_view text)
{
    for (std::size_t i = 0; i < kLevels.size(); ++i) {
        if (kLevels[i] != text) continue;
        config.log_level = static_cast<LogLevel>(i);
        return {};
    }
    return "debug, info, warn or error";
}

std::string show_log_level(const Config& config) { return toml_string(kLevels[static_cast<std::size_t>(config.log_level)]); }

std::string set_from(Config& config, std::string_view text)
{
    constexpr std::string_view kWanted = "a day from 1970-01-01 to 9998-12-31, written YYYY-MM-DD";
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::string(kWanted);
    const auto year = parse_number<unsigned>(text.substr(0, 4));
    const auto month = parse_number<unsigned>(text.substr(5, 2));
    const auto day = parse_number<unsigned>(text.substr(8, 2));
    if (!year || !month || !day || *year < 1970 || *year > 9998) return std::string(kWanted);
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                           std::chrono::day(*day)};
    if (!date.ok()) return std::string(kWanted);
    config.demo_from = date;
    return {};
}

std::string show_nothing(const Config&) { return {}; }

constexpr unsigned kServe = bit(Command::serve);
constexpr unsigned kDemo = bit(Command::demo);
constexpr unsigned kStore = kServe | kDemo | bit(Command::migrate_up) | bit(Command::migrate_down) |
                            bit(Command::migrate_status) | bit(Command::doctor) | bit(Command::backup);

constexpr std::string_view kWhere = "Where the box office lives";
constexpr std::string_view kSelling = "Selling";
constexpr std::string_view kPeople = "Accounts and tokens";
constexpr std::string_view kWatching = "Log";
constexpr std::string_view kLimits = "Threads and limits";
constexpr std::string_view kCatalogue = "The catalogue";
constexpr auto kOpen = Visibility::open;

// The order is the order of --help and of --print-config.
constexpr std::array kSettings{
    Setting{"data", "DIR", kWhere, "folder for the store and the token secret; made when missing", "", kStore, "BOXOFFICE_DATA",
            kOpen, set_path<&Config::data>, show_path<&Config::data>},
    Setting{"database-url", "URL", kWhere, "the store: sqlite:PATH", "sqlite:DATA/boxoffice.db", kStore, "BOXOFFICE_DATABASE_URL",
            kOpen, set_database_url, show_database_url},
    Setting{"listen", "HOST:PORT", kWhere, "address to listen on; port 0 takes any free one", "", kServe, "BOXOFFICE_LISTEN",
            kOpen, set_listen, show_listen},
    Setting{"hold-seconds", "SECONDS", kSelling, "how long a reserved ticket waits for its payment: 0.5 to 86400", "", kServe,
            "BOXOFFICE_HOLD_SECONDS", kOpen, set_seconds<&Config::hold, 500, 86'400'000>, show_seconds<&Config::hold>},
    Setting{"bcrypt-cost", "N", kPeople, "work put into each password, 4 to 15; one more doubles it", "", kServe,
            "BOXOFFICE_BCRYPT_COST", kOpen, set_whole<&Config::bcrypt_cost, 4, 15>, show_whole<&Config::bcrypt_cost>},
    Setting{"token-minutes", "MINUTES", kPeople, "how long a login is good for: 1 to 10080", "", kServe,
            "BOXOFFICE_TOKEN_MINUTES", kOpen, set_whole<&Config::token_minutes, 1, 10'080>, show_whole<&Config::token_minutes>},
    Setting{"jwt-secret", "SECRET", kPeople,
            "secret that signs tokens, at least 32 bytes; other users of the machine can read a flag, so rather use the "
            "environment or the "
            "file",
            "made on first start, in DATA/jwt-secret", kServe, "BOXOFFICE_JWT_SECRET", Visibility::secret, set_secret,
            show_secret},
    Setting{"jwt-secret-file", "FILE", kPeople, "file to read that secret from", "", kServe, "BOXOFFICE_JWT_SECRET_FILE", kOpen,
            set_path<&Config::jwt_secret_file>, show_path<&Config::jwt_secret_file>},
    Setting{"log-format", "FORMAT", kWatching, "text for people, json for machines; on standard error", "", kServe,
            "BOXOFFICE_LOG_FORMAT", kOpen, set_log_format, show_log_format},
    Setting{"log-level", "LEVEL", kWatching, "debug, info, warn or error", "", kServe, "BOXOFFICE_LOG_LEVEL", kOpen,
            set_log_level, show_log_level},
    Setting{"io-threads", "N", kLimits, "threads that speak HTTP, 1 to 64", "one a core", kServe, "BOXOFFICE_IO_THREADS", kOpen,
            set_whole<&Config::io_threads, 1, 64>, show_whole<&Config::io_threads>},
    Setting{"read-threads", "N", kLimits, "threads that read the store, 1 to 64", "", kServe, "BOXOFFICE_READ_THREADS", kOpen,
            set_whole<&Config::read_threads, 1, 64>, show_whole<&Config::read_threads>},
    Setting{"password-threads", "N", kLimits, "threads that check passwords, at a low priority, 1 to 64", "", kServe,
            "BOXOFFICE_PASSWORD_THREADS", kOpen, set_whole<&Config::password_threads, 1, 64>,
            show_whole<&Config::password_threads>},
    Setting{"write-queue", "N", kLimits, "acts that may wait for the store before buyers hear 503: 1 to 1000000", "", kServe,
            "BOXOFFICE_WRITE_QUEUE", kOpen, set_whole<&Config::write_queue, 1, 1'000'000>, show_whole<&Config::write_queue>},
    Setting{"write-batch", "N", kLimits, "acts to one transaction and one disk sync at most: 1 to 10000", "", kServe,
            "BOXOFFICE_WRITE_BATCH", kOpen, set_whole<&Config::write_batch, 1, 10'000>, show_whole<&Config::write_batch>},
    Setting{"read-queue", "N", kLimits, "reads that may wait: 1 to 1000000", "", kServe, "BOXOFFICE_READ_QUEUE", kOpen,
            set_whole<&Config::read_queue, 1, 1'000'000>, show_whole<&Config::read_queue>},
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
    Setting{"from", "YYYY-MM-DD", kCatalogue, "the first day with events", "today", kDemo, "", kOpen, set_from, show_nothing},
};

}  // namespace

std::span<const Setting> settings() { return kSettings; }

const Setting* find_setting(std::string_view name)
{
    for (const Setting& setting : kSettings) {
        if (setting.name == name) return &setting;
    }
    return nullptr;
}

std::string browser_origin(std::string_view host, std::uint16_t port)
{
    if (host == "0.0.0.0") host = "127.0.0.1";
    if (host == "::") host = "::1";
    const bool v6 = host.find(':') != std::string_view::npos;
    return v6 ? fmt::format("http://[{}]:{}", host, port) : fmt::format("http://{}:{}", host, port);
}

}  // namespace boxoffice::cli
