#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "demo/dice.hpp"

namespace boxoffice::demo
{

enum class Kind : std::uint8_t {
    concert,
    club_night,
    theatre,
    football,
    basketball,
    conference,
    comedy,
    festival,
    exhibition,
    workshop
};
inline constexpr std::size_t kKinds = 10;

/// The houses that events happen in.
enum class Stage : std::uint8_t { club, theatre, hall, arena, stadium, centre, gallery, studio, park };
inline constexpr std::size_t kStages = 9;

/// How long something lasts: `minutes` from its start, or else until a wall time some days later.
struct Lasting {
    int minutes = 0;
    int days = 0;
    int until_minute = 0;  // of the day
};

/// The habits of a kind of event. Weekdays count from Sunday, times in minutes of the day.
struct Habits {
    unsigned weight = 0;
    std::array<unsigned, 7> weekdays;
    std::span<const int> starts;
    std::span<const int> sunday_starts;  // matinees
    std::span<const Lasting> lastings;
    std::array<unsigned, kStages> stages;  // weights
};

/// Capacities of a kind of house: log-normal around `median`, within bounds.
struct Seating {
    double median = 0;
    double octaves = 0;  // standard deviation, in doublings
    std::int64_t least = 0;
    std::int64_t most = 0;
};

[[nodiscard]] const Habits& habits(Kind kind);
[[nodiscard]] const Seating& seating(Stage stage);
[[nodiscard]] Kind draw_kind(Dice& dice);

}  // namespace boxoffice::demo
