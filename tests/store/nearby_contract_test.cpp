#include <gtest/gtest.h>

#include <GeographicLib/Geodesic.hpp>
#include <algorithm>
#include <cmath>
#include <random>

#include "store/engines.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

double geodesic_m(const GeoPoint& a, const GeoPoint& b)
{
    double distance = 0;
    GeographicLib::Geodesic::WGS84().Inverse(a.latitude, a.longitude, b.latitude, b.longitude, distance);
    return std::round(distance * 1000) / 1000;
}

class Nearby : public StoreTest
{
protected:
    EventId at(double latitude, double longitude)
    {
        return event(5, [&](EventDraft& d) { d.venue.point = {latitude, longitude}; });
    }
};
INSTANTIATE_TEST_SUITE_P(Engines, Nearby, testing::ValuesIn(engines()), [](const auto& engine) { return engine.param.name; });

TEST_P(Nearby, MeasuresOnTheEllipsoid)
{
    at(51.4700, -0.4543);
    const auto page = store().nearby({.center = {40.6413, -73.7781}, .radius_m = 6e6, .now = now});
    ASSERT_EQ(page.items.size(), 1u);
    EXPECT_NEAR(page.items[0].distance_m, 5'554'909.0, 1000);
    EXPECT_EQ(page.items[0].distance_m, geodesic_m({40.6413, -73.7781}, {51.4700, -0.4543}));
}

TEST_P(Nearby, FindsAcrossTheAntimeridianAtThePolesAndOppositeUs)
{
    const EventId fiji = at(-16.8, -179.95);
    const EventId pole = at(-90, 123);
    const EventId opposite = at(10, 170);
    const auto only = [&](GeoPoint center, double radius_m) {
        const auto page = store().nearby({.center = center, .radius_m = radius_m, .now = now});
        return page.items.size() == 1 ? page.items[0].event.id : EventId{};
    };
    EXPECT_EQ(only({-16.8, 179.95}, 20'000), fiji);
    EXPECT_EQ(only({-90, -60}, 1), pole);
    EXPECT_EQ(only({-89.999, -57}, 200), pole);
    EXPECT_EQ(store().nearby({.center = {-10, -10}, .radius_m = 20'040'000, .now = now}).items.back().event.id, opposite);
    EXPECT_EQ(store().nearby({.center = {-10, -10}, .radius_m = 20'040'000, .now = now}).total, 3);
}

TEST_P(Nearby, CountsTheRimInAndWhatIsBeyondItOut)
{
    at(0, 1);
    const double rim = geodesic_m({0, 0}, {0, 1});
    EXPECT_EQ(store().nearby({.center = {0, 0}, .radius_m = rim, .now = now}).total, 1);
    EXPECT_EQ(store().nearby({.center = {0, 0}, .radius_m = rim - 0.001, .now = now}).total, 0);
}

TEST_P(Nearby, BreaksTiesByIdAndPagesWithoutGapOrRepeat)
{
    std::vector<EventId> all;
    for (int i = 0; i < 25; ++i) all.push_back(at(48, 11));
    std::vector<EventId> seen;
    for (std::int64_t skip = 0; skip < 30; skip += 7) {
        const auto page = store().nearby({.center = {48.1, 11.1}, .radius_m = 50'000, .skip = skip, .limit = 7, .now = now});
        EXPECT_EQ(page.total, 25);
        for (const NearbyEvent& one : page.items) seen.push_back(one.event.id);
    }
    EXPECT_EQ(seen, all);
}

TEST_P(Nearby, LeavesOutPastAndSoldOutUnlessAsked)
{
    const EventId past = event(5, [&](EventDraft& d) { d.end_time = now + 30h; });
    const EventId full = event(1, [&](EventDraft& d) { d.end_time = now + 90h; });
    const EventId open = event(5, [&](EventDraft& d) { d.end_time = now + 90h; });
    reserve(full, person());
    now += 30h;  // the hold is due, but not expired yet: the counter still says full
    const auto ids = [&](bool include_past, bool include_sold_out) {
        std::vector<EventId> found;
        for (const auto& one :
             store()
                 .nearby({.center = {52.5, 13.4}, .include_past = include_past, .include_sold_out = include_sold_out, .now = now})
                 .items)
            found.push_back(one.event.id);
        return found;
    };
    EXPECT_EQ(ids(false, false), (std::vector{open}));
    EXPECT_EQ(ids(true, false), (std::vector{past, open}));
    EXPECT_EQ(ids(false, true), (std::vector{full, open}));
    must<ExpiredHolds>(ExpireHolds{now, 10});
    EXPECT_EQ(ids(false, false), (std::vector{full, open}));
}

TEST_P(Nearby, AgreesWithMeasuringEveryEvent)
{
    std::mt19937_64 random(20261122);
    const auto uniform = [&](double low, double high) {
        return low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53;
    };
    struct Known {
        EventId id;
        GeoPoint point;
    };
    std::vector<Known> known;
    for (int i = 0; i < 600; ++i) {
        // A third anywhere, a third in one region, a third where coordinates are special.
        GeoPoint point{uniform(-90, 90), uniform(-180, 180)};
        if (i % 3 == 1) point = {uniform(47, 53), uniform(5, 15)};
        if (i % 3 == 2)
            point = {i % 2 ? uniform(-90, -88) : uniform(-20, 20), i % 4 < 2 ? uniform(178, 180) : uniform(-180, -178)};
        known.push_back({at(point.latitude, point.longitude), point});
    }
    for (int round = 0; round < 200; ++round) {
        const GeoPoint center = round % 2 ? known[random() % known.size()].point : GeoPoint{uniform(-90, 90), uniform(-180, 180)};
        const double radius_m = round % 3 ? uniform(1, 20'040'000) : uniform(1, 500'000);
        std::vector<std::pair<double, EventId>> expected;
        for (const Known& one : known) {
            const double distance = geodesic_m(center, one.point);
            if (distance <= radius_m) expected.emplace_back(distance, one.id);
        }
        std::sort(expected.begin(), expected.end());
        const std::int64_t skip = round % 5 == 0 ? static_cast<std::int64_t>(random() % 50) : 0;
        const auto page = store().nearby({.center = center, .radius_m = radius_m, .skip = skip, .limit = 20, .now = now});
        ASSERT_EQ(page.total, static_cast<std::int64_t>(expected.size())) << "round " << round;
        for (std::size_t i = 0; i < page.items.size(); ++i) {
            ASSERT_EQ(page.items[i].event.id, expected[static_cast<std::size_t>(skip) + i].second)
                << "round " << round << " place " << i;
            ASSERT_EQ(page.items[i].distance_m, expected[static_cast<std::size_t>(skip) + i].first);
        }
        ASSERT_EQ(page.items.size(),
                  std::min<std::size_t>(20, expected.size() - std::min(expected.size(), static_cast<std::size_t>(skip))));
    }
}

}  // namespace
}  // namespace boxoffice
