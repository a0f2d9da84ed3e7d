#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.hpp"

/// A believable catalogue for trying things out: real towns drawn by population, venues near them, titles, times on a weekly
/// rhythm in each town's own zone, capacities from clubs to stadiums. Pure: the same options give the same catalogue.
namespace boxoffice::demo
{

struct Options {
    std::int64_t events = 1000;
    std::uint64_t seed = 1;
    std::chrono::sys_days first_day;  // no event starts before this day begins in UTC, or over a year later
};

struct DemoEvent {
    EventDraft draft;           // times as LocalTime in draft.timezone
    std::size_t organizer = 0;  // index into Catalogue::organizers
    std::int64_t sold = 0;      // tickets to sell and pay at the start; <= total_tickets
};

struct DemoPerson {
    std::string name;
    std::string email;  // …@example.org
    GeoPoint home;
};

struct Catalogue {
    std::vector<DemoPerson> organizers;
    std::vector<DemoPerson> buyers;
    std::vector<DemoEvent> events;
};

/// From the towns within the binary (src/demo/TOWNS.md). Throws std::runtime_error when they are missing.
[[nodiscard]] Catalogue make_catalogue(const Options& options);

/// From other towns in the form that TOWNS.md describes. Throws std::runtime_error when they are not in it, or none is there.
///
/// Every draft passes check_draft() for a `now` before first_day: no wall time lies where any zone's clock change skips it.
/// The `sold` of all events together is at most 6 * events, of each at most 400. At least 3 organizers and 20 buyers, even
/// for no events; no two people share an e-mail address.
[[nodiscard]] Catalogue make_catalogue(const Options& options, std::string_view towns_tsv);

}  // namespace boxoffice::demo
