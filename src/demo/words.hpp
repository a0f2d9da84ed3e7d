#pragma once
#include <array>
#include <span>
#include <string_view>

#include "demo/kinds.hpp"

/// The word lists. A text may hold {slots}; see compose.hpp for who fills them.
namespace boxoffice::demo
{

using Words = std::span<const std::string_view>;

// --- Places ----------------------------------------------------------------------------------------------------------

/// In what language houses and streets are named; where it is none of these, in English.
enum class Tongue : std::uint8_t { english, spanish, portuguese, french, german, italian };

[[nodiscard]] Tongue tongue_of(std::string_view country);

/// House names with {town} and {word}.
[[nodiscard]] Words house_names(Tongue tongue, Stage stage);
[[nodiscard]] Words house_words(Tongue tongue);

/// Streets with {number}.
[[nodiscard]] Words streets(Tongue tongue);

// --- People ----------------------------------------------------------------------------------------------------------

struct Culture {
    std::string_view countries;  // ISO codes parted by spaces
    Words given;
    Words family;
};

[[nodiscard]] std::span<const Culture> cultures();

/// Index into cultures(); the first for a country that none of them names.
[[nodiscard]] std::size_t culture_of(std::string_view country);

// --- Events ----------------------------------------------------------------------------------------------------------

/// Titles and sentences for events of a kind in houses of up to so many seats.
struct Phrases {
    Kind kind;
    std::int64_t seats_max;
    Words titles;
    Words sentences;
};

/// The phrases that suit a kind and a size.
[[nodiscard]] const Phrases& phrases(Kind kind, std::int64_t seats);

/// What {subject} may be: the composer, the play, the topic, the theme, the craft.
[[nodiscard]] Words subjects(Kind kind);
[[nodiscard]] Words genres(Kind kind);

/// Sentences that end a description of any kind.
[[nodiscard]] Words closings();

[[nodiscard]] Words act_adjectives();
[[nodiscard]] Words act_nouns();
[[nodiscard]] Words football_suffixes();
[[nodiscard]] Words basketball_suffixes();
[[nodiscard]] Words tour_names();
[[nodiscard]] Words company_suffixes();

/// The word at `name` is one of `list`, parted by spaces.
[[nodiscard]] bool lists(std::string_view list, std::string_view name);

}  // namespace boxoffice::demo
