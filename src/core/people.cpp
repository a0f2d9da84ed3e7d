#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/limits.hpp"
#include "core/rules.hpp"

namespace boxoffice
{

namespace
{

void add(std::vector<FieldError>& errors, std::string_view field, std::string msg, std::string type)
{
    errors.push_back({{"body", std::string(field)}, std::move(msg), std::move(type)});
}

bool is_visible_ascii(char c) { return c > 0x20 && c < 0x7f; }

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
    // Deliverability is for a confirmation mail to find out; here only what can never be an address is refused.
    const auto at = email.rfind('@');
    const auto local = email.substr(0, at == email.npos ? 0 : at);
    const auto domain = at == email.npos ? std::string_view{} : email.substr(at + 1);
    const auto good_byte = [](char c) { return is_visible_ascii(c) || static_cast<unsigned char>(c) >= 0x80; };
    const bool good = !local.empty() && local.find('@') == local.npos && domain.find('.') != domain.npos &&
                      domain.front() != '.' && domain.back() != '.' && domain.find("..") == domain.npos &&
                      std::all_of(email.begin(), email.end(), good_byte);
    if (!good) add(errors, "email", "This is not an e-mail address", "value_error");
}

void check_password(std::string_view password, std::vector<FieldError>& errors)
{
    if (password.size() < kPasswordBytesMin) {
        add(errors, "password", fmt::format("A password has at least {} bytes", kPasswordBytesMin), "string_too_short");
    } else if (password.size() > kPasswordBytesMax) {
        add(errors, "password", fmt::format("A password has at most {} bytes", kPasswordBytesMax), "string_too_long");
    } else if (password.find('\0') != password.npos) {
        add(errors, "password", "A password has no NUL character", "value_error");
    }
}

void check_name(std::string_view name, std::vector<FieldError>& errors)
{
    if (name.empty()) {
        add(errors, "name", "A name has at least 1 character", "string_too_short");
    } else if (count_chars(name) > kNameCharsMax) {
        add(errors, "name", fmt::format("A name has at most {} characters", kNameCharsMax), "string_too_long");
    }
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
    if (reference.empty()) {
        add(errors, "payment_reference", "A payment reference has at least 1 character", "string_too_short");
    } else if (count_chars(reference) > kReferenceCharsMax) {
        add(errors, "payment_reference", fmt::format("A payment reference has at most {} characters", kReferenceCharsMax),
            "string_too_long");
    }
}

}  // namespace boxoffice
