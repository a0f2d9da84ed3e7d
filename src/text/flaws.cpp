#include <unicode/uchar.h>

#include "text/icu.hpp"
#include "text/text.hpp"

namespace boxoffice::text
{

namespace
{

/// They turn round what stands behind them, the sentence of an e-mail or a page that quotes the text included.
bool is_bidi_control(UChar32 c) { return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069); }

/// Letters and symbols by their category whose picture is empty: braille without dots, a note without a head, blanks of
/// hieroglyphs.
bool is_drawn_empty(UChar32 c) { return c == 0x2800 || c == 0x1D159 || c == 0x13441 || c == 0x13442; }

bool is_invisible(UChar32 c)
{
    constexpr std::uint32_t kUnseen = U_GC_CC_MASK | U_GC_CF_MASK | U_GC_ZS_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK;
    return (U_GET_GC_MASK(c) & kUnseen) != 0 || u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0 ||
           u_hasBinaryProperty(c, UCHAR_WHITE_SPACE) != 0 || is_drawn_empty(c);
}

/// Those of C0 and C1, and what breaks a line where there is to be one.
bool is_control(UChar32 c, Kind kind)
{
    if (kind == Kind::paragraphs && (c == '\n' || c == '\t')) return false;
    const bool breaks_line = c == 0x2028 || c == 0x2029;
    return u_charType(c) == U_CONTROL_CHAR || (breaks_line && kind == Kind::one_line);
}

}  // namespace

std::optional<Flaw> flaw_of(std::string_view utf8, Kind kind)
{
    bool control = false;
    bool bidi = false;
    bool seen = false;
    bool after_return = false;  // a carriage return counts as part of the line feed behind it, and alone as a control
    for_each_char(utf8, [&](UChar32 c, std::string_view) {
        if (after_return && c != '\n') control = true;
        after_return = kind == Kind::paragraphs && c == '\r';
        if (!after_return && is_control(c, kind)) control = true;
        if (is_bidi_control(c)) bidi = true;
        if (!is_invisible(c)) seen = true;
    });
    if (control || after_return) {
        return Flaw{"control_characters", kind == Kind::one_line
                                              ? "Must not contain control characters or line breaks"
                                              : "Must not contain control characters but line breaks and tabs"};
    }
    if (bidi) return Flaw{"bidi_controls", "Must not contain characters that turn the direction of writing round"};
    if (!seen && !(utf8.empty() && kind == Kind::paragraphs)) return Flaw{"blank", "Must have something in it that can be seen"};
    return std::nullopt;
}

std::string_view trimmed(std::string_view utf8)
{
    std::size_t begin = utf8.size();
    std::size_t end = 0;
    std::size_t at = 0;
    for_each_char(utf8, [&](UChar32 c, std::string_view bytes) {
        if (u_hasBinaryProperty(c, UCHAR_WHITE_SPACE) == 0) {
            if (end == 0) begin = at;
            end = at + bytes.size();
        }
        at += bytes.size();
    });
    return end == 0 ? std::string_view{} : utf8.substr(begin, end - begin);
}

}  // namespace boxoffice::text
