#include "demo/demo.hpp"

#include <date/tz.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

#include "assets/assets.hpp"
#include "core/rules.hpp"

namespace boxoffice::demo
{
namespace
{

using namespace std::chrono_literals;

constexpr std::chrono::sys_days kFirstDay = std::chrono::sys_days(std::chrono::year(2027) / 1 / 15);
constexpr std::string_view kThreeTowns =
    "FJ\tFiji\n"
    "PT\tPortugal\n"
    "Lisbon\tPT\t38.71667\t-9.13333\t517802\tEurope/Lisbon\n"
    "Porto\tPT\t41.14961\t-8.61099\t249633\tEurope/Lisbon\n"
    "Somosomo\tFJ\t-16.76667\t-179.999\t3000\tPacific/Fiji\n";

Options options(std::int64_t events, std::uint64_t seed) { return {.events = events, .seed = seed, .first_day = kFirstDay}; }

/// Zones by the system's tzdata, so that a wall time that a clock change skips is found out.
class RealZones final : public Zones
{
public:
    [[nodiscard]] bool exists(std::string_view zone) const override { return find(zone) != nullptr; }

    [[nodiscard]] std::optional<Instant> to_instant(LocalTime local, std::string_view zone) const override
    {
        const date::time_zone* found = find(zone);
        if (found == nullptr) return std::nullopt;
        const date::local_info info = found->get_info(date::local_time<Micros>(local.time_since_epoch()));
        if (info.result == date::local_info::nonexistent) return std::nullopt;
        return Instant(local.time_since_epoch() - info.first.offset);
    }

    [[nodiscard]] std::optional<LocalTime> to_local(Instant instant, std::string_view zone) const override
    {
        const date::time_zone* found = find(zone);
        if (found == nullptr) return std::nullopt;
        return LocalTime(found->to_local(date::sys_time<Micros>(instant.time_since_epoch())).time_since_epoch());
    }

private:
    const date::time_zone* find(std::string_view zone) const
    {
        const auto known = known_.find(zone);
        if (known != known_.end()) return known->second;
        const date::time_zone* found = nullptr;
        try {
            found = date::locate_zone(std::string(zone));
        } catch (const std::runtime_error&) {
        }
        return known_.emplace(zone, found).first->second;
    }

    mutable std::map<std::string, const date::time_zone*, std::less<>> known_;
};

/// The catalogue that most tests look at, made once: nothing changes it.
const Catalogue& large()
{
    static const Catalogue catalogue = make_catalogue(options(20'000, 7));
    return catalogue;
}

std::string_view towns_text()
{
    const Asset* towns = find_asset("demo/towns.tsv");
    return towns == nullptr ? std::string_view() : towns->bytes;
}

std::string written(const Catalogue& catalogue)
{
    std::ostringstream out;
    const auto person = [&](const DemoPerson& someone) {
        out << someone.name << '|' << someone.email << '|' << someone.home.latitude << '|' << someone.home.longitude << '\n';
    };
    out.precision(17);
    for (const DemoPerson& organizer : catalogue.organizers) person(organizer);
    for (const DemoPerson& buyer : catalogue.buyers) person(buyer);
    for (const DemoEvent& event : catalogue.events) {
        const EventDraft& draft = event.draft;
        out << draft.title << '|' << draft.description << '|' << std::get<LocalTime>(draft.start_time).time_since_epoch().count()
            << '|' << std::get<LocalTime>(draft.end_time).time_since_epoch().count() << '|' << draft.timezone << '|'
            << draft.total_tickets << '|' << draft.venue.address << '|' << draft.venue.point.latitude << '|'
            << draft.venue.point.longitude << '|' << event.organizer << '|' << event.sold << '\n';
    }
    return out.str();
}

std::uint64_t fnv1a(std::string_view text)
{
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
    return hash;
}

std::string_view country_of(const EventDraft& draft)
{
    const std::string_view address = draft.venue.address;
    return address.substr(address.rfind(", ") + 2);
}

TEST(DemoCatalogue, IsTheSameForTheSameSeed)
{
    EXPECT_EQ(written(make_catalogue(options(500, 7))), written(make_catalogue(options(500, 7))));
}

TEST(DemoCatalogue, IsAnotherForAnotherSeed)
{
    EXPECT_NE(written(make_catalogue(options(500, 7))), written(make_catalogue(options(500, 8))));
}

TEST(DemoCatalogue, IsTheSameOnEveryMachine)
{
    EXPECT_EQ(fnv1a(written(make_catalogue(options(2'000, 7), kThreeTowns))), 1231794151137451201u)
        << "only a change of the word lists or of the drawing may change this number";
}

TEST(DemoCatalogue, HoldsOnlyDraftsThatTheRulesAccept)
{
    const RealZones zones;
    for (const std::uint64_t seed : {1u, 7u, 99u}) {
        for (const DemoEvent& event : make_catalogue(options(20'000, seed)).events) {
            const std::vector<FieldError> errors = check_draft(event.draft, zones, kFirstDay - 1us);
            ASSERT_TRUE(errors.empty()) << event.draft.title << " in " << event.draft.timezone << ": " << errors.front().msg;
        }
    }
}

TEST(DemoCatalogue, StartsWithinAYearFromItsFirstDay)
{
    const RealZones zones;
    for (const DemoEvent& event : large().events) {
        const std::optional<Instant> start = zones.to_instant(std::get<LocalTime>(event.draft.start_time), event.draft.timezone);
        ASSERT_TRUE(start);
        EXPECT_GE(*start, kFirstDay);
        EXPECT_LE(*start, kFirstDay + std::chrono::days(367));
    }
}

TEST(DemoCatalogue, IsFullerSoonThanLate)
{
    const LocalTime half_way{(kFirstDay + std::chrono::days(182)).time_since_epoch()};
    const auto soon = std::ranges::count_if(
        large().events, [&](const DemoEvent& event) { return std::get<LocalTime>(event.draft.start_time) < half_way; });
    EXPECT_GT(soon, 12'000);
    EXPECT_LT(soon, 18'000);
}

TEST(DemoCatalogue, CoversTheWorld)
{
    std::set<std::string_view> countries;
    std::int64_t southern = 0;
    std::int64_t western = 0;
    std::int64_t by_the_antimeridian = 0;
    std::int64_t arctic = 0;
    for (const DemoEvent& event : large().events) {
        const GeoPoint point = event.draft.venue.point;
        countries.insert(country_of(event.draft));
        southern += point.latitude < 0;
        western += point.longitude < 0;
        by_the_antimeridian += std::abs(point.longitude) > 175;
        arctic += point.latitude > 66.5;
    }
    EXPECT_GE(countries.size(), 100u);
    EXPECT_GT(southern, 1'000);
    EXPECT_LT(southern, 10'000);
    EXPECT_GT(western, 2'000);
    EXPECT_LT(western, 18'000);
    EXPECT_GE(by_the_antimeridian, 5);
    EXPECT_GE(arctic, 5);
}

TEST(DemoCatalogue, PutsVenuesOnBothSidesOfTheAntimeridian)
{
    std::int64_t east = 0;
    std::int64_t west = 0;
    for (const DemoEvent& event : make_catalogue(options(2'000, 3), kThreeTowns).events) {
        const double longitude = event.draft.venue.point.longitude;
        ASSERT_LE(std::abs(longitude), 180);
        east += longitude > 179;
        west += longitude < -179;
    }
    EXPECT_GT(east, 0);
    EXPECT_GT(west, 0);
}

TEST(DemoCatalogue, SeatsFromStudiosAndClubsToStadiums)
{
    std::int64_t least = kTicketsMax;
    std::int64_t most = 0;
    for (const DemoEvent& event : large().events) {
        least = std::min(least, event.draft.total_tickets);
        most = std::max(most, event.draft.total_tickets);
    }
    EXPECT_GE(least, 10);
    EXPECT_LE(least, 80);
    EXPECT_GT(most, 50'000);
    EXPECT_LE(most, 90'000);
}

TEST(DemoCatalogue, KeepsAWeeklyRhythmOnTheWall)
{
    std::array<std::int64_t, 7> weekdays{};
    for (const DemoEvent& event : large().events) {
        const LocalTime start = std::get<LocalTime>(event.draft.start_time);
        const auto day = std::chrono::floor<std::chrono::days>(start);
        weekdays[std::chrono::weekday(day).c_encoding()]++;
        EXPECT_GE(start - day, 9h);
        EXPECT_LT(start - day, 23h);
    }
    EXPECT_GT(weekdays[5], 2 * weekdays[2]);  // Friday, Tuesday
    EXPECT_GT(weekdays[6], 2 * weekdays[2]);  // Saturday
}

TEST(DemoCatalogue, SellsFewEnoughToWriteThemAll)
{
    for (const std::int64_t events : {1, 2, 10, 300, 20'000}) {
        std::int64_t sum = 0;
        for (const DemoEvent& event : make_catalogue(options(events, 7)).events) {
            EXPECT_GE(event.sold, 0);
            EXPECT_LE(event.sold, 400);
            EXPECT_LE(event.sold, event.draft.total_tickets);
            sum += event.sold;
        }
        EXPECT_LE(sum, 6 * events);
    }
}

TEST(DemoCatalogue, SellsMostEventsInPartAndOnlySmallOnesOut)
{
    std::int64_t in_part = 0;
    std::int64_t sold_out = 0;
    for (const DemoEvent& event : large().events) {
        in_part += event.sold > 0 && event.sold < event.draft.total_tickets;
        if (event.sold < event.draft.total_tickets) continue;
        ++sold_out;
        EXPECT_LE(event.draft.total_tickets, 130);
    }
    EXPECT_GT(in_part, 14'000);
    EXPECT_GT(sold_out, 100);
}

TEST(DemoCatalogue, GivesEverybodyANameAndAnAddressOfTheirOwn)
{
    std::set<std::string> addresses;
    const auto look_at = [&](const std::vector<DemoPerson>& people) {
        for (const DemoPerson& person : people) {
            std::vector<FieldError> errors;
            check_email(person.email, errors);
            check_name(person.name, errors);
            check_point(person.home, {&fields::kBody, "location"}, errors);
            EXPECT_TRUE(errors.empty()) << person.name << ' ' << person.email;
            EXPECT_TRUE(person.email.ends_with("@example.org")) << person.email;
            EXPECT_TRUE(addresses.insert(fold_email(person.email)).second) << person.email;
        }
    };
    look_at(large().organizers);
    look_at(large().buyers);
}

TEST(DemoCatalogue, GrowsItsPeopleWithItsEvents)
{
    EXPECT_EQ(large().organizers.size(), 800u);
    EXPECT_EQ(large().buyers.size(), 2'000u);
    const Catalogue none = make_catalogue(options(0, 7));
    EXPECT_EQ(none.organizers.size(), 3u);
    EXPECT_EQ(none.buyers.size(), 20u);
    EXPECT_TRUE(none.events.empty());
    for (const DemoEvent& event : large().events) EXPECT_LT(event.organizer, large().organizers.size());
}

TEST(DemoCatalogue, LeavesNoSlotUnfilled)
{
    for (const DemoEvent& event : large().events) {
        const std::string all = event.draft.title + event.draft.description + event.draft.venue.address;
        EXPECT_EQ(all.find_first_of("{}"), std::string::npos) << all;
        EXPECT_EQ(all.find("  "), std::string::npos) << all;
        EXPECT_FALSE(event.draft.description.empty());
    }
}

TEST(DemoCatalogue, RefusesTownsItCannotRead)
{
    EXPECT_THROW((void)make_catalogue(options(1, 1), ""), std::runtime_error);
    EXPECT_THROW((void)make_catalogue(options(1, 1), "PT\tPortugal\n"), std::runtime_error);
    EXPECT_THROW((void)make_catalogue(options(1, 1), "PT\tPortugal\nLisbon\tPT\tnorth\t-9.1\t5\tEurope/Lisbon\n"),
                 std::runtime_error);
    EXPECT_THROW((void)make_catalogue(options(1, 1), "Lisbon\tPT\t38.7\t-9.1\t5\tEurope/Lisbon\n"), std::runtime_error);
}

TEST(DemoTowns, LieInZonesThatTheSystemKnows)
{
    const RealZones zones;
    std::istringstream lines{std::string(towns_text())};
    std::int64_t towns = 0;
    for (std::string line; std::getline(lines, line);) {
        if (std::ranges::count(line, '\t') != 5) continue;
        ++towns;
        const std::string zone = line.substr(line.rfind('\t') + 1);
        EXPECT_TRUE(zones.exists(zone)) << line;
    }
    EXPECT_GT(towns, 12'000);
}

}  // namespace
}  // namespace boxoffice::demo
