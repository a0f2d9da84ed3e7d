#include "demo/venues.hpp"

#include <algorithm>
#include <utility>

#include "demo/compose.hpp"

namespace boxoffice::demo
{

namespace
{

// What one would read on a plan of seats: 84, 430, 2 350, 41 000.
std::int64_t rounded(std::int64_t seats)
{
    const std::int64_t step = seats < 100 ? 2 : seats < 1'000 ? 10 : seats < 10'000 ? 50 : 500;
    return seats / step * step;
}

std::int64_t draw_seats(Stage stage, std::int64_t population, Dice& dice)
{
    const Seating& seats = seating(stage);
    // A village has no stadium for ninety thousand; in a metropolis everything is built a size larger.
    const double grown = population > 2'000'000 ? 1.5 : population < 50'000 ? 0.6 : 1.0;
    const auto drawn =
        std::clamp(static_cast<std::int64_t>(dice.log_normal(seats.median * grown, seats.octaves)), seats.least, seats.most);
    const std::int64_t bearable = std::max<std::int64_t>(std::min<std::int64_t>(seats.least, 100), population / 4);
    return rounded(std::min(drawn, bearable));
}

House build(Stage stage, const Town& town, Dice& dice)
{
    const Tongue tongue = tongue_of(town.country);
    Cast cast;
    cast.town = town.name;
    cast.word = dice.pick(house_words(tongue));
    cast.number = std::to_string(1 + dice.below(dice.once_in(4) ? 240 : 60));
    House house;
    house.name = compose(dice.pick(house_names(tongue, stage)), cast);
    house.address = house.name + ", " + compose(dice.pick(streets(tongue)), cast) + ", " + std::string(town.name);
    if (town.name != town.country_name) house.address.append(", ").append(town.country_name);
    house.point = degrees(draw_point_near(town, dice));
    house.seats = draw_seats(stage, town.population, dice);
    return house;
}

}  // namespace

const House& Houses::draw(Kind kind, std::size_t town, Dice& dice)
{
    const std::size_t stage = dice.weighted(habits(kind).stages);
    std::vector<House>& known = by_town_and_stage_[town * kStages + stage];
    // The more houses a town has, the likelier an event comes to one of them.
    if (dice.below(known.size() + 2) >= 2) return dice.pick(known);
    House house = build(static_cast<Stage>(stage), atlas_.towns()[town], dice);
    // A name built twice is the same house.
    const auto same = std::find_if(known.begin(), known.end(), [&](const House& other) { return other.name == house.name; });
    if (same != known.end()) return *same;
    return known.emplace_back(std::move(house));
}

}  // namespace boxoffice::demo
