#include <algorithm>

#include "scene.hpp"

using namespace blackbox;
using namespace std::chrono_literals;

namespace
{

std::vector<std::int64_t> ids_of(const Json& items)
{
    std::vector<std::int64_t> ids;
    for (const Json& item : items) ids.push_back(item.at("id").get<std::int64_t>());
    return ids;
}

std::string by(const Person& organizer, const std::string& more = "")
{
    return "/events/?organizer_id=" + std::to_string(organizer.id) + more;
}

std::vector<std::int64_t> found(Caller& caller, const std::string& path) { return ids_of(must(caller.get(path), 200)); }

}  // namespace

TEST(EventsList, IsABareArrayWithItsTotal)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const Answer answer = anna.get(by(anna));
    EXPECT_EQ(must(answer, 200), Json::array({event}));
    EXPECT_EQ(answer.header("x-total-count"), "1");
    EXPECT_FALSE(link_to(answer, "next"));
    EXPECT_FALSE(link_to(answer, "prev"));
}

TEST(EventsList, IsEmptyWhenThereIsNothing)
{
    Person anna = sign_up();
    const Answer answer = anna.get(by(anna));
    EXPECT_EQ(must(answer, 200), Json::array());
    EXPECT_EQ(answer.header("x-total-count"), "0");
}

TEST(EventsList, AnswersTheSameWithAndWithoutTheSlash)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const std::string query = "?organizer_id=" + std::to_string(anna.id);
    EXPECT_EQ(must(anna.get("/events" + query), 200), must(anna.get("/events/" + query), 200));
    EXPECT_TRUE(has_status(anna.post("/events", draft()), 201));
    EXPECT_TRUE(has_status(anna.post("/tickets", Json{{"event_id", event["id"]}}), 201));
}

TEST(EventsList, GoesByStartThenId)
{
    Person anna = sign_up();
    const std::string later = from_now(800h), sooner = from_now(790h);
    const auto starting = [&](const std::string& start) {
        return make_event(anna, {{"start_time", start}, {"end_time", from_now(900h)}})["id"].get<std::int64_t>();
    };
    const auto a = starting(later), b = starting(sooner), c = starting(later), d = starting(sooner);
    EXPECT_EQ(found(anna, by(anna)), (std::vector{b, d, a, c}));
}

TEST(EventsList, PagesAlongItsLinksThroughEverythingOnce)
{
    Person anna = sign_up();
    std::vector<std::int64_t> all;
    const std::string start = from_now(800h);
    for (int i = 0; i < 7; ++i)
        all.push_back(make_event(anna, {{"start_time", start}, {"end_time", from_now(900h)}})["id"].get<std::int64_t>());

    const Answer first = anna.get(by(anna, "&limit=3&q=" + percent_encode("evening")));
    EXPECT_EQ(first.header("x-total-count"), "7");
    EXPECT_FALSE(link_to(first, "prev"));
    const auto next = link_to(first, "next");
    ASSERT_TRUE(next) << first;
    const Answer second = anna.get(*next);
    EXPECT_EQ(second.header("x-total-count"), "7");
    EXPECT_EQ(ids_of(second.json()), std::vector(all.begin() + 3, all.begin() + 6));
    const auto back = link_to(second, "prev");
    ASSERT_TRUE(back) << second;
    EXPECT_EQ(ids_of(must(anna.get(*back), 200)), ids_of(first.json()));
    EXPECT_EQ(ids_of(walk(anna, by(anna, "&limit=3"))), all);
    EXPECT_EQ(found(anna, by(anna, "&skip=5&limit=100")), std::vector(all.begin() + 5, all.end()));
}

TEST(EventsList, IsEmptyBeyondItsEnd)
{
    Person anna = sign_up();
    make_event(anna);
    for (const char* skip : {"1", "9999", "10000"}) {
        const Answer answer = anna.get(by(anna, std::string("&skip=") + skip));
        EXPECT_EQ(must(answer, 200), Json::array()) << skip;
        EXPECT_EQ(answer.header("x-total-count"), "1");
        EXPECT_FALSE(link_to(answer, "next"));
    }
}

TEST(EventsList, RefusesBadParametersAllAtOnce)
{
    Caller anonymous;
    EXPECT_TRUE(is_invalid(anonymous.get("/events/?limit=0"), {"query.limit"}));
    EXPECT_TRUE(is_invalid(anonymous.get("/events/?limit=101"), {"query.limit"}));
    EXPECT_TRUE(is_invalid(anonymous.get("/events/?skip=-1"), {"query.skip"}));
    EXPECT_TRUE(is_invalid(anonymous.get("/events/?skip=9223372036854775808"), {"query.skip"}));
    EXPECT_TRUE(is_invalid(anonymous.get("/events/?skip=9223372036854775807"), {"query.skip"}));
    EXPECT_TRUE(is_invalid(anonymous.get("/events/?limit=1e1"), {"query.limit"}));
    EXPECT_TRUE(is_invalid(anonymous.get("/events/?limit="), {"query.limit"}));
    EXPECT_TRUE(is_invalid(anonymous.get("/events/?limit=%00"), {"query.limit"}));
    EXPECT_TRUE(is_invalid(anonymous.get("/events/?available_only=perhaps"), {"query.available_only"}));
    EXPECT_TRUE(is_invalid(
        anonymous.get("/events/?skip=x&limit=-7&starts_after=soon&starts_before=never&available_only=2&organizer_id=me"),
        {"query.skip", "query.limit", "query.starts_after", "query.starts_before", "query.available_only",
         "query.organizer_id"}));
}

TEST(EventsList, RefusesIdsThatNobodyCanHaveAndForgetsThem)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const std::string before = anna.get("/events/?limit=1").header("x-total-count");
    for (const char* id : {"0", "-1", "-9223372036854775808"}) {
        EXPECT_TRUE(is_invalid(anna.get("/events/?organizer_id=" + std::string(id)), {"query.organizer_id"})) << id;
        EXPECT_EQ(anna.get("/events/?limit=1").header("x-total-count"), before) << id;
        EXPECT_TRUE(is_invalid(anna.get(path_of("/tickets/user/", anna.id) + "?event_id=" + id), {"query.event_id"}));
        EXPECT_TRUE(is_invalid(anna.get("/for-you/events/recommended?user_id=" + std::string(id)), {"query.user_id"})) << id;
        const Json order = {{"event_id", std::stoll(id)}, {"user_id", std::stoll(id)}};
        EXPECT_TRUE(is_invalid(anna.post("/tickets/", order), {"body.event_id", "body.user_id"})) << id;
    }
    const Answer none = anna.get("/events/?organizer_id=9223372036854775807");
    EXPECT_EQ(must(none, 200), Json::array());
    EXPECT_EQ(none.header("x-total-count"), "0");
    EXPECT_EQ(found(anna, by(anna)).size(), 1U);
}

TEST(EventsList, RefusesParametersItDoesNotKnowAndNamesThoseItDoes)
{
    Caller anonymous;
    const Answer answer = anonymous.get("/events/?page=7&limti=2&available_onyl=true&limit=0");
    EXPECT_TRUE(is_invalid(answer, {"query.page", "query.limti", "query.available_onyl", "query.limit"}));
    EXPECT_NE(answer.body.find("did you mean available_only?"), std::string::npos) << answer;
    EXPECT_TRUE(is_problem(anonymous.get("/events/?limit=1&limit=1"), 400));
}

TEST(EventsList, GoesOnBeyondWhatMayBeSkipped)
{
    Person anna = sign_up();
    std::vector<std::int64_t> all;
    for (int i = 0; i < 5; ++i) all.push_back(make_event(anna)["id"].get<std::int64_t>());
    EXPECT_TRUE(is_invalid(anna.get(by(anna, "&skip=10001")), {"query.skip"}));
    EXPECT_TRUE(has_status(anna.get(by(anna, "&skip=10000")), 200));
    const auto next = link_to(anna.get(by(anna, "&limit=2")), "next");
    ASSERT_TRUE(next && next->find("after=") != std::string::npos);
    const Answer second = anna.get(*next);
    EXPECT_EQ(ids_of(second.json()), std::vector(all.begin() + 2, all.begin() + 4));
    EXPECT_EQ(second.header("x-total-count"), "5");
    EXPECT_TRUE(is_invalid(anna.get(*next + "&skip=1"), {"query.skip"}));
    EXPECT_TRUE(is_invalid(anna.get(by(anna, "&after=12")), {"query.after"}));
    const auto back = link_to(second, "prev");
    ASSERT_TRUE(back);
    const Answer first = anna.get(*back);
    EXPECT_EQ(ids_of(first.json()), std::vector(all.begin(), all.begin() + 2));
    EXPECT_FALSE(link_to(first, "prev"));
    const Answer from_three = anna.get(by(anna, "&skip=3&limit=10"));
    const auto before = link_to(from_three, "prev");
    ASSERT_TRUE(before);
    EXPECT_EQ(ids_of(must(anna.get(*before), 200)), std::vector(all.begin(), all.begin() + 3)) << "and none of what was shown";
}

TEST(EventsList, LeavesOutDescriptionsOfASummary)
{
    Person anna = sign_up();
    Json event = make_event(anna, {{"description", "much to say"}});
    EXPECT_EQ(must(anna.get(by(anna, "&fields=full")), 200), Json::array({event}));
    event.erase("description");
    EXPECT_EQ(must(anna.get(by(anna, "&fields=summary")), 200), Json::array({event}));
    EXPECT_TRUE(is_invalid(anna.get(by(anna, "&fields=title")), {"query.fields"}));
}

TEST(EventsList, KeepsWhatIsRunningAndLeavesOutWhatIsOver)
{
    Person anna = sign_up();
    const auto running = make_event(anna, {{"start_time", "2020-01-01T00:00:00Z"}, {"end_time", "2035-01-01T00:00:00Z"}})["id"];
    const auto later = make_event(anna, {{"start_time", "2031-01-01T00:00:00Z"}, {"end_time", "2031-01-02T00:00:00Z"}})["id"];
    const std::vector<std::int64_t> both = {running.get<std::int64_t>(), later.get<std::int64_t>()};
    EXPECT_EQ(found(anna, by(anna, "&ends_after=2026-01-01T00:00:00Z")), both);
    EXPECT_EQ(found(anna, by(anna, "&ends_after=2031-01-01T23:59:59.999999Z")), both);
    EXPECT_EQ(found(anna, by(anna, "&ends_after=2031-01-02T00:00:00Z")), std::vector{both[0]}) << "its end is over";
    EXPECT_EQ(found(anna, by(anna, "&available_only=YES")), both) << "what has begun can still be entered";
    EXPECT_EQ(found(anna, by(anna, "&available_only=on&ends_after=2032-01-01T00:00:00Z")), std::vector{both[0]});
}

TEST(EventsList, FindsTheWordsOfTitleDescriptionAndAddress)
{
    Person anna = sign_up();
    const std::string one = fresh_word(), two = fresh_word(), three = fresh_word();
    const auto make = [&](const std::string& title, const std::string& description, const std::string& address) {
        Json venue = venue_at(1, 1);
        venue["address"] = address;
        return make_event(anna, {{"title", title}, {"description", description}, {"venue", venue}})["id"].get<std::int64_t>();
    };
    const auto titled = make("The " + one + " show", "none", "nowhere");
    const auto described = make("Show", "about " + two + ", at last", "nowhere");
    const auto placed = make("Show", "none", "5 " + three + " Road");
    const auto both = make(one + " and " + two, "none", "nowhere");
    const auto hits = [&](const std::string& q) {
        auto ids = found(anna, "/events/?q=" + percent_encode(q));
        std::ranges::sort(ids);
        return ids;
    };
    EXPECT_EQ(hits(one), (std::vector{titled, both}));
    EXPECT_EQ(hits(two), (std::vector{described, both}));
    EXPECT_EQ(hits(three), std::vector{placed});
    EXPECT_EQ(hits(one + " " + two), std::vector{both});
    EXPECT_EQ(hits(two + " " + one), std::vector{both});
    EXPECT_EQ(hits("road " + three), std::vector{placed});
    EXPECT_EQ(hits(fresh_word()), std::vector<std::int64_t>{});
}

TEST(EventsList, FindsAnEventByItsNewWordsAfterAChangeAndNotAfterItIsGone)
{
    Person anna = sign_up();
    const std::string old_word = fresh_word(), new_word = fresh_word();
    const Json event = make_event(anna, {{"title", old_word}});
    must(anna.patch(path_of("/events/", event["id"]), Json{{"title", new_word}}), 200);
    EXPECT_TRUE(found(anna, "/events/?q=" + old_word).empty());
    EXPECT_EQ(found(anna, "/events/?q=" + new_word).size(), 1U);
    must(anna.del(path_of("/events/", event["id"])), 204);
    EXPECT_TRUE(found(anna, "/events/?q=" + new_word).empty());
}

TEST(EventsList, TakesSearchWordsForWordsAndNotForSyntax)
{
    Person anna = sign_up();
    const std::string word = fresh_word();
    make_event(anna, {{"title", word}});
    for (const char* q : {"AND", "OR NOT", "NEAR(", "a AND (", "title:x", "^x", "'; DROP TABLE event; --", "{x}", "x*",
                          "\"unclosed", "ünï cödé", "a\tb", "x:*", "x & !y", "'x' <-> 'y'"}) {
        EXPECT_TRUE(has_status(anna.get("/events/?limit=1&q=" + percent_encode(q)), 200)) << q;
    }
    for (const char* q : {"", "\"", "*", "-", "%", "_", "\\", "()", "🎟", "   ", "+", "\x7f", "!!!", "\u0301", "\u200b", "。、"})
        EXPECT_TRUE(is_invalid(anna.get("/events/?q=" + percent_encode(q)), {"query.q"})) << q;
    EXPECT_EQ(found(anna, "/events/?q=" + percent_encode("\"" + word + "\"")).size(), 1U);
    EXPECT_TRUE(has_status(anna.get("/events/?q=" + std::string(4000, 'x')), 200));
    for (const char* q : {"%00", "%ff", "%c3", "%ed%a0%80"}) EXPECT_LT(anna.get(std::string("/events/?q=") + q).status, 500) << q;
}

TEST(EventsList, FiltersByStart)
{
    Person anna = sign_up();
    const auto starting = [&](const char* start) {
        return make_event(anna, {{"start_time", start}, {"end_time", "2035-01-01T00:00:00Z"}})["id"].get<std::int64_t>();
    };
    const auto a = starting("2031-01-01T00:00:00Z"), b = starting("2031-02-01T00:00:00Z"), c = starting("2031-03-01T00:00:00Z");
    EXPECT_EQ(found(anna, by(anna, "&starts_after=2031-01-15T00:00:00Z")), (std::vector{b, c}));
    EXPECT_EQ(found(anna, by(anna, "&starts_before=2031-02-15T00:00:00Z")), (std::vector{a, b}));
    EXPECT_EQ(found(anna, by(anna, "&starts_after=2031-01-15T00:00:00Z&starts_before=2031-02-15T00:00:00Z")), std::vector{b});
    EXPECT_EQ(found(anna, by(anna, "&starts_after=2031-02-01T01:00:00%2B02:00&starts_before=2031-02-01T00:00:00.5Z")),
              std::vector{b});
    EXPECT_TRUE(found(anna, by(anna, "&starts_after=2032-01-01T00:00:00Z")).empty());
}

TEST(EventsList, FiltersByFreeSeats)
{
    Person anna = sign_up();
    const Json full = make_event(anna, {{"total_tickets", 1}});
    const Json free = make_event(anna, {{"total_tickets", 2}});
    reserve(anna, full["id"]);
    reserve(anna, free["id"]);
    EXPECT_EQ(found(anna, by(anna, "&available_only=true")), std::vector{free["id"].get<std::int64_t>()});
    EXPECT_EQ(found(anna, by(anna, "&available_only=false")).size(), 2U);
}

TEST(EventsList, FiltersTogether)
{
    Person anna = sign_up();
    const std::string word = fresh_word();
    const Json event =
        make_event(anna, {{"title", word}, {"start_time", "2031-02-01T00:00:00Z"}, {"end_time", "2031-02-02T00:00:00Z"}});
    make_event(anna, {{"start_time", "2031-02-01T00:00:00Z"}, {"end_time", "2031-02-02T00:00:00Z"}});
    const std::string window = "&starts_after=2031-01-01T00:00:00Z&starts_before=2032-01-01T00:00:00Z&available_only=true";
    const Answer answer = anna.get(by(anna, window + "&q=" + word));
    EXPECT_EQ(ids_of(must(answer, 200)), std::vector{event["id"].get<std::int64_t>()});
    EXPECT_EQ(answer.header("x-total-count"), "1");
}

TEST(EventsList, IsNotMovedByASale)
{
    Person anna = sign_up();
    const std::string start = from_now(700h);
    std::vector<Json> events;
    for (int i = 0; i < 4; ++i) events.push_back(make_event(anna, {{"start_time", start}}));
    const auto before = found(anna, by(anna));
    pay(anna, reserve(anna, events[2]["id"])["id"]);
    reserve(anna, events[0]["id"]);
    EXPECT_EQ(found(anna, by(anna)), before);
}

TEST(EventsEtag, IsStrongAndSparesTheBodyOfWhatHasNotChanged)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    for (const std::string& path : {path_of("/events/", event["id"]), by(anna)}) {
        const Answer full = anna.get(path);
        const std::string etag = full.header("etag");
        ASSERT_TRUE(etag.size() > 2 && etag.starts_with('"') && etag.ends_with('"')) << full;
        for (const std::string& wanted : {etag, "\"other\", " + etag, "W/" + etag, std::string("*")}) {
            const Answer spared = anna.get(path, {{"If-None-Match", wanted}});
            EXPECT_TRUE(has_status(spared, 304)) << wanted;
            EXPECT_EQ(spared.header("etag"), etag);
            EXPECT_TRUE(spared.body.empty());
        }
        EXPECT_TRUE(has_status(anna.get(path, {{"If-None-Match", "\"other\""}}), 200));
        EXPECT_EQ(anna.get(path).header("etag"), etag);
    }
}

TEST(EventsEtag, ChangesWithEverySale)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const std::string path = path_of("/events/", event["id"]);
    const std::string before = anna.get(path).header("etag");
    const std::string list_before = anna.get(by(anna)).header("etag");
    reserve(anna, event["id"]);
    const Answer after = anna.get(path, {{"If-None-Match", before}});
    EXPECT_TRUE(has_status(after, 200));
    EXPECT_NE(after.header("etag"), before);
    EXPECT_NE(anna.get(by(anna)).header("etag"), list_before);
}
