#pragma once
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <string>
#include <string_view>

/// The little that the files of this module share of ICU.
namespace boxoffice::text
{

/// Throws std::runtime_error with what ICU says.
void check(UErrorCode error);

[[nodiscard]] icu::UnicodeString decoded(std::string_view utf8);  // what is no UTF-8 becomes U+FFFD
[[nodiscard]] std::string encoded(const icu::UnicodeString& text);

[[nodiscard]] icu::UnicodeString nfc(const icu::UnicodeString& text);
[[nodiscard]] icu::UnicodeString nfd(const icu::UnicodeString& text);
[[nodiscard]] icu::UnicodeString nfkc_folded(const icu::UnicodeString& text);  // and without what is ignorable

/// Calls take(code_point, bytes) for each character; a byte that is no UTF-8 counts as U+FFFD.
template <class Take>
void for_each_char(std::string_view utf8, const Take& take)
{
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(utf8.data());
    const auto size = static_cast<std::int32_t>(utf8.size());
    for (std::int32_t at = 0; at < size;) {
        const std::int32_t begin = at;
        UChar32 c = 0;
        U8_NEXT_OR_FFFD(bytes, at, size, c);  // NOLINT(bugprone-inc-dec-in-conditions): ICU's macro, as ICU wrote it
        take(c, utf8.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(at - begin)));
    }
}

}  // namespace boxoffice::text
