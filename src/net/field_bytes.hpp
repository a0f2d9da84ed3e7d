#pragma once
#include <array>
#include <string_view>

/// Which bytes a token and a field's value are made of.
namespace boxoffice::http
{

inline constexpr auto kTokenBytes = [] {  // RFC 9110, 5.6.2: tchar
    std::array<bool, 256> table{};
    for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")) {
        table[static_cast<unsigned char>(c)] = true;
    }
    return table;
}();

[[nodiscard]] inline bool is_value_byte(char c)
{
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace boxoffice::http
