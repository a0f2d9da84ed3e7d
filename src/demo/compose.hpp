#pragma once
#include <string>
#include <string_view>

#include "demo/towns.hpp"
#include "demo/words.hpp"

namespace boxoffice::demo
{

/// Who and what an event is about: what the {slots} of its title and of every sentence of its description stand for.
struct Cast {
    std::string act;
    std::string person;
    std::string home;
    std::string away;
    std::string year;
    std::string number;
    std::string_view subject;
    std::string_view genre;
    std::string_view tour;
    std::string_view town;
    std::string_view rival;
    std::string_view venue;
    std::string_view word;
};

/// The template with every {slot} filled. Throws std::logic_error for a slot that Cast does not have.
[[nodiscard]] std::string compose(std::string_view text, const Cast& cast);

/// A given and a family name, most often of the country's own culture.
[[nodiscard]] std::string draw_person(std::string_view country, Dice& dice);

/// Who appears at an event of that kind in that town. `town`, `venue` and `year` are the caller's to fill.
[[nodiscard]] Cast draw_cast(Kind kind, const Atlas& atlas, std::size_t town, Dice& dice);

/// One to four sentences, none twice.
[[nodiscard]] std::string draw_description(const Phrases& phrases, const Cast& cast, Dice& dice);

}  // namespace boxoffice::demo
