#include "text/text.hpp"

#include <gtest/gtest.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

namespace boxoffice::text
{
namespace
{

using Words = std::set<std::string>;

std::string utf8_of(const icu::UnicodeString& text)
{
    std::string utf8;
    text.toUTF8String(utf8);
    return utf8;
}

/// The same text as others may type it: every normal form and case.
std::vector<std::string> spellings(const icu::UnicodeString& text)
{
    std::vector<icu::UnicodeString> all(5, text);
    all[0].toUpper();
    all[1].toLower();
    all[2].toTitle(nullptr);
    all[3].foldCase();
    UErrorCode error = U_ZERO_ERROR;
    for (const auto* form : {icu::Normalizer2::getNFCInstance(error), icu::Normalizer2::getNFDInstance(error),
                             icu::Normalizer2::getNFKCInstance(error), icu::Normalizer2::getNFKDInstance(error)})
        all.push_back(form->normalize(text, error));
    EXPECT_TRUE(U_SUCCESS(error));
    std::vector<std::string> utf8;
    for (const auto& one : all) utf8.push_back(utf8_of(one));
    return utf8;
}

bool finds(const WordQuery& query, const Words& words)
{
    for (const std::string& word : query.words)
        if (!words.contains(word)) return false;
    const auto at = words.lower_bound(query.prefix);
    return query.prefix.empty() || (at != words.end() && at->starts_with(query.prefix));
}

TEST(Words, AreTheSameInEveryNormalFormAndCaseForEveryLetterThereIs)
{
    int letters = 0;
    for (UChar32 c = 1; c <= 0x1FFFF; ++c) {
        if ((U_GET_GC_MASK(c) & (U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK)) == 0) continue;
        if (c >= 0x4E00 && c < 0x9F00 && c % 64 != 0) continue;  // ideographs are one like the other
        if (c >= 0xAC00 && c < 0xD700 && c % 16 != 0) continue;
        ++letters;
        icu::UnicodeString text(u'a');
        text.append(c).append(u'b');
        const Words words = words_of(utf8_of(text));
        for (const std::string& spelling : spellings(text)) {
            EXPECT_EQ(words_of(spelling), words) << std::hex << c << ' ' << spelling;
            EXPECT_TRUE(finds(query_of(spelling), words)) << std::hex << c << ' ' << spelling;
        }
        for (const std::string& word : words) {
            for (const char byte : word)
                EXPECT_TRUE((byte & 0x80) != 0 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z')) << word;
        }
    }
    EXPECT_GT(letters, 20'000);
}

TEST(Words, AreCutAtWhateverIsNoLetterOrDigit)
{
    EXPECT_EQ(words_of("L'Orfeo: rock\u2019n\u2019roll, e-mail_box 2030/31!"),
              (Words{"l", "orfeo", "rock", "n", "roll", "e", "mail", "box", "2030", "31"}));
    EXPECT_EQ(words_of("Straße STRASSE Königs\u00adfest Konigsfest"), (Words{"strasse", "konigsfest"}));
    EXPECT_EQ(words_of("İstanbul ISPARTA ısparta"), (Words{"istanbul", "isparta"}));
    EXPECT_EQ(words_of("Σίσυφος ΣΊΣΥΦΟΣ"), (Words{"σισυφοσ"}));
    EXPECT_EQ(words_of("\ufb01nale \uff21\uff22\uff23 \uff11\uff12 \u2460"), (Words{"finale", "abc", "12", "1"}));
    EXPECT_EQ(words_of("मुंबई"), (Words{"मुंबई"})) << "its marks are vowels";
    EXPECT_EQ(words_of("🎫 !!! \u0301 \u200b —"), Words{});
    EXPECT_EQ(words_of("\xff abc\xc3"), (Words{"abc"}));
    EXPECT_EQ(words_of(std::string(5000, 'x')), (Words{std::string(200, 'x')}));
}

TEST(Words, OfScriptsWithoutSpacesAreFoundByWhateverStandsInThem)
{
    for (const char* text : {"東京国際フォーラムで演奏会", "คอนเสิร์ตดนตรีสด", "ຄອນເສີດ", "서울에서", "ガギ音楽", "𠮷野家"}) {
        const Words words = words_of(text);
        const icu::UnicodeString chars = icu::UnicodeString::fromUTF8(text);
        for (int begin = 0; begin < chars.length(); begin = chars.moveIndex32(begin, 1)) {
            for (int end = chars.moveIndex32(begin, 1); end <= chars.length(); end = chars.moveIndex32(end, 1)) {
                const std::string part = utf8_of(chars.tempSubStringBetween(begin, end));
                const WordQuery query = query_of(part);
                EXPECT_TRUE(finds(query, words)) << part << " in " << text;
                if (end == chars.length()) break;
            }
        }
    }
    EXPECT_FALSE(finds(query_of("京東"), words_of("東京国際")));
    EXPECT_FALSE(finds(query_of("大阪"), words_of("東京国際")));
    EXPECT_FALSE(finds(query_of("か"), words_of("が"))) << "another syllable";
}

TEST(Words, OfAQuestionAreWholeButForTheLast)
{
    const WordQuery query = query_of("Jazz & Blues nig");
    EXPECT_EQ(query.words, (Words{"jazz", "blues"}));
    EXPECT_EQ(query.prefix, "nig");
    EXPECT_EQ(query_of("jazz 東京").prefix, "");
    for (const char* none : {"", " ", "!!!", "\u0301", "🎫", "\u200b", "*", "'", "\xff"})
        EXPECT_TRUE(query_of(none).empty()) << none;
}

TEST(Addresses, AreComparedByMailbox)
{
    EXPECT_EQ(address_key(" Ada@BÜCHER.example "), address_key("ada@bu\u0308cher.example"));
    EXPECT_EQ(address_key("a@bücher.example"), address_key("A@XN--BCHER-KVA.example"));
    EXPECT_EQ(address_key("a@例え。jp"), address_key("a@例え.jp"));
    EXPECT_NE(address_key("a@straße.example"), address_key("a@strasse.example")) << "two hosts today";
    EXPECT_EQ(address_key("STRASSE@b.co"), address_key("straße@b.co"));
    EXPECT_NE(address_key("a.b@c.de"), address_key("ab@c.de"));
    for (const char* odd : {"", "a", "u@[127.0.0.1]", "x@Y.z:25", "a>b@example.org", "\xff@b.co"})
        EXPECT_EQ(address_key(odd), address_key(address_key(odd))) << odd;
    EXPECT_EQ(deliverable("Ada@BÜCHER.example"), "Ada@xn--bcher-kva.example");
    EXPECT_EQ(deliverable("Ada@Example.org"), "Ada@Example.org");
}

TEST(Addresses, OfAnyLengthAreCompared)
{
    for (const std::size_t chars : {60U, 1000U, 1001U, 20'000U}) {
        std::string label;
        for (std::size_t i = 0; i < chars; ++i) label += "\u00e9";
        const std::string address = "a@" + label + ".example";
        EXPECT_EQ(address_key(address), address_key(address_key(address))) << chars;
        EXPECT_EQ(host_name(label + ".example"), std::nullopt) << chars;
        EXPECT_EQ(deliverable(address), address);
    }
}

TEST(Passwords, AreTheSameFromEveryKeyboard)
{
    EXPECT_EQ(password_form("cafe\u0301\u00a0\u3000x"), "café  x");
    EXPECT_EQ(password_form("CaseﬁＡ"), "CaseﬁＡ") << "neither case nor width is changed";
    EXPECT_EQ(password_form("\xff\xfe"), "\xff\xfe");
    EXPECT_EQ(password_form(std::string("a\0b", 3)), std::string("a\0b", 3));
}

TEST(Trimmed, IsWithoutWhiteSpaceOfAnyScript)
{
    EXPECT_EQ(trimmed(" \t\u00a0\u3000a b\u2003\n"), "a b");
    EXPECT_EQ(trimmed("\u3000 "), "");
    EXPECT_EQ(trimmed(""), "");
    EXPECT_EQ(trimmed("\xff "), "\xff");
}

}  // namespace
}  // namespace boxoffice::text
