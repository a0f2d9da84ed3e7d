#include "api/form.hpp"

#include <simdjson.h>

#include <algorithm>

namespace boxoffice::http
{

namespace
{

int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<std::string> decode(std::string_view encoded)
{
    std::string text;
    text.reserve(encoded.size());
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        if (encoded[i] == '+') {
            text += ' ';
        } else if (encoded[i] != '%') {
            text += encoded[i];
        } else {
            const int high = i + 1 < encoded.size() ? hex_value(encoded[i + 1]) : -1;
            const int low = i + 2 < encoded.size() ? hex_value(encoded[i + 2]) : -1;
            if (high < 0 || low < 0) return std::nullopt;
            text += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    if (!simdjson::validate_utf8(text.data(), text.size())) return std::nullopt;
    return text;
}

}  // namespace

std::optional<FormFields> parse_form(std::string_view encoded)
{
    FormFields fields;
    while (!encoded.empty()) {
        const std::string_view field = encoded.substr(0, encoded.find('&'));
        encoded.remove_prefix(field.size() < encoded.size() ? field.size() + 1 : field.size());
        if (field.empty()) continue;
        const auto equals = field.find('=');
        auto name = decode(field.substr(0, equals));
        auto value = decode(equals == field.npos ? std::string_view{} : field.substr(equals + 1));
        if (!name || !value) return std::nullopt;
        fields.emplace_back(std::move(*name), std::move(*value));
    }
    return fields;
}

bool has_repeated_field(const FormFields& fields)
{
    std::vector<std::string_view> names;
    names.reserve(fields.size());
    for (const auto& [name, value] : fields) names.push_back(name);
    std::sort(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) != names.end();
}

const std::string* find_field(const FormFields& fields, std::string_view name)
{
    const std::string* found = nullptr;
    for (const auto& [key, value] : fields) {
        if (key == name) found = &value;
    }
    return found;
}

}  // namespace boxoffice::http
