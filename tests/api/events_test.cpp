#include <atomic>
#include <set>
#include <thread>
#include <tuple>
#include <vector>

#include "scene.hpp"

using namespace blackbox;
using namespace std::chrono_literals;

namespace
{

std::string repeated(std::string_view piece, int times)
{
    std::string text;
    for (int i = 0; i < times; ++i) text += piece;
    return text;
}

Json venue_with(const char* field, const Json& value)
{
    Json venue = venue_at(10, 20);
    venue[field] = value;
    return {{"venue", venue}};
}

}  // namespace

TEST(EventsCreate, AnswersTheWholeEventAndWhereItIs)
{
    Person anna = sign_up();
    const Json body = draft({{"description", "Ünïcode ✓ \"quoted\" \\ / \u2028 line"},
                             {"total_tickets", 7},
                             {"venue", venue_at(52.5200066, 13.4049540)}});
    const Answer answer = anna.post("/events/", body);
    ASSERT_TRUE(has_status(answer, 201));
    const Json event = answer.json();
    std::set<std::string> names;
    for (const auto& [name, value] : event.items()) names.insert(name);
    EXPECT_EQ(names, (std::set<std::string>{"id", "title", "description", "start_time", "end_time", "timezone", "total_tickets",
                                            "tickets_sold", "available_tickets", "venue_address", "venue", "organizer_id",
                                            "version", "created_at", "updated_at"}));
    for (const char* same : {"title", "description", "total_tickets", "venue"}) EXPECT_EQ(event[same], body[same]);
    EXPECT_EQ(parse_time(event["start_time"]), parse_time(body["start_time"]));
    EXPECT_EQ(parse_time(event["end_time"]), parse_time(body["end_time"]));
    EXPECT_EQ(event["timezone"], "UTC");
    EXPECT_EQ(event["tickets_sold"], 0);
    EXPECT_EQ(event["available_tickets"], 7);
    EXPECT_EQ(event["venue_address"], body["venue"]["address"]);
    EXPECT_EQ(event["organizer_id"], anna.id);
    EXPECT_NO_THROW((void)parse_time(event["created_at"]));
    EXPECT_NO_THROW((void)parse_time(event["updated_at"]));

    const std::string location = answer.header("location");
    const std::string path = path_of("/events/", event["id"]);
    EXPECT_TRUE(location.ends_with("/api/v1" + path)) << location;
    EXPECT_EQ(get_event(anna, event["id"]), event);
}

TEST(EventsCreate, AsksForAToken)
{
    Caller anonymous;
    EXPECT_TRUE(is_problem(anonymous.post("/events/", draft()), 401, "unauthenticated"));
}

TEST(EventsCreate, NeedsNoDescription)
{
    Person anna = sign_up();
    EXPECT_EQ(make_event(anna, {{"description", nullptr}})["description"], "");
}

TEST(EventsCreate, ListsEveryBadFieldAtOnce)
{
    Person anna = sign_up();
    EXPECT_TRUE(is_invalid(anna.post("/events/", Json::object()),
                           {"body.title", "body.start_time", "body.end_time", "body.total_tickets", "body.venue"}));
    const Json wrong = draft({{"title", ""},
                              {"start_time", "soon"},
                              {"total_tickets", 0},
                              {"description", 5},
                              {"venue", {{"address", ""}, {"latitude", 90.1}, {"longitude", "east"}}}});
    EXPECT_TRUE(
        is_invalid(anna.post("/events/", wrong), {"body.title", "body.start_time", "body.total_tickets", "body.description",
                                                  "body.venue.address", "body.venue.latitude", "body.venue.longitude"}));
    Json hollow = draft();
    hollow["venue"] = Json::object();
    EXPECT_TRUE(is_invalid(anna.post("/events/", hollow), {"body.venue.address", "body.venue.latitude", "body.venue.longitude"}));
}

TEST(EventsCreate, TakesFrom1To1000000000Tickets)
{
    Person anna = sign_up();
    EXPECT_EQ(make_event(anna, {{"total_tickets", 1}})["available_tickets"], 1);
    EXPECT_EQ(make_event(anna, {{"total_tickets", 1'000'000'000}})["available_tickets"], 1'000'000'000);
    for (const Json& count : {Json(0), Json(-1), Json(1'000'000'001), Json(INT64_MAX), Json(INT64_MIN), Json(UINT64_MAX),
                              Json(1.5), Json(1e300), Json("5"), Json(true), Json(Json::array())}) {
        EXPECT_TRUE(is_invalid(anna.post("/events/", draft({{"total_tickets", count}})), {"body.total_tickets"})) << count;
    }
}

TEST(EventsCreate, RefusesNumbersBeyond64BitsAsOutOfRange)
{
    Person anna = sign_up();
    for (const char* count :
         {"9223372036854775808", "-9223372036854775809", "18446744073709551616", "123456789012345678901234567890"}) {
        std::string body = draft({{"total_tickets", 424242}}).dump();
        body.replace(body.find("424242"), 6, count);
        EXPECT_TRUE(is_problem(anna.send_text("POST", "/events/", body), 422)) << count;
    }
}

TEST(EventsCreate, CountsTextInCharacters)
{
    Person anna = sign_up();
    EXPECT_EQ(make_event(anna, {{"title", repeated("é", 200)}})["title"], repeated("é", 200));
    EXPECT_TRUE(is_invalid(anna.post("/events/", draft({{"title", repeated("é", 201)}})), {"body.title"}));
    EXPECT_TRUE(is_invalid(anna.post("/events/", draft({{"title", ""}})), {"body.title"}));
    EXPECT_EQ(make_event(anna, {{"description", repeated("🎟", 5000)}})["description"], repeated("🎟", 5000));
    EXPECT_TRUE(is_invalid(anna.post("/events/", draft({{"description", repeated("x", 5001)}})), {"body.description"}));
    EXPECT_EQ(make_event(anna, venue_with("address", repeated("ß", 500)))["venue_address"], repeated("ß", 500));
    EXPECT_TRUE(is_invalid(anna.post("/events/", draft(venue_with("address", repeated("x", 501)))), {"body.venue.address"}));
    EXPECT_TRUE(is_invalid(anna.post("/events/", draft(venue_with("address", ""))), {"body.venue.address"}));
}

TEST(EventsCreate, TakesTheWholeEarthAndNothingBeyond)
{
    Person anna = sign_up();
    for (const auto& [latitude, longitude] : {std::pair{90.0, 180.0}, {-90.0, -180.0}, {0.0, 0.0}, {-0.0, 1e-9}}) {
        const Json venue = make_event(anna, {{"venue", venue_at(latitude, longitude)}})["venue"];
        EXPECT_EQ(venue["latitude"], latitude);
        EXPECT_EQ(venue["longitude"], longitude);
    }
    for (const double latitude : {90.000001, -90.000001, 1e308}) {
        EXPECT_TRUE(is_invalid(anna.post("/events/", draft(venue_with("latitude", latitude))), {"body.venue.latitude"}));
    }
    for (const double longitude : {180.000001, -180.000001, -1e308}) {
        EXPECT_TRUE(is_invalid(anna.post("/events/", draft(venue_with("longitude", longitude))), {"body.venue.longitude"}));
    }
}

TEST(EventsCreate, KeepsCoordinatesToTheLastDigit)
{
    Person anna = sign_up();
    const Json venue = venue_at(52.520006599999998, -122.41941550000001);
    EXPECT_EQ(get_event(anna, make_event(anna, {{"venue", venue}})["id"])["venue"], venue);
}

TEST(EventsCreate, BindsNoFieldThatIsNotTheCallersToSet)
{
    Person anna = sign_up();
    Person eve = sign_up();
    const Json event = make_event(eve, {{"id", 1},
                                        {"tickets_sold", 9},
                                        {"available_tickets", 99},
                                        {"organizer_id", anna.id},
                                        {"created_at", "2001-01-01T00:00:00Z"},
                                        {"venue_address", "elsewhere"},
                                        {"no_such_field", {{"deep", {1, 2, 3}}}}});
    EXPECT_NE(event["id"], 1);
    EXPECT_EQ(event["tickets_sold"], 0);
    EXPECT_EQ(event["available_tickets"], 10);
    EXPECT_EQ(event["organizer_id"], eve.id);
    EXPECT_EQ(event["venue_address"], "1 Test Street");
    EXPECT_GT(parse_time(event["created_at"]), parse_time("2020-01-01T00:00:00Z"));
    EXPECT_FALSE(event.contains("no_such_field"));
}

TEST(EventsCreate, RefusesAnEndThatIsNotAfterTheStart)
{
    Person anna = sign_up();
    const std::string when = from_now(48h);
    EXPECT_TRUE(is_invalid(anna.post("/events/", draft({{"start_time", when}, {"end_time", when}}))));
    EXPECT_TRUE(is_invalid(anna.post("/events/", draft({{"start_time", from_now(49h)}, {"end_time", when}}))));
}

TEST(EventsCreate, RefusesWhatHasEndedAndTakesWhatIsGoingOn)
{
    Person anna = sign_up();
    EXPECT_TRUE(is_invalid(anna.post("/events/", draft({{"start_time", from_now(-2h)}, {"end_time", from_now(-1h)}}))));
    EXPECT_TRUE(has_status(anna.post("/events/", draft({{"start_time", from_now(-2h)}, {"end_time", from_now(1h)}})), 201));
}

TEST(EventsRead, AnswersNotFoundForWhatIsNoEvent)
{
    Caller anonymous;
    for (const char* id : {"0", "-1", "9223372036854775807", "9223372036854775808", "99999999999999999999", "abc", "1.5", "0x1",
                           "%00", "1%20", "é"}) {
        EXPECT_TRUE(is_problem(anonymous.get(std::string("/events/") + percent_encode(id)), 404, "not_found")) << id;
    }
}

TEST(EventsCreate, RefusesTextsInWhichNothingCanBeSeenOrThatTurnThingsRound)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    for (const char* text : {" ", "\u3000", "\u200b\u2060", "\u3164", "\u2800", "a\u0007", "a\u0085b", "\u202eb", "\u2067a"}) {
        Json venue = venue_at(1, 1);
        venue["address"] = text;
        const Json bad{{"title", text}, {"description", text}, {"venue", venue}};
        EXPECT_TRUE(is_invalid(anna.post("/events/", draft(bad)), {"body.title", "body.description", "body.venue.address"}))
            << text;
        EXPECT_TRUE(is_invalid(anna.patch(path_of("/events/", event["id"]), bad),
                               {"body.title", "body.description", "body.venue.address"}))
            << text;
    }
    EXPECT_TRUE(is_invalid(anna.post("/events/", draft({{"title", "two\nlines"}})), {"body.title"}));
    EXPECT_EQ(make_event(anna, {{"description", "two\r\nlines\n\tand a tab"}})["description"], "two\r\nlines\n\tand a tab");
    EXPECT_EQ(make_event(anna, {{"title", " Jazz "}})["title"], " Jazz ") << "kept as it was sent";
}

TEST(EventsChange, ReplacesWhatIsNamedAndLeavesTheRest)
{
    Person anna = sign_up();
    const Json before = make_event(anna);
    Json after = must(anna.patch(path_of("/events/", before["id"]), Json{{"title", "A new title"}}), 200);
    EXPECT_EQ(after["title"], "A new title");
    EXPECT_GE(parse_time(after["updated_at"]), parse_time(before["updated_at"]));
    Json expected = before;
    expected["title"] = "A new title";
    expected["version"] = 2;
    expected["updated_at"] = after["updated_at"];
    EXPECT_EQ(after, expected);
    EXPECT_EQ(get_event(anna, before["id"]), expected);
}

TEST(EventsChange, TakesAnyFieldOfPost)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const Json change{{"title", "T"},
                      {"description", "D"},
                      {"start_time", "2031-05-01T20:00:00"},
                      {"end_time", "2031-05-01T23:00:00"},
                      {"timezone", "America/New_York"},
                      {"total_tickets", 77},
                      {"venue", {{"address", "Elsewhere 2"}, {"latitude", -1.25}, {"longitude", 2.5}}}};
    const Json after = must(anna.patch(path_of("/events/", event["id"]), change), 200);
    for (const char* same : {"title", "description", "timezone", "total_tickets", "venue"}) EXPECT_EQ(after[same], change[same]);
    EXPECT_EQ(parse_time(after["start_time"]), parse_time("2031-05-02T00:00:00Z"));
    EXPECT_EQ(parse_time(after["end_time"]), parse_time("2031-05-02T03:00:00Z"));
    EXPECT_EQ(after["available_tickets"], 77);
    EXPECT_EQ(after["venue_address"], "Elsewhere 2");
}

TEST(EventsChange, ReadsWallTimeInTheZoneOfTheEvent)
{
    Person anna = sign_up();
    const Json event = make_event(
        anna, {{"timezone", "Asia/Tokyo"}, {"start_time", "2031-05-01T20:00:00"}, {"end_time", "2031-05-01T22:00:00"}});
    const Json after = must(anna.patch(path_of("/events/", event["id"]), Json{{"start_time", "2031-05-01T19:00:00"}}), 200);
    EXPECT_EQ(parse_time(after["start_time"]), parse_time("2031-05-01T10:00:00Z"));
}

TEST(EventsChange, RefusesBadFieldsAllAtOnceAndChangesNothing)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const std::string path = path_of("/events/", event["id"]);
    EXPECT_TRUE(is_invalid(anna.patch(path, Json{{"title", ""}, {"total_tickets", -5}, {"start_time", "2031-13-01T00:00:00Z"}}),
                           {"body.title", "body.total_tickets", "body.start_time"}));
    EXPECT_TRUE(is_invalid(anna.patch(path, Json{{"start_time", from_now(24h * 365)}})));
    EXPECT_TRUE(is_invalid(anna.patch(path, Json{{"end_time", from_now(1h)}})));
    EXPECT_EQ(get_event(anna, event["id"]), event);
}

TEST(EventsChange, BindsNoFieldThatIsNotTheCallersToSet)
{
    Person anna = sign_up();
    Json event = make_event(anna);
    const Json change{
        {"id", 1}, {"tickets_sold", 5}, {"available_tickets", 5}, {"organizer_id", 1}, {"created_at", "2001-01-01T00:00:00Z"}};
    Json after = must(anna.patch(path_of("/events/", event["id"]), change), 200);
    after["updated_at"] = event["updated_at"];
    EXPECT_EQ(after, event);
}

TEST(EventsChange, IsForTheOrganizerOnly)
{
    Person anna = sign_up();
    Person eve = sign_up();
    Caller anonymous;
    const std::string path = path_of("/events/", make_event(anna)["id"]);
    EXPECT_TRUE(is_problem(eve.patch(path, Json{{"title", "Mine now"}}), 403, "not_organizer"));
    EXPECT_TRUE(is_problem(anonymous.patch(path, Json{{"title", "Mine now"}}), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(eve.patch("/events/9223372036854775807", Json{{"title", "Mine now"}}), 404, "not_found"));
}

TEST(EventsChange, NeverTakesAwaySeatsThatAreSold)
{
    Person anna = sign_up();
    const Json event = make_event(anna, {{"total_tickets", 5}});
    const std::string path = path_of("/events/", event["id"]);
    for (int i = 0; i < 3; ++i) reserve(anna, event["id"]);
    EXPECT_TRUE(is_problem(anna.patch(path, Json{{"total_tickets", 2}}), 409, "below_sold"));
    const Json after = must(anna.patch(path, Json{{"total_tickets", 3}}), 200);
    EXPECT_EQ(after["tickets_sold"], 3);
    EXPECT_EQ(after["available_tickets"], 0);
    EXPECT_TRUE(is_problem(anna.post("/tickets/", Json{{"event_id", event["id"]}}), 409, "sold_out"));
    must(anna.patch(path, Json{{"total_tickets", 4}}), 200);
    reserve(anna, event["id"]);
}

TEST(EventsRemove, TakesItAwayForGood)
{
    Person anna = sign_up();
    const std::string path = path_of("/events/", make_event(anna)["id"]);
    const Answer answer = anna.del(path);
    EXPECT_TRUE(has_status(answer, 204));
    EXPECT_TRUE(answer.body.empty());
    EXPECT_TRUE(is_problem(anna.get(path), 404, "not_found"));
    EXPECT_TRUE(is_problem(anna.del(path), 404, "not_found"));
    EXPECT_TRUE(is_problem(anna.patch(path, Json{{"title", "Back"}}), 404, "not_found"));
}

TEST(EventsRemove, IsForTheOrganizerOnly)
{
    Person anna = sign_up();
    Person eve = sign_up();
    Caller anonymous;
    const std::string path = path_of("/events/", make_event(anna)["id"]);
    EXPECT_TRUE(is_problem(eve.del(path), 403, "not_organizer"));
    EXPECT_TRUE(is_problem(anonymous.del(path), 401, "unauthenticated"));
}

TEST(EventsRemove, IsRefusedWhileATicketIsHeldOrPaid)
{
    Person anna = sign_up();
    Person ben = sign_up();
    const Json event = make_event(anna);
    const std::string path = path_of("/events/", event["id"]);
    const Json held = reserve(ben, event["id"]);
    EXPECT_TRUE(is_problem(anna.del(path), 409, "has_tickets"));
    must(ben.post(path_of("/tickets/", held["id"], "/cancel")), 200);
    EXPECT_TRUE(has_status(anna.del(path), 204));

    const Json other = make_event(anna);
    pay(ben, reserve(ben, other["id"])["id"]);
    EXPECT_TRUE(is_problem(anna.del(path_of("/events/", other["id"])), 409, "has_tickets"));
}

TEST(EventsVersion, GrowsWithChangesAndHoldsThoseMeantForAnother)
{
    Person anna = sign_up();
    Person eve = sign_up();
    const Json event = make_event(anna);
    const std::string path = path_of("/events/", event["id"]);
    EXPECT_EQ(event["version"], 1);
    const std::string tag = anna.get(path).header("etag");
    EXPECT_TRUE(tag.starts_with("\"v1-")) << tag;
    reserve(eve, event["id"]);
    EXPECT_NE(anna.get(path).header("etag"), tag) << "it is not what it was";
    const Answer changed = anna.patch(path, Json{{"title", "Another"}}, {{"If-Match", tag}});
    EXPECT_EQ(must(changed, 200)["version"], 2) << "sales do not stand in the way";
    EXPECT_EQ(changed.header("etag"), anna.get(path).header("etag"));
    EXPECT_TRUE(is_problem(anna.patch(path, Json{{"title", "A third"}}, {{"If-Match", tag}}), 412, "precondition_failed"));
    EXPECT_TRUE(is_problem(anna.del(path, {{"If-Match", tag}}), 412, "precondition_failed"));
    EXPECT_TRUE(is_problem(anna.patch(path, Json::object(), {{"If-Match", "W/" + changed.header("etag")}}), 412));
    EXPECT_TRUE(is_problem(anna.patch(path, Json::object(), {{"If-Match", "v2"}}), 400));
    EXPECT_TRUE(is_problem(eve.patch(path, Json::object(), {{"If-Match", tag}}), 403, "not_organizer"));
    EXPECT_TRUE(is_problem(anna.patch("/events/9223372036854775807", Json::object(), {{"If-Match", "*"}}), 404, "not_found"));
    EXPECT_EQ(must(anna.get(path), 200)["title"], "Another");
    EXPECT_EQ(must(anna.patch(path, Json::object(), {{"If-Match", "\"x\", " + changed.header("etag")}}), 200)["version"], 2)
        << "nothing was changed";
    EXPECT_EQ(must(anna.patch(path, Json{{"title", "A fourth"}}, {{"If-Match", "*"}}), 200)["version"], 3);
    EXPECT_TRUE(is_problem(anna.del(path, {{"If-Match", "\"v3\""}}), 409, "has_tickets"));
}

TEST(EventsVersion, LetsOneOfManyChangeWhatAllHaveRead)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const std::string path = path_of("/events/", event["id"]);
    const std::string tag = anna.get(path).header("etag");
    std::atomic<int> made = 0;
    std::atomic<int> held = 0;
    std::vector<std::thread> editors;
    for (int i = 0; i < 8; ++i) {
        editors.emplace_back([&, i] {
            Caller editor(anna.address(), anna.token());
            const int status = editor.patch(path, Json{{"title", "by " + std::to_string(i)}}, {{"If-Match", tag}}).status;
            ++(status == 200 ? made : held);
            EXPECT_TRUE(status == 200 || status == 412) << status;
        });
    }
    for (auto& editor : editors) editor.join();
    EXPECT_EQ(made, 1);
    EXPECT_EQ(held, 7);
    EXPECT_EQ(get_event(anna, event["id"])["version"], 2);
}
