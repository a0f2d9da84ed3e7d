#include <algorithm>
#include <regex>

#include "scene.hpp"

using namespace blackbox;
using namespace std::chrono_literals;

namespace
{

constexpr const char* kRecommended = "/for-you/events/recommended";

Json find_in(const std::vector<Json>& events, const Json& id)
{
    const auto at = std::ranges::find_if(events, [&](const Json& event) { return event["id"] == id; });
    return at == events.end() ? Json() : *at;
}

std::vector<Json> everything(Caller& caller) { return walk(caller, std::string(kRecommended) + "?limit=100"); }

bool gives(const Json& event, const char* reason)
{
    return std::ranges::find(event["reasons"], Json(reason)) != event["reasons"].end();
}

/// A user at a place where nothing else is, and an event there.
struct Local {
    std::pair<double, double> place = lonely_place();
    Person anna = sign_up(box_office(), {{"latitude", place.first}, {"longitude", place.second}});
    Person host = sign_up();
    Json event = make_event(host, {{"venue", venue_at(place.first, place.second)}});
};

}  // namespace

TEST(Recommended, AsksForATokenAndOneself)
{
    Person anna = sign_up();
    Person eve = sign_up();
    Caller anonymous;
    const std::string path = std::string(kRecommended) + "?user_id=" + std::to_string(anna.id);
    EXPECT_TRUE(is_problem(anonymous.get(kRecommended), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(eve.get(path), 403, "not_yourself"));
    EXPECT_TRUE(has_status(anna.get(path), 200));
    EXPECT_TRUE(is_invalid(anna.get(std::string(kRecommended) + "?user_id=me&limit=0&skip=x"),
                           {"query.user_id", "query.limit", "query.skip"}));
}

TEST(Recommended, HasAFullListForSomebodyNewWithNothing)
{
    Person host = sign_up();
    for (int i = 0; i < 3; ++i) make_event(host);
    Person anna = sign_up();
    const Answer answer = anna.get(kRecommended);
    const Json events = must(answer, 200);
    ASSERT_GE(events.size(), 3U);
    ASSERT_LE(events.size(), 10U);
    for (const Json& event : events) {
        EXPECT_FALSE(event.contains("distance_km")) << event;
        EXPECT_FALSE(gives(event, "near_you")) << event;
        EXPECT_FALSE(gives(event, "similar_to_past")) << event;
    }
}

TEST(Recommended, GoesByScoreFrom1DownTo0WithShortReasons)
{
    Local scene;
    const Json events = must(scene.anna.get(std::string(kRecommended) + "?limit=100"), 200);
    ASSERT_FALSE(events.empty());
    static const std::regex word("[a-z][a-z_]{1,30}");
    double last = 1;
    for (const Json& event : events) {
        const double score = event["score"].get<double>();
        EXPECT_GE(score, 0);
        EXPECT_LE(score, last);
        last = score;
        ASSERT_TRUE(event["reasons"].is_array());
        for (const Json& reason : event["reasons"]) EXPECT_TRUE(std::regex_match(reason.get<std::string>(), word)) << reason;
        EXPECT_GT(event["available_tickets"].get<std::int64_t>(), 0);
        EXPECT_GT(parse_time(event["start_time"]), parse_time(scene.anna.user["created_at"])) << "what has begun is not upcoming";
    }
}

TEST(Recommended, GivesEachEventWholeAndOnce)
{
    Local scene;
    const auto events = everything(scene.anna);
    std::vector<Json> ids;
    for (const Json& event : events) ids.push_back(event["id"]);
    std::ranges::sort(ids);
    EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
    Json found = find_in(events, scene.event["id"]);
    ASSERT_FALSE(found.is_null());
    for (const char* extra : {"score", "reasons", "distance_km"}) found.erase(extra);
    EXPECT_EQ(found, scene.event);
}

TEST(Recommended, TellsTheDistanceAndThatItIsNearToWhoHasAPlace)
{
    Local scene;
    const auto events = everything(scene.anna);
    for (const Json& event : events) EXPECT_TRUE(event["distance_km"].is_number()) << event;
    const Json found = find_in(events, scene.event["id"]);
    ASSERT_FALSE(found.is_null());
    EXPECT_NEAR(found["distance_km"].get<double>(), 0, 1e-6);
    EXPECT_TRUE(gives(found, "near_you")) << found;
}

TEST(Recommended, LeavesOutWhatTheCallerHoldsALiveTicketFor)
{
    Local scene;
    const auto offered = [&] { return !find_in(everything(scene.anna), scene.event["id"]).is_null(); };
    EXPECT_TRUE(offered());
    const Json held = reserve(scene.anna, scene.event["id"]);
    EXPECT_FALSE(offered());
    must(scene.anna.post(path_of("/tickets/", held["id"], "/cancel")), 200);
    EXPECT_TRUE(offered());
    pay(scene.anna, reserve(scene.anna, scene.event["id"])["id"]);
    EXPECT_FALSE(offered());
}

TEST(Recommended, LeavesOutTheSoldOutAndTheBegun)
{
    Local scene;
    const Json full = make_event(scene.host, {{"venue", venue_at(scene.place.first, scene.place.second)}, {"total_tickets", 1}});
    reserve(scene.host, full["id"]);
    const Json begun = make_event(
        scene.host,
        {{"venue", venue_at(scene.place.first, scene.place.second)}, {"start_time", from_now(-1h)}, {"end_time", from_now(48h)}});
    const auto events = everything(scene.anna);
    EXPECT_FALSE(find_in(events, scene.event["id"]).is_null());
    EXPECT_TRUE(find_in(events, full["id"]).is_null());
    EXPECT_TRUE(find_in(events, begun["id"]).is_null());
}

TEST(Recommended, OffersWhatIsLikeThePast)
{
    Local scene;
    const std::string genre = fresh_word();
    const Json past = make_event(scene.host, {{"title", "Night of " + genre}, {"description", "All about " + genre}});
    const Json alike = make_event(scene.host, {{"title", "Morning of " + genre}, {"description", "Still about " + genre}});
    pay(scene.anna, reserve(scene.anna, past["id"])["id"]);
    const Json found = find_in(everything(scene.anna), alike["id"]);
    ASSERT_FALSE(found.is_null());
    EXPECT_TRUE(gives(found, "similar_to_past")) << found;
}

TEST(Recommended, Pages)
{
    Local scene;
    for (int i = 0; i < 12; ++i) make_event(scene.host, {{"venue", venue_at(scene.place.first, scene.place.second)}});
    const Answer first = scene.anna.get(std::string(kRecommended) + "?skip=0");
    EXPECT_EQ(must(first, 200).size(), 10U);
    EXPECT_GE(std::stoi(first.header("x-total-count")), 13);
    const Json second = must(scene.anna.get(std::string(kRecommended) + "?skip=10&limit=2"), 200);
    ASSERT_EQ(second.size(), 2U);
    // Scores are of their moment: what is soon is a little sooner by the second page.
    EXPECT_LE(second[0]["score"].get<double>(), first.json()[9]["score"].get<double>() + 1e-3);
    EXPECT_EQ(must(scene.anna.get(std::string(kRecommended) + "?skip=10000"), 200), Json::array());
}
