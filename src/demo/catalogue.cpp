#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "demo/compose.hpp"
#include "demo/demo.hpp"
#include "demo/people.hpp"
#include "demo/towns.hpp"
#include "demo/venues.hpp"

namespace boxoffice::demo
{

namespace
{

using std::chrono::days;
using std::chrono::minutes;

constexpr std::uint64_t kWeeks = 52;
constexpr std::int64_t kSoldMax = 400;     // of one event: real rows have to be written for them
constexpr std::int64_t kSmallHouse = 130;  // seats; only houses up to here sell out
constexpr std::uint64_t kUnnoticed = 12;   // one event in so many has sold nothing yet

/// Organizers put on events in their own country, if there is one of them.
class Organizers
{
public:
    std::vector<DemoPerson> draw(std::size_t count, const Atlas& atlas, Mailboxes& mailboxes, Dice& dice)
    {
        std::vector<DemoPerson> organizers;
        for (std::size_t index = 0; index < count; ++index) {
            const Town& town = atlas.towns()[atlas.draw(dice)];
            by_country_[town.country].push_back(index);
            organizers.push_back(draw_organizer(town, mailboxes, dice));
        }
        return organizers;
    }

    [[nodiscard]] std::size_t of(std::string_view country, std::size_t count, Dice& dice) const
    {
        const auto own = by_country_.find(country);
        return own == by_country_.end() ? static_cast<std::size_t>(dice.below(count)) : dice.pick(own->second);
    }

private:
    std::unordered_map<std::string_view, std::vector<std::size_t>> by_country_;
};

struct When {
    LocalTime start;
    LocalTime end;
};

When draw_time(Kind kind, std::chrono::sys_days first_day, Dice& dice)
{
    const Habits& habit = habits(kind);
    // The local day after first_day is the first, so that not even the easternmost zone starts before first_day does in UTC.
    const std::chrono::local_days first{first_day.time_since_epoch() + days(1)};
    // The lesser of two draws: soon weeks are fuller than late ones.
    const std::uint64_t week = std::min(dice.below(kWeeks), dice.below(kWeeks));
    const std::size_t weekday = dice.weighted(habit.weekdays);
    const days ahead = std::chrono::weekday(static_cast<unsigned>(weekday)) - std::chrono::weekday(first);
    const std::chrono::local_days day = first + days(static_cast<std::int64_t>(week) * 7) + ahead;
    const minutes start(dice.pick(weekday == 0 ? habit.sunday_starts : habit.starts));
    const Lasting lasting = dice.pick(habit.lastings);
    const minutes end =
        lasting.minutes > 0 ? start + minutes(lasting.minutes) : days(lasting.days) + minutes(lasting.until_minute);
    return {day + start, day + end};
}

int year_of(LocalTime time) { return static_cast<int>(std::chrono::year_month_day(std::chrono::floor<days>(time)).year()); }

/// Zipf-like: an event's sales fall with the square root of its rank, within a budget of 6 tickets an event.
void sell(std::vector<DemoEvent>& events, Dice& dice)
{
    const auto count = static_cast<std::int64_t>(events.size());
    std::vector<std::size_t> ranked(events.size());
    std::iota(ranked.begin(), ranked.end(), std::size_t{0});
    dice.shuffle(std::span(ranked));
    double shares = 0;
    for (std::int64_t rank = 1; rank <= count; ++rank) shares += 1 / std::sqrt(static_cast<double>(rank));
    std::int64_t left_to_sell_out = count * 3 / 2;
    std::int64_t rank = 0;
    for (const std::size_t index : ranked) {
        ++rank;
        DemoEvent& event = events[index];
        const std::int64_t total = event.draft.total_tickets;
        if (total <= kSmallHouse && total <= left_to_sell_out && dice.once_in(4)) {
            left_to_sell_out -= total;
            event.sold = total;
            continue;
        }
        if (dice.once_in(kUnnoticed)) continue;
        const double share = static_cast<double>(count) * 4.5 / shares / std::sqrt(static_cast<double>(rank));
        event.sold = std::min({static_cast<std::int64_t>(share), kSoldMax, total <= kSmallHouse ? total : total * 9 / 10});
    }
}

}  // namespace

Catalogue make_catalogue(const Options& options, std::string_view towns_tsv)
{
    const Atlas atlas(towns_tsv);
    Dice dice(options.seed);
    Mailboxes mailboxes;
    Organizers organizers;
    Catalogue catalogue;
    const std::int64_t count = std::max<std::int64_t>(0, options.events);
    catalogue.organizers =
        organizers.draw(static_cast<std::size_t>(std::max<std::int64_t>(3, count / 25)), atlas, mailboxes, dice);
    for (std::int64_t buyers = std::clamp<std::int64_t>(count / 10, 20, 2'000); buyers > 0; --buyers) {
        catalogue.buyers.push_back(draw_buyer(atlas.towns()[atlas.draw(dice)], mailboxes, dice));
    }

    Houses houses(atlas);
    catalogue.events.reserve(static_cast<std::size_t>(count));
    for (std::int64_t made = 0; made < count; ++made) {
        const std::size_t at = atlas.draw(dice);
        const Town& town = atlas.towns()[at];
        const Kind kind = draw_kind(dice);
        const House& house = houses.draw(kind, at, dice);
        const When when = draw_time(kind, options.first_day, dice);
        const Phrases& words = phrases(kind, house.seats);
        Cast cast = draw_cast(kind, atlas, at, dice);
        cast.town = town.name;
        cast.venue = house.name;
        cast.year = std::to_string(year_of(when.start));

        DemoEvent& event = catalogue.events.emplace_back();
        event.draft.title = compose(dice.pick(words.titles), cast);
        event.draft.description = draw_description(words, cast, dice);
        event.draft.start_time = when.start;
        event.draft.end_time = when.end;
        event.draft.timezone = town.zone;
        event.draft.total_tickets = house.seats;
        event.draft.venue = {house.address, house.point};
        event.organizer = organizers.of(town.country, catalogue.organizers.size(), dice);
    }
    sell(catalogue.events, dice);
    return catalogue;
}

}  // namespace boxoffice::demo
