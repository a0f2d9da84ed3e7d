#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/limits.hpp"
#include "core/rules.hpp"
#include "text/text.hpp"

namespace boxoffice
{

namespace
{

void add(std::vector<FieldError>& errors, std::string_view field, std::string msg, std::string type)
{
    errors.push_back({{"body", std::string(field)}, std::move(msg), std::move(type)});
}

/// Length first, then what must not be in it.
void check_line(std::string_view text, std::string_view field, std::string_view what, std::size_t most,
                std::vector<FieldError>& errors)
{
    if (text.empty()) {
        add(errors, field, fmt::format("{} has at least 1 character", what), "string_too_short");
    } else if (count_chars(text) > most) {
        add(errors, field, fmt::format("{} has at most {} characters", what, most), "string_too_long");
    } else if (const auto flaw = text::flaw_of(text, text::Kind::one_line)) {
        add(errors, field, std::string(flaw->sentence), std::string(flaw->type));
    }
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

std::size_t count_chars(std::string_view utf8)
{
    return static_cast<std::size_t>(
        std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string fold_email(std::string_view email)
{
    std::string folded(email);
    for (char& c : folded) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return folded;
}

void check_email(std::string_view email, std::vector<FieldError>& errors)
{
    if (email.size() > kEmailBytesMax) {
        return add(errors, "email", fmt::format("An e-mail address has at most {} bytes", kEmailBytesMax), "string_too_long");
    }
    // Whether there is such a mailbox is for a confirmation mail to find out; here only what no mail server takes is refused.
    const auto at = email.rfind('@');
    const auto local = email.substr(0, at == email.npos ? 0 : at);
    const auto host = at == email.npos ? std::nullopt : text::host_name(email.substr(at + 1));
    const bool good =
        is_dot_atom(local) && local.size() <= kEmailLocalBytesMax && host && local.size() + 1 + host->size() <= kEmailBytesMax;
    if (!good) add(errors, "email", "This is not an e-mail address that mail can be sent to", "value_error");
}

void check_password(std::string_view password, std::vector<FieldError>& errors)
{
    const std::string hashed = text::password_form(password);
    if (hashed.size() < kPasswordBytesMin) {
        add(errors, "password", fmt::format("A password has at least {} bytes", kPasswordBytesMin), "string_too_short");
    } else if (hashed.size() > kPasswordBytesMax) {
        add(errors, "password", fmt::format("A password has at most {} bytes", kPasswordBytesMax), "string_too_long");
    } else if (hashed.find('\0') != hashed.npos) {
        add(errors, "password", "A password has no NUL character", "value_error");
    }
}

void check_name(std::string_view name, std::vector<FieldError>& errors)
{
    check_line(name, "name", "A name", kNameCharsMax, errors);
}

void check_point(const GeoPoint& point, std::vector<std::string> loc, std::vector<FieldError>& errors)
{
    const auto check = [&](double value, double most, std::string_view field) {
        if (std::isfinite(value) && std::abs(value) <= most) return;
        auto where = loc;
        where.emplace_back(field);
        errors.push_back({std::move(where), fmt::format("Must be between -{} and {} degrees", most, most), "out_of_range"});
    };
    check(point.latitude, 90, "latitude");
    check(point.longitude, 180, "longitude");
}

void check_reference(std::string_view reference, std::vector<FieldError>& errors)
{
    check_line(reference, "payment_reference", "A payment reference", kReferenceCharsMax, errors);
}

}  // namespace boxoffice
