#include "cli/setting_values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace boxoffice::cli
{
namespace
{

constexpr double kBurstMax = 1e9;  // of either number of a rate: more than any machine answers
constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 3> kMailWays{"smtp", "file", "none"};  // MailWay after unset

bool is_address(int family, const std::string& text)
{
    std::array<unsigned char, sizeof(in6_addr)> address{};
    return ::inet_pton(family, text.c_str(), address.data()) == 1;
}

bool is_postgres(std::string_view url) { return url.starts_with("postgres://") || url.starts_with("postgresql://"); }

/// The path of "sqlite:PATH"; empty when it is no such thing.
std::string_view sqlite_path(std::string_view url)
{
    constexpr std::string_view kScheme = "sqlite:";
    if (!url.starts_with(kScheme) || url.find('\0') != std::string_view::npos) return {};
    return url.substr(kScheme.size());
}

/// Why the path of a sqlite URL would not be the file that its author means; empty when it is one.
std::string why_no_file(std::string_view path)
{
    if (path.starts_with(":memory:") || path.find("mode=memory") != path.npos)
        return "a file: a store in memory would be gone with the process, and with it every sale";
    if (path.starts_with("file:")) return "a plain path, such as sqlite:data/boxoffice.db, and no file: URI";
    if (path.find('?') != path.npos) return "a plain path without parameters: there are none";
    if (path.starts_with(':')) return "a file: names that begin with a colon mean something else to SQLite";
    if (path.ends_with('/')) return "a file, such as sqlite:data/boxoffice.db, and not a folder";
    return {};
}

/// "10.0.0.1", "10.0.0.0/8", "fd00::/8".
bool is_network(std::string_view text)
{
    const std::size_t slash = text.find('/');
    const std::string address(text.substr(0, slash));
    const int family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
    if (!is_address(family, address)) return false;
    if (slash == std::string_view::npos) return true;
    const auto bits = parse_number<unsigned>(text.substr(slash + 1));
    return bits && *bits <= (family == AF_INET ? 32U : 128U);
}

/// An origin as browsers send it (RFC 6454, 6.2): in lower case, without the port that goes without saying; empty for anything
/// else.
std::string origin_of(std::string_view text)
{
    std::string origin(text);
    std::transform(origin.begin(), origin.end(), origin.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const bool secure = origin.starts_with("https://");
    if (!secure && !origin.starts_with("http://")) return {};
    const std::size_t begin = secure ? 8 : 7;
    std::string host = origin.substr(begin);
    const std::size_t colon = host.rfind(':');
    if (colon != host.npos && host.find(']', colon) == host.npos) {
        const auto port = parse_number<std::uint16_t>(std::string_view(host).substr(colon + 1));
        if (!port || *port == 0) return {};
        host.resize(colon);
        if (*port != (secure ? 443 : 80))
            origin = origin.substr(0, begin) + host + ':' + std::to_string(*port);
        else
            origin = origin.substr(0, begin) + host;
    }
    const bool is_v6 = host.starts_with('[') && host.ends_with(']') && is_address(AF_INET6, host.substr(1, host.size() - 2));
    const bool is_name = !host.empty() && host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == host.npos;
    return is_v6 || is_name ? origin : std::string();
}

std::string_view without_blanks(std::string_view text)
{
    constexpr std::string_view kBlank = " \t";
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

std::string toml_string(std::string_view text)
{
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string presentable(std::string_view text)
{
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (text.find('@') == std::string_view::npos && lower.find("passw") == std::string::npos) return std::string(text);
    const std::size_t scheme = text.find("://");
    return scheme == std::string_view::npos ? "…" : std::string(text.substr(0, scheme)) + "://…";
}

std::string set_rate(RatePolicy& policy, std::string_view text)
{
    constexpr std::string_view kWanted = "BURST/PER_MINUTE, such as 2000/6000, or 0/0 for no limit";
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return std::string(kWanted);
    const auto burst = parse_number<double>(text.substr(0, slash));
    const auto per_minute = parse_number<double>(text.substr(slash + 1));
    if (!burst || !per_minute) return std::string(kWanted);
    const bool unlimited = *burst == 0 && *per_minute == 0;
    if (!unlimited && !(*burst >= 1 && *burst <= kBurstMax && *per_minute > 0 && *per_minute <= kBurstMax))
        return std::string(kWanted) + ": a burst of at least 1, and more than 0 a minute";
    policy = {.per_minute = *per_minute, .burst = *burst};
    return {};
}

std::string show_rate(const RatePolicy& policy) { return fmt::format("\"{}/{}\"", policy.burst, policy.per_minute); }

std::string set_database_url(Config& config, std::string_view text)
{
    if (is_postgres(text)) {
        config.postgres_url = text;
        return {};
    }
    const std::string_view path = sqlite_path(text);
    if (path.empty()) return "sqlite:PATH, such as sqlite:data/boxoffice.db, or postgresql://USER@HOST/DATABASE";
    if (std::string why = why_no_file(path); !why.empty()) return why;
    config.database = std::filesystem::path(path);
    return {};
}

std::string show_database_url(const Config& config)
{
    if (!config.postgres_url.empty()) return toml_string(config.postgres_url);
    return config.database.empty() ? std::string() : toml_string("sqlite:" + config.database.native());
}

std::string set_copy_source(Config& config, std::string_view text)
{
    if (is_postgres(text)) return "sqlite:PATH: copy goes one way, from an embedded store to a shared one";
    const std::string_view path = sqlite_path(text);
    if (path.empty()) return "sqlite:PATH, such as sqlite:data/boxoffice.db";
    if (std::string why = why_no_file(path); !why.empty()) return why;
    config.database = std::filesystem::path(path);
    return {};
}

std::string set_copy_target(Config& config, std::string_view text)
{
    if (!sqlite_path(text).empty())
        return "postgresql://USER@HOST/DATABASE: copy goes one way, to a shared store (boxoffice backup copies an embedded one)";
    if (!is_postgres(text)) return "postgresql://USER@HOST/DATABASE";
    config.postgres_url = text;
    return {};
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

    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (!is_address(bracketed ? AF_INET6 : AF_INET, host)) return std::string(kWanted);
    config.host = host;
    config.port = *port;
    return {};
}

std::string show_listen(const Config& config)
{
    const bool v6 = config.host.find(':') != std::string::npos;
    return v6 ? fmt::format("\"[{}]:{}\"", config.host, config.port) : fmt::format("\"{}:{}\"", config.host, config.port);
}

std::string show_secret(const Config& config) { return config.jwt_secret.empty() ? std::string() : "\"********\""; }

std::string set_site_url(Config& config, std::string_view text)
{
    constexpr std::string_view kWanted =
        "http://HOST or https://HOST, with a path if need be, such as https://tickets.example.org";
    while (text.ends_with('/')) text.remove_suffix(1);
    const std::size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
    if (scheme == 0 || text.size() == scheme || text[scheme] == '/') return std::string(kWanted);
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c <= '~' && std::string_view("\"'<>\\^`{|}?#@").find(c) == std::string_view::npos;
    });
    if (!plain) return std::string(kWanted);
    config.site_url = text;
    return {};
}

std::string set_proxies(Config& config, std::string_view text)
{
    std::vector<std::string> networks;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        const std::string_view network = without_blanks(text.substr(at, comma - at));
        if (!is_network(network))
            return "addresses and blocks of addresses between commas, such as 10.0.0.0/8, 127.0.0.1, fd00::/8";
        networks.emplace_back(network);
        at = comma + 1;
    }
    config.trusted_proxies = std::move(networks);
    return {};
}

std::string show_proxies(const Config& config)
{
    const auto& networks = config.trusted_proxies;
    return networks.empty() ? std::string() : toml_string(fmt::format("{}", fmt::join(networks, ", ")));
}

std::string set_origins(Config& config, std::string_view text)
{
    constexpr std::string_view kWanted =
        "exact origins between commas, such as https://shop.example.org, http://localhost:5173: no path, no star";
    std::vector<std::string> origins;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        const std::string origin = origin_of(without_blanks(text.substr(at, comma - at)));
        if (origin.empty()) return std::string(kWanted);
        origins.push_back(origin);
        at = comma + 1;
    }
    config.cors_origins = std::move(origins);
    return {};
}

std::string show_origins(const Config& config)
{
    const auto& origins = config.cors_origins;
    return origins.empty() ? std::string() : toml_string(fmt::format("{}", fmt::join(origins, ", ")));
}

std::string set_accounts(Config& config, std::string_view text)
{
    std::vector<std::int64_t> accounts;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        const auto account = parse_number<std::int64_t>(without_blanks(text.substr(at, comma - at)));
        if (!account || *account < 1) return "ids of accounts between commas, such as 12, 845";
        accounts.push_back(*account);
        at = comma + 1;
    }
    config.trusted_accounts = std::move(accounts);
    return {};
}

std::string show_accounts(const Config& config)
{
    const auto& accounts = config.trusted_accounts;
    return accounts.empty() ? std::string() : toml_string(fmt::format("{}", fmt::join(accounts, ", ")));
}

std::string set_log_format(Config& config, std::string_view text)
{
    if (text != "text" && text != "json") return "text or json";
    config.log_format = text == "json" ? LogFormat::json : LogFormat::text;
    return {};
}

std::string show_log_format(const Config& config) { return config.log_format == LogFormat::json ? "\"json\"" : "\"text\""; }

std::string set_mail(Config& config, std::string_view text)
{
    for (std::size_t i = 0; i < kMailWays.size(); ++i) {
        if (kMailWays[i] != text) continue;
        config.mail = static_cast<MailWay>(i + 1);
        return {};
    }
    return "smtp, file or none";
}

std::string show_mail(const Config& config)
{
    return config.mail == MailWay::unset ? std::string() : toml_string(kMailWays[static_cast<std::size_t>(config.mail) - 1]);
}

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

std::string set_first_day(Config& config, std::string_view text)
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

}  // namespace boxoffice::cli
