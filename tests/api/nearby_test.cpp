#include <algorithm>
#include <tuple>

#include "scene.hpp"

using namespace blackbox;
using namespace std::chrono_literals;

namespace
{

std::string nearby(double latitude, double longitude, const std::string& more = "")
{
    Json number = latitude;
    std::string path = "/for-you/events/nearby?latitude=" + number.dump();
    number = longitude;
    return path + "&longitude=" + number.dump() + more;
}

/// The event of that id in the list at `path` and the pages after it; null when it is not there.
Json find_in(Caller& caller, const std::string& path, const Json& id)
{
    for (const Json& event : walk(caller, path)) {
        if (event["id"] == id) return event;
    }
    return nullptr;
}

std::vector<Json> ids_in(Caller& caller, const std::string& path)
{
    std::vector<Json> ids;
    for (const Json& event : walk(caller, path)) ids.push_back(event["id"]);
    return ids;
}

/// How far the server says an event at `there` is from `here`.
double distance(Person& anna, std::pair<double, double> here, std::pair<double, double> there)
{
    const Json event = make_event(anna, {{"venue", venue_at(there.first, there.second)}});
    const Json found = find_in(anna, nearby(here.first, here.second, "&radius_km=20040&limit=100"), event["id"]);
    must(anna.del(path_of("/events/", event["id"])), 204);
    if (found.is_null()) throw std::runtime_error("not found within half the way round the Earth");
    return found["distance_km"].get<double>();
}

}  // namespace

TEST(Nearby, AnswersEventsWithTheirDistanceNearestFirst)
{
    Person anna = sign_up();
    const auto [latitude, longitude] = lonely_place();
    const Json far = make_event(anna, {{"venue", venue_at(latitude + 0.05, longitude)}});
    const Json near = make_event(anna, {{"venue", venue_at(latitude, longitude)}});
    const Json middle = make_event(anna, {{"venue", venue_at(latitude, longitude - 0.03)}});
    const Answer answer = anna.get(nearby(latitude, longitude));
    const Json events = must(answer, 200);
    ASSERT_EQ(events.size(), 3U) << answer;
    EXPECT_EQ(answer.header("x-total-count"), "3");
    const Json wanted = Json::array({near["id"], middle["id"], far["id"]});
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(events[i]["id"], wanted[i]);
    EXPECT_NEAR(events[0]["distance_km"].get<double>(), 0, 1e-6);
    EXPECT_NEAR(events[2]["distance_km"].get<double>(), 5.56, 0.05);
    Json bare = events[0];
    bare.erase("distance_km");
    EXPECT_EQ(bare, near);
}

TEST(Nearby, GoesByIdAtTheSameDistance)
{
    Person anna = sign_up();
    const auto [latitude, longitude] = lonely_place();
    std::vector<Json> ids;
    for (int i = 0; i < 5; ++i)
        ids.push_back(
            make_event(anna, {{"venue", venue_at(latitude, longitude)}, {"start_time", from_now((200h - i * 1h))}})["id"]);
    EXPECT_EQ(ids_in(anna, nearby(latitude, longitude)), ids);
    EXPECT_EQ(ids_in(anna, nearby(latitude, longitude, "&limit=2")), ids);
}

TEST(Nearby, LooksTenKilometresFarUnlessToldOtherwise)
{
    Person anna = sign_up();
    const double longitude = lonely_place().second;
    const Json inside = make_event(anna, {{"venue", venue_at(0, longitude + 9.9 / 111.319491)}});
    const Json outside = make_event(anna, {{"venue", venue_at(0, longitude + 10.1 / 111.319491)}});
    EXPECT_EQ(ids_in(anna, nearby(0, longitude)), std::vector<Json>{inside["id"]});
    EXPECT_EQ(ids_in(anna, nearby(0, longitude, "&radius_km=10.2")), (std::vector<Json>{inside["id"], outside["id"]}));
    EXPECT_TRUE(ids_in(anna, nearby(0, longitude, "&radius_km=9.8")).empty());
}

TEST(Nearby, MeasuresOnTheEllipsoid)
{
    Person anna = sign_up();
    using Place = std::pair<double, double>;
    struct Row {
        Place from, to;
        double km, give_or_take;
    };
    // From the definition of WGS 84: one degree of the equator, one of its meridian, a quarter meridian, half an ellipse
    // over the pole; and the great airline route that every geodesy page quotes.
    for (const Row& row : {Row{{40.6413, -73.7781}, {51.4700, -0.4543}, 5554.9, 1.0}, Row{{0, 0}, {0, 1}, 111.319491, 1e-4},
                           Row{{0, 20}, {1, 20}, 110.574389, 1e-4}, Row{{0, 7}, {90, 0}, 10001.965729, 1e-4},
                           Row{{0, 0}, {0, 180}, 20003.931459, 1e-3}, Row{{-90, 0}, {90, 0}, 20003.931459, 1e-3}}) {
        EXPECT_NEAR(distance(anna, row.from, row.to), row.km, row.give_or_take) << row.from.first << "," << row.from.second;
    }
}

TEST(Nearby, SeesAcrossTheAntimeridian)
{
    Person anna = sign_up();
    EXPECT_NEAR(distance(anna, {-17, -179.95}, {-17, 179.95}), 10.6486, 0.001);
    EXPECT_NEAR(distance(anna, {-17, 180}, {-17, -180}), 0, 1e-6);
    const Json event = make_event(anna, {{"venue", venue_at(-17, 179.95)}});
    EXPECT_FALSE(find_in(anna, nearby(-17, -179.95, "&radius_km=11&limit=100"), event["id"]).is_null());
    EXPECT_TRUE(find_in(anna, nearby(-17, -179.95, "&radius_km=10.5&limit=100"), event["id"]).is_null());
}

TEST(Nearby, SeesAcrossThePoles)
{
    Person anna = sign_up();
    EXPECT_NEAR(distance(anna, {89.99, 0}, {89.99, 180}), 2.2339, 0.001);
    EXPECT_NEAR(distance(anna, {90, 0}, {90, 123}), 0, 1e-6);
    EXPECT_NEAR(distance(anna, {-89.99, 45}, {-89.99, -135}), 2.2339, 0.001);
    const Json event = make_event(anna, {{"venue", venue_at(89.99, -90)}});
    EXPECT_FALSE(find_in(anna, nearby(90, 77, "&radius_km=1.2&limit=100"), event["id"]).is_null());
    EXPECT_FALSE(find_in(anna, nearby(89.99, 90, "&radius_km=2.3&limit=100"), event["id"]).is_null());
    EXPECT_TRUE(find_in(anna, nearby(89.99, 90, "&radius_km=2.2&limit=100"), event["id"]).is_null());
}

TEST(Nearby, TakesRadiiUpToHalfTheEarth)
{
    Person anna = sign_up();
    const auto [latitude, longitude] = lonely_place();
    const Json event = make_event(anna, {{"venue", venue_at(latitude, longitude)}});
    EXPECT_EQ(ids_in(anna, nearby(latitude, longitude, "&radius_km=0.001")), std::vector<Json>{event["id"]});
    const Json antipode = find_in(anna, nearby(-latitude, longitude + 180, "&radius_km=20040&limit=100"), event["id"]);
    ASSERT_FALSE(antipode.is_null());
    EXPECT_NEAR(antipode["distance_km"].get<double>(), 20003.93, 1);
    EXPECT_EQ(walk(anna, nearby(latitude, longitude, "&radius_km=20040&limit=100")).size(),
              walk(anna, nearby(12, 34, "&radius_km=20040&limit=100")).size());
}

TEST(Nearby, RefusesBadParametersAllAtOnce)
{
    Caller anonymous;
    for (const char* radius : {"0", "-1", "20040.1", "1e9", "nan", "inf", "abc", "", "1e999"}) {
        EXPECT_TRUE(is_invalid(anonymous.get(nearby(1, 1, std::string("&radius_km=") + radius)), {"query.radius_km"})) << radius;
    }
    EXPECT_TRUE(
        is_invalid(anonymous.get("/for-you/events/nearby?latitude=90.1&longitude=180.1"), {"query.latitude", "query.longitude"}));
    EXPECT_TRUE(is_invalid(
        anonymous.get(
            "/for-you/events/nearby?latitude=nan&longitude=-inf&radius_km=x&skip=-1&limit=0&include_past=7&include_sold_out=no!"),
        {"query.latitude", "query.longitude", "query.radius_km", "query.skip", "query.limit", "query.include_past",
         "query.include_sold_out"}));
}

TEST(Nearby, AsksForBothCoordinatesOrNone)
{
    Person anna = sign_up(box_office(), {{"latitude", 1}, {"longitude", 1}});
    Caller anonymous;
    for (Caller* caller : {static_cast<Caller*>(&anna), &anonymous}) {
        EXPECT_TRUE(is_invalid(caller->get("/for-you/events/nearby?latitude=1"), {"query.longitude"}));
        EXPECT_TRUE(is_invalid(caller->get("/for-you/events/nearby?longitude=1"), {"query.latitude"}));
    }
}

TEST(Nearby, LooksAroundTheCallersOwnPlaceWhenNoneIsNamed)
{
    const auto [latitude, longitude] = lonely_place();
    Person anna = sign_up(box_office(), {{"latitude", latitude}, {"longitude", longitude}});
    Person drifter = sign_up();
    Caller anonymous;
    const Json event = make_event(anna, {{"venue", venue_at(latitude, longitude)}});
    EXPECT_EQ(ids_in(anna, "/for-you/events/nearby"), std::vector<Json>{event["id"]});
    const Answer nowhere = anonymous.get("/for-you/events/nearby");
    EXPECT_TRUE(is_invalid(nowhere, {"query.latitude", "query.longitude"}));
    EXPECT_NE(nowhere.body.find("token"), std::string::npos) << "the other way out";
    EXPECT_TRUE(is_problem(drifter.get("/for-you/events/nearby"), 422));
    must(drifter.patch("/auth/me", Json{{"location", {{"latitude", latitude}, {"longitude", longitude}}}}), 200);
    EXPECT_EQ(ids_in(drifter, "/for-you/events/nearby"), std::vector<Json>{event["id"]});
}

TEST(Nearby, LeavesOutTheSoldOutUnlessAskedForThem)
{
    Person anna = sign_up();
    const auto [latitude, longitude] = lonely_place();
    const Json event = make_event(anna, {{"venue", venue_at(latitude, longitude)}, {"total_tickets", 1}});
    const Json ticket = reserve(anna, event["id"]);
    EXPECT_TRUE(ids_in(anna, nearby(latitude, longitude)).empty());
    EXPECT_EQ(ids_in(anna, nearby(latitude, longitude, "&include_sold_out=true")), std::vector<Json>{event["id"]});
    must(anna.post(path_of("/tickets/", ticket["id"], "/cancel")), 200);
    EXPECT_EQ(ids_in(anna, nearby(latitude, longitude)), std::vector<Json>{event["id"]});
}

TEST(Nearby, LeavesOutThePastUnlessAskedForIt)
{
    Person anna = sign_up();
    const auto [latitude, longitude] = lonely_place();
    const Json event = make_event(
        anna, {{"venue", venue_at(latitude, longitude)}, {"start_time", from_now(-1h)}, {"end_time", from_now(1200ms)}});
    EXPECT_EQ(ids_in(anna, nearby(latitude, longitude)), std::vector<Json>{event["id"]}) << "what goes on is not past";
    wait_until_after(parse_time(event["end_time"]));
    EXPECT_TRUE(ids_in(anna, nearby(latitude, longitude)).empty());
    EXPECT_EQ(ids_in(anna, nearby(latitude, longitude, "&include_past=true")), std::vector<Json>{event["id"]});
}

TEST(Nearby, PagesTenAtATimeThroughEverythingOnce)
{
    Person anna = sign_up();
    const auto [latitude, longitude] = lonely_place();
    std::vector<Json> ids;
    for (int i = 0; i < 13; ++i) ids.push_back(make_event(anna, {{"venue", venue_at(latitude + i * 0.001, longitude)}})["id"]);
    const Answer first = anna.get(nearby(latitude, longitude));
    EXPECT_EQ(must(first, 200).size(), 10U);
    EXPECT_EQ(first.header("x-total-count"), "13");
    EXPECT_FALSE(link_to(first, "prev"));
    EXPECT_EQ(ids_in(anna, nearby(latitude, longitude)), ids);
    EXPECT_EQ(ids_in(anna, nearby(latitude, longitude, "&skip=11&limit=1")), (std::vector<Json>{ids[11], ids[12]}));
}

TEST(Nearby, FollowsAVenueThatMoves)
{
    Person anna = sign_up();
    const auto here = lonely_place(), there = lonely_place();
    const Json event = make_event(anna, {{"venue", venue_at(here.first, here.second)}});
    must(anna.patch(path_of("/events/", event["id"]), Json{{"venue", venue_at(there.first, there.second)}}), 200);
    EXPECT_TRUE(ids_in(anna, nearby(here.first, here.second)).empty());
    EXPECT_EQ(ids_in(anna, nearby(there.first, there.second)), std::vector<Json>{event["id"]});
    must(anna.del(path_of("/events/", event["id"])), 204);
    EXPECT_TRUE(ids_in(anna, nearby(there.first, there.second)).empty());
}

TEST(Nearby, CarriesAnEtag)
{
    Caller anonymous;
    const Answer answer = anonymous.get(nearby(1, 1));
    ASSERT_TRUE(has_status(answer, 200));
    EXPECT_TRUE(has_status(anonymous.get(nearby(1, 1), {{"If-None-Match", answer.header("etag")}}), 304));
}
