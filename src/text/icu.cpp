#include "text/icu.hpp"

#include <stdexcept>

namespace boxoffice::text
{

namespace
{

/// ICU's own, for as long as the process lives.
const icu::Normalizer2& form(const icu::Normalizer2* (*which)(UErrorCode&))
{
    UErrorCode error = U_ZERO_ERROR;
    const icu::Normalizer2* const found = which(error);
    check(error);
    return *found;
}

icu::UnicodeString normalized(const icu::Normalizer2& how, const icu::UnicodeString& text)
{
    UErrorCode error = U_ZERO_ERROR;
    icu::UnicodeString result = how.normalize(text, error);
    check(error);
    return result;
}

}  // namespace

void check(UErrorCode error)
{
    if (U_FAILURE(error) != 0) throw std::runtime_error(std::string("ICU: ") + u_errorName(error));
}

icu::UnicodeString decoded(std::string_view utf8)
{
    return icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<std::int32_t>(utf8.size())));
}

std::string encoded(const icu::UnicodeString& text)
{
    std::string utf8;
    text.toUTF8String(utf8);
    return utf8;
}

icu::UnicodeString nfc(const icu::UnicodeString& text) { return normalized(form(icu::Normalizer2::getNFCInstance), text); }

icu::UnicodeString nfd(const icu::UnicodeString& text) { return normalized(form(icu::Normalizer2::getNFDInstance), text); }

icu::UnicodeString nfkc_folded(const icu::UnicodeString& text)
{
    return normalized(form(icu::Normalizer2::getNFKCCasefoldInstance), text);
}

}  // namespace boxoffice::text
