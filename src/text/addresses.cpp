#include <unicode/bytestream.h>
#include <unicode/idna.h>

#include <algorithm>
#include <memory>

#include "text/icu.hpp"
#include "text/text.hpp"

namespace boxoffice::text
{

namespace
{

constexpr std::size_t kHostBytesMax = 253;  // RFC 1035: 255 octets on the wire

/// UTS 46 as browsers and mail servers have it today: ß stays ß, and only letters, digits and hyphens are allowed.
const icu::IDNA& uts46()
{
    static const std::unique_ptr<const icu::IDNA> idna = [] {
        constexpr std::uint32_t kOptions = UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ | UIDNA_CHECK_CONTEXTO |
                                           UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE;
        UErrorCode error = U_ZERO_ERROR;
        std::unique_ptr<const icu::IDNA> made(icu::IDNA::createUTS46Instance(kOptions, error));
        check(error);
        return made;
    }();
    return *idna;
}

/// By UTS 46, lower case; nothing when it breaks a rule.
std::optional<std::string> to_ascii(std::string_view domain)
{
    std::string ascii;
    icu::StringByteSink<std::string> sink(&ascii);
    icu::IDNAInfo info;
    UErrorCode error = U_ZERO_ERROR;
    uts46().nameToASCII_UTF8(icu::StringPiece(domain.data(), static_cast<std::int32_t>(domain.size())), sink, info, error);
    if (error == U_INPUT_TOO_LONG_ERROR) return std::nullopt;  // a label of which ICU does not even begin to make ASCII
    check(error);
    // Hyphens in the third and fourth place are in use, and mean nothing unless an x and an n stand before them.
    constexpr std::uint32_t kHarmless = UIDNA_ERROR_HYPHEN_3_4;
    if ((info.getErrors() & ~kHarmless) != 0 || ascii.empty()) return std::nullopt;
    return ascii;
}

/// As WHATWG's URL has it: whatever ends in a number is an address of IPv4, or wants to be taken for one.
bool ends_in_number(std::string_view last_label)
{
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto is_hex = [&](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
    if (std::all_of(last_label.begin(), last_label.end(), is_digit)) return true;
    return last_label.starts_with("0x") && std::all_of(last_label.begin() + 2, last_label.end(), is_hex);
}

std::string folded(std::string_view utf8)
{
    icu::UnicodeString text = nfc(decoded(utf8));
    text.foldCase(U_FOLD_CASE_DEFAULT);
    return encoded(nfc(text));
}

struct Parts {
    std::string_view local;
    std::string_view domain;
};

std::optional<Parts> parts_of(std::string_view address)
{
    const auto at = address.rfind('@');
    if (at == address.npos) return std::nullopt;
    return Parts{address.substr(0, at), address.substr(at + 1)};
}

}  // namespace

std::optional<std::string> host_name(std::string_view domain)
{
    auto ascii = to_ascii(domain);
    if (!ascii || ascii->size() > kHostBytesMax) return std::nullopt;
    const auto dot = ascii->rfind('.');
    if (dot == ascii->npos || dot == 0 || dot + 1 == ascii->size()) return std::nullopt;
    if (ends_in_number(std::string_view(*ascii).substr(dot + 1))) return std::nullopt;
    return ascii;
}

std::string address_key(std::string_view address)
{
    address = trimmed(address);
    const auto parts = parts_of(address);
    if (!parts) return folded(address);
    const auto host = host_name(parts->domain);
    return folded(parts->local) + '@' + (host ? *host : folded(parts->domain));
}

std::string deliverable(std::string_view address)
{
    const auto parts = parts_of(address);
    const auto host = parts ? host_name(parts->domain) : std::nullopt;
    if (!host) return std::string(address);
    // A name that is ASCII already goes out as it was typed.
    const bool is_ascii = std::all_of(parts->domain.begin(), parts->domain.end(), [](char c) { return (c & 0x80) == 0; });
    return is_ascii ? std::string(address) : std::string(parts->local) + '@' + *host;
}

}  // namespace boxoffice::text
