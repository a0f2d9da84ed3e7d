#include <algorithm>

#include "core/event_fields.hpp"
#include "core/fields.hpp"
#include "core/rules.hpp"

namespace boxoffice
{

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
    fields::check(fields::kEmail, email, {&fields::kBody, "email"}, errors);
}

void check_password(std::string_view password, std::vector<FieldError>& errors)
{
    fields::check(fields::kPassword, password, {&fields::kBody, "password"}, errors);
}

void check_name(std::string_view name, std::vector<FieldError>& errors)
{
    fields::check(fields::kName, name, {&fields::kBody, "name"}, errors);
}

void check_point(const GeoPoint& point, const fields::Place& place, std::vector<FieldError>& errors)
{
    fields::check_value(fields::Object{fields::kPoint}, point, place, errors);
}

void check_reference(std::string_view reference, std::vector<FieldError>& errors)
{
    fields::check(fields::kReference, reference, {&fields::kBody, "payment_reference"}, errors);
}

}  // namespace boxoffice
