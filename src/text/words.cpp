#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/uvernum.h>

#include <cstddef>
#include <vector>

#include "text/icu.hpp"
#include "text/text.hpp"

namespace boxoffice::text
{

namespace
{

/// Of the rules in this file. A change to what words_of() gives for any text adds one.
constexpr std::int32_t kRules = 1;
constexpr std::int32_t kIcuMajorMax = 1000;

/// PostgreSQL takes lexemes of up to 2046 bytes; what is longer than this is no word that a person types, and its beginning finds
/// it.
constexpr std::size_t kWordBytesMax = 200;

constexpr UChar32 kDotlessI = 0x131;
constexpr UChar32 kVoicedMark = 0x3099;
constexpr UChar32 kSemiVoicedMark = 0x309A;

/// apart: cut at whatever is no letter. together: written without spaces.
enum class Manner : std::uint8_t { none, apart, together };

bool is_mark(UChar32 c) { return (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0; }
bool is_letter_or_digit(UChar32 c) { return (U_GET_GC_MASK(c) & (U_GC_L_MASK | U_GC_N_MASK)) != 0; }

UScriptCode script_of(UChar32 c)
{
    UErrorCode error = U_ZERO_ERROR;
    const UScriptCode script = uscript_getScript(c, &error);
    check(error);
    return script;
}

/// Signs that a reader may leave out without writing another letter. The marks of Indic scripts and of Thai are vowels, and
/// kana's make other syllables.
bool is_accent(UChar32 c)
{
    if ((U_GET_GC_MASK(c) & (U_GC_MN_MASK | U_GC_ME_MASK)) == 0 || c == kVoicedMark || c == kSemiVoicedMark) return false;
    switch (script_of(c)) {
        case USCRIPT_INHERITED:
        case USCRIPT_COMMON:
        case USCRIPT_LATIN:
        case USCRIPT_GREEK:
        case USCRIPT_CYRILLIC:
        case USCRIPT_HEBREW:
        case USCRIPT_ARABIC:
        case USCRIPT_SYRIAC:
            return true;
        default:
            return false;
    }
}

Manner manner_of(UChar32 c)
{
    if (!is_letter_or_digit(c)) return Manner::none;
    // SA: Thai, Lao, Khmer, Myanmar and others whose words only a dictionary can tell apart.
    if (u_getIntPropertyValue(c, UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT) return Manner::together;
    for (const UScriptCode script : {USCRIPT_HAN, USCRIPT_HIRAGANA, USCRIPT_KATAKANA, USCRIPT_HANGUL, USCRIPT_BOPOMOFO}) {
        if (uscript_hasScript(c, script) != 0) return Manner::together;
    }
    return Manner::apart;
}

/// Decomposed before it is folded, because folding an iota below a letter depends on what stands between; the dotless i is an i
/// since its capital is one.
icu::UnicodeString plain(std::string_view utf8)
{
    const icu::UnicodeString marked = nfd(nfkc_folded(nfd(decoded(utf8))));
    icu::UnicodeString bare;
    for (std::int32_t at = 0; at < marked.length(); at = marked.moveIndex32(at, 1)) {
        const UChar32 c = marked.char32At(at);
        if (!is_accent(c)) bare.append(c == kDotlessI ? UChar32{'i'} : c);
    }
    return nfc(bare);
}

/// A piece between two cuts, as its characters in UTF-8.
struct Run {
    Manner manner = Manner::none;
    std::vector<std::string> chars;
    std::vector<bool> marks;
};

std::vector<Run> runs_of(const icu::UnicodeString& text)
{
    std::vector<Run> runs;
    Manner open = Manner::none;
    for (std::int32_t at = 0; at < text.length(); at = text.moveIndex32(at, 1)) {
        const UChar32 c = text.char32At(at);
        const bool mark = is_mark(c);
        const Manner manner = mark ? open : manner_of(c);  // a mark belongs to what it stands on, or to nothing
        if (manner != Manner::none) {
            if (manner != open) runs.emplace_back().manner = manner;
            runs.back().chars.push_back(encoded(icu::UnicodeString(c)));
            runs.back().marks.push_back(mark);
        }
        open = manner;
    }
    return runs;
}

std::string whole(const Run& run)
{
    std::string word;
    for (const std::string& c : run.chars) {
        if (word.size() + c.size() > kWordBytesMax) break;
        word += c;
    }
    return word;
}

void add_pairs(const Run& run, std::set<std::string>& words)
{
    for (std::size_t i = 0; i + 1 < run.chars.size(); ++i) words.insert(run.chars[i] + run.chars[i + 1]);
}

}  // namespace

std::int32_t words_version() { return kRules * kIcuMajorMax + U_ICU_VERSION_MAJOR_NUM; }

std::set<std::string> words_of(std::string_view utf8)
{
    std::set<std::string> words;
    for (const Run& run : runs_of(plain(utf8))) {
        if (run.manner == Manner::apart) {
            words.insert(whole(run));
            continue;
        }
        for (std::size_t i = 0; i < run.chars.size(); ++i) {
            if (!run.marks[i]) words.insert(run.chars[i]);
        }
        add_pairs(run, words);
    }
    return words;
}

WordQuery query_of(std::string_view utf8)
{
    WordQuery query;
    const std::vector<Run> runs = runs_of(plain(utf8));
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const Run& run = runs[i];
        if (run.manner == Manner::apart) {
            if (i + 1 == runs.size())
                query.prefix = whole(run);
            else
                query.words.insert(whole(run));
        } else if (run.chars.size() == 1) {
            query.words.insert(run.chars.front());
        } else {
            add_pairs(run, query.words);
        }
    }
    return query;
}

}  // namespace boxoffice::text
