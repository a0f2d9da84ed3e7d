#include "core/fields.hpp"

#include <fmt/core.h>

#include <cmath>

#include "core/rules.hpp"

namespace boxoffice::fields
{

namespace
{

void add(Errors& errors, const Place& place, std::string msg, std::string_view type)
{
    errors.push_back({path_of(place), std::move(msg), std::string(type)});
}

void add_flaw(text::Kind kind, std::string_view value, const Place& place, Errors& errors)
{
    if (const auto flaw = text::flaw_of(value, kind)) add(errors, place, std::string(flaw->sentence), flaw->type);
}

/// RFC 5322's dot-atom: words of these characters with single dots between.
bool is_dot_atom(std::string_view local)
{
    constexpr std::string_view kBeside = "!#$%&'*+-/=?^_`{|}~.";
    const auto good = [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kBeside.find(c) != kBeside.npos;
    };
    return !local.empty() && local.front() != '.' && local.back() != '.' && local.find("..") == local.npos &&
           std::all_of(local.begin(), local.end(), good);
}

}  // namespace

std::vector<std::string> path_of(const Place& place)
{
    std::vector<std::string> path;
    for (const Place* at = &place; at != nullptr; at = at->outer) path.emplace_back(at->name);
    std::reverse(path.begin(), path.end());
    return path;
}

void check_length(const Text& rule, std::string_view value, const Place& place, Errors& errors)
{
    if (value.size() < rule.least) {
        add(errors, place, "Must not be empty", "string_too_short");
    } else if (count_chars(value) > rule.most) {
        add(errors, place, fmt::format("Has at most {} characters", rule.most), "string_too_long");
    }
}

void check_content(const Text& rule, std::string_view value, const Place& place, Errors& errors)
{
    if (!value.empty()) add_flaw(rule.kind, value, place, errors);  // an empty one is judged by its length
}

void check(const Line& rule, std::string_view value, const Place& place, Errors& errors)
{
    if (value.empty()) {
        add(errors, place, fmt::format("{} has at least 1 character", rule.what), "string_too_short");
    } else if (count_chars(value) > rule.most) {
        add(errors, place, fmt::format("{} has at most {} characters", rule.what, rule.most), "string_too_long");
    } else {
        add_flaw(text::Kind::one_line, value, place, errors);
    }
}

void check(const Mailbox& rule, std::string_view value, const Place& place, Errors& errors)
{
    if (value.size() > rule.most_bytes) {
        return add(errors, place, fmt::format("An e-mail address has at most {} bytes", rule.most_bytes), "string_too_long");
    }
    // Whether there is such a mailbox is for a confirmation mail to find out; here only what no mail server takes is refused.
    const auto at = value.rfind('@');
    const auto local = value.substr(0, at == value.npos ? 0 : at);
    const auto host = at == value.npos ? std::nullopt : text::host_name(value.substr(at + 1));
    const bool good =
        is_dot_atom(local) && local.size() <= kEmailLocalBytesMax && host && local.size() + 1 + host->size() <= rule.most_bytes;
    if (!good) add(errors, place, "This is not an e-mail address that mail can be sent to", "value_error");
}

void check(const Secret& rule, std::string_view value, const Place& place, Errors& errors)
{
    const std::string hashed = text::password_form(value);
    if (hashed.size() < rule.least_bytes) {
        add(errors, place, fmt::format("A password has at least {} bytes", rule.least_bytes), "string_too_short");
    } else if (hashed.size() > rule.most_bytes) {
        add(errors, place, fmt::format("A password has at most {} bytes", rule.most_bytes), "string_too_long");
    } else if (hashed.find('\0') != hashed.npos) {
        add(errors, place, "A password has no NUL character", "value_error");
    }
}

void check(const Whole& rule, std::int64_t value, const Place& place, Errors& errors)
{
    if (value < rule.least || value > rule.most)
        add(errors, place, fmt::format("Must be between {} and {}", rule.least, rule.most), "out_of_range");
}

void check(const Degrees& rule, double value, const Place& place, Errors& errors)
{
    if (std::isfinite(value) && std::abs(value) <= rule.most) return;
    add(errors, place, fmt::format("Must be between -{} and {} degrees", rule.most, rule.most), "out_of_range");
}

void check_identity(std::int64_t value, const Place& place, Errors& errors)
{
    if (value < 1) add(errors, place, "Input should be greater than or equal to 1", "greater_than_equal");
}

}  // namespace boxoffice::fields
