#pragma once
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "cli/config.hpp"

/// How each kind of value is read into a Config and shown as TOML: set_… says what the text must be, if it is not, and nothing
/// when it is set; show_… is empty when there is nothing to show.
namespace boxoffice::cli
{

/// The whole text as a number, or nothing.
template <class Number>
std::optional<Number> parse_number(std::string_view text)
{
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

[[nodiscard]] std::string toml_string(std::string_view text);

/// For a message that repeats what was typed: a text that may hold a password, as URLs and connection strings do, is cut down to
/// what surely holds none.
[[nodiscard]] std::string presentable(std::string_view text);

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
    return fmt::format("{}", std::chrono::duration<double>(config.*Member).count());
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

/// Text that another module validates: see Checks.
template <auto Member>
std::string set_text(Config& config, std::string_view text)
{
    if (text.empty()) return "not empty";
    config.*Member = text;
    return {};
}

template <auto Member>
std::string show_text(const Config& config)
{
    const std::string& text = config.*Member;
    return text.empty() ? std::string() : toml_string(text);
}

/// "true" and "false" are what a TOML file has for these.
template <auto Member>
std::string set_yes_or_no(Config& config, std::string_view text)
{
    if (text != "yes" && text != "no" && text != "true" && text != "false") return "yes or no";
    config.*Member = text == "yes" || text == "true";
    return {};
}

template <auto Member>
std::string show_yes_or_no(const Config& config)
{
    return config.*Member ? "\"yes\"" : "\"no\"";
}

template <auto Member>
std::string set_on_or_off(Config& config, std::string_view text)
{
    if (text != "on" && text != "off" && text != "true" && text != "false") return "on or off";
    config.*Member = text == "on" || text == "true";
    return {};
}

template <auto Member>
std::string show_on_or_off(const Config& config)
{
    return config.*Member ? "\"on\"" : "\"off\"";
}

std::string set_rate(RatePolicy& policy, std::string_view text);
std::string show_rate(const RatePolicy& policy);

template <auto Member>
std::string set_rate(Config& config, std::string_view text)
{
    return set_rate(config.*Member, text);
}

template <auto Member>
std::string show_rate(const Config& config)
{
    return show_rate(config.*Member);
}

std::string set_database_url(Config& config, std::string_view text);
std::string show_database_url(const Config& config);
std::string set_copy_source(Config& config, std::string_view text);
std::string set_copy_target(Config& config, std::string_view text);
std::string set_listen(Config& config, std::string_view text);
std::string show_listen(const Config& config);
std::string show_secret(const Config& config);
std::string set_site_url(Config& config, std::string_view text);
std::string set_mail(Config& config, std::string_view text);
std::string show_mail(const Config& config);
std::string set_proxies(Config& config, std::string_view text);
std::string show_proxies(const Config& config);
std::string set_origins(Config& config, std::string_view text);
std::string show_origins(const Config& config);
std::string set_accounts(Config& config, std::string_view text);
std::string show_accounts(const Config& config);
std::string set_log_format(Config& config, std::string_view text);
std::string show_log_format(const Config& config);
std::string set_log_level(Config& config, std::string_view text);
std::string show_log_level(const Config& config);
std::string set_first_day(Config& config, std::string_view text);
std::string show_nothing(const Config& config);

}  // namespace boxoffice::cli
