#include "demo/compose.hpp"

#include <algorithm>
#include <stdexcept>

namespace boxoffice::demo
{

namespace
{

constexpr std::uint64_t kVisitor = 8;  // one name in so many comes from anywhere in the world

std::string_view slot_of(std::string_view name, const Cast& cast)
{
    if (name == "act") return cast.act;
    if (name == "town") return cast.town;
    if (name == "venue") return cast.venue;
    if (name == "subject") return cast.subject;
    if (name == "genre") return cast.genre;
    if (name == "person") return cast.person;
    if (name == "home") return cast.home;
    if (name == "away") return cast.away;
    if (name == "rival") return cast.rival;
    if (name == "tour") return cast.tour;
    if (name == "year") return cast.year;
    if (name == "word") return cast.word;
    if (name == "number") return cast.number;
    throw std::logic_error("no such slot: " + std::string(name));
}

std::string draw_band(Dice& dice)
{
    std::string name(dice.once_in(2) ? "The " : "");
    name += dice.pick(act_adjectives());
    name += ' ';
    return name += dice.pick(act_nouns());
}

// A town's team is always called the same.
std::string team_of(std::size_t town, std::string_view town_name, Words suffixes)
{
    return std::string(town_name) + ' ' + std::string(suffixes[town * 7 % suffixes.size()]);
}

}  // namespace

std::string compose(std::string_view text, const Cast& cast)
{
    std::string composed;
    composed.reserve(text.size() + 48);
    for (;;) {
        const std::size_t open = text.find('{');
        composed += text.substr(0, open);
        if (open == std::string_view::npos) return composed;
        const std::size_t close = text.find('}', open);
        const std::string_view value = slot_of(text.substr(open + 1, close - open - 1), cast);
        const std::size_t at = composed.size();
        composed += value;
        // A sentence or a title may begin with a genre: "jazz night" becomes "Jazz night".
        if (at == 0 && !value.empty() && value[0] >= 'a' && value[0] <= 'z')
            composed[0] = static_cast<char>(value[0] - 'a' + 'A');
        text.remove_prefix(close + 1);
    }
}

std::string draw_person(std::string_view country, Dice& dice)
{
    const Culture& culture = dice.once_in(kVisitor) ? dice.pick(cultures()) : cultures()[culture_of(country)];
    std::string name(dice.pick(culture.given));
    name += ' ';
    return name += dice.pick(culture.family);
}

Cast draw_cast(Kind kind, const Atlas& atlas, std::size_t town, Dice& dice)
{
    const std::string_view country = atlas.towns()[town].country;
    Cast cast;
    cast.person = draw_person(country, dice);
    cast.subject = dice.pick(subjects(kind));
    cast.genre = dice.pick(genres(kind));
    cast.tour = dice.pick(tour_names());
    if (kind == Kind::comedy || (kind == Kind::club_night && dice.once_in(3))) {
        cast.act = cast.person;
    } else if (kind == Kind::club_night) {
        cast.act = "DJ " + std::string(dice.pick(act_adjectives()));
    } else {
        cast.act = draw_band(dice);
    }
    if (kind == Kind::football || kind == Kind::basketball) {
        const Words suffixes = kind == Kind::football ? football_suffixes() : basketball_suffixes();
        const std::size_t rival = atlas.draw_rival(town, dice);
        cast.rival = atlas.towns()[rival].name;
        cast.home = team_of(town, atlas.towns()[town].name, suffixes);
        // The only town of its country plays against itself.
        cast.away = rival == town ? cast.home + " II" : team_of(rival, cast.rival, suffixes);
    }
    return cast;
}

std::string draw_description(const Phrases& phrases, const Cast& cast, Dice& dice)
{
    const std::int64_t sentences = dice.between(1, 4);
    const std::int64_t from_own =
        dice.between(1, std::min<std::int64_t>(sentences, static_cast<std::int64_t>(phrases.sentences.size())));
    std::string description;
    const auto add = [&](Words some, std::int64_t times) {
        // No more are asked for than the list has, so that going on to the next one finds a new one.
        std::uint64_t used = 0;
        for (; times > 0; --times) {
            auto at = static_cast<std::size_t>(dice.below(some.size()));
            while ((used >> at & 1) != 0) at = (at + 1) % some.size();
            used |= std::uint64_t{1} << at;
            if (!description.empty()) description += ' ';
            description += compose(some[at], cast);
        }
    };
    // What is said of this event goes before what could be said of any.
    add(phrases.sentences, from_own);
    add(closings(), sentences - from_own);
    return description;
}

}  // namespace boxoffice::demo
