#include <unicode/uchar.h>
#include <unicode/ustring.h>

#include "text/icu.hpp"
#include "text/text.hpp"

namespace boxoffice::text
{

namespace
{

bool is_utf8(std::string_view bytes)
{
    UErrorCode error = U_ZERO_ERROR;
    std::int32_t units = 0;
    u_strFromUTF8(nullptr, 0, &units, bytes.data(), static_cast<std::int32_t>(bytes.size()), &error);
    return U_SUCCESS(error) != 0 || error == U_BUFFER_OVERFLOW_ERROR;
}

}  // namespace

std::string password_form(std::string_view password)
{
    if (!is_utf8(password)) return std::string(password);
    const icu::UnicodeString typed = decoded(password);
    icu::UnicodeString spaced;
    for (std::int32_t at = 0; at < typed.length(); at = typed.moveIndex32(at, 1)) {
        const UChar32 c = typed.char32At(at);
        spaced.append(u_charType(c) == U_SPACE_SEPARATOR ? UChar32{' '} : c);
    }
    return encoded(nfc(spaced));
}

}  // namespace boxoffice::text
