#include <mutex>
#include <set>
#include <thread>

#include "scene.hpp"

using namespace blackbox;

namespace
{

Headers keyed(const std::string& key) { return {{"Idempotency-Key", key}}; }

/// The second answer is the first one, byte for byte, and says that it is a repeat.
testing::AssertionResult is_replay(const Answer& second, const Answer& first)
{
    const bool same = second.status == first.status && second.body == first.body &&
                      second.header("content-type") == first.header("content-type") &&
                      second.header("location") == first.header("location");
    if (!same) return testing::AssertionFailure() << "not the same: " << second << "\nwas: " << first;
    if (first.has("idempotency-replayed")) return testing::AssertionFailure() << "the first one claims to be a repeat: " << first;
    if (second.header("idempotency-replayed") != "true") return testing::AssertionFailure() << "does not say so: " << second;
    return testing::AssertionSuccess();
}

}  // namespace

TEST(Idempotency, BuysOneTicketHoweverOftenItIsRetried)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const std::string key = fresh_word();
    const Answer first = anna.post("/tickets/", Json{{"event_id", event["id"]}}, keyed(key));
    ASSERT_TRUE(has_status(first, 201));
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(is_replay(anna.post("/tickets/", Json{{"event_id", event["id"]}}, keyed(key)), first));
    EXPECT_EQ(get_event(anna, event["id"])["tickets_sold"], 1);
}

TEST(Idempotency, IsAskedForByTheKeyAlone)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    EXPECT_NE(reserve(anna, event["id"])["id"], reserve(anna, event["id"])["id"]);
    const Answer one = anna.post("/tickets/", Json{{"event_id", event["id"]}}, keyed(fresh_word()));
    const Answer two = anna.post("/tickets/", Json{{"event_id", event["id"]}}, keyed(fresh_word()));
    EXPECT_NE(one.json()["id"], two.json()["id"]);
    EXPECT_EQ(get_event(anna, event["id"])["tickets_sold"], 4);
}

TEST(Idempotency, HoldsForEveryPostPatchAndDelete)
{
    Person anna = sign_up();
    const auto twice = [&](const std::string& method, const std::string& path, const std::string& body) {
        const Headers headers{{"Idempotency-Key", fresh_word()}, {"Content-Type", "application/json"}};
        const Answer first = anna.send(method, path, headers, body);
        EXPECT_LT(first.status, 300) << method << " " << path << " " << first;
        EXPECT_TRUE(is_replay(anna.send(method, path, headers, body), first)) << method << " " << path;
        return first;
    };
    const Json event = twice("POST", "/events/", draft().dump()).json();
    twice("PATCH", path_of("/events/", event["id"]), R"({"title": "Changed"})");
    twice("PATCH", "/auth/me", R"({"name": "Changed"})");
    const std::string wanted = Json{{"event_id", event["id"]}}.dump();
    const Json ticket = twice("POST", "/tickets/", wanted).json();
    twice("POST", path_of("/tickets/", ticket["id"], "/pay"), Json{{"payment_reference", fresh_word()}}.dump());
    twice("POST", path_of("/tickets/", twice("POST", "/tickets/", wanted).json()["id"], "/cancel"), "");
    twice("DELETE", path_of("/events/", make_event(anna)["id"]), "");
    EXPECT_EQ(walk(anna, "/events/?organizer_id=" + std::to_string(anna.id)).size(), 1U);
}

TEST(Idempotency, RepeatsARefusalEvenWhenItWouldNoLongerBeOne)
{
    Person anna = sign_up();
    Person ben = sign_up();
    const Json event = make_event(anna, {{"total_tickets", 1}});
    const Json held = reserve(anna, event["id"]);
    const std::string key = fresh_word();
    const Answer refused = ben.post("/tickets/", Json{{"event_id", event["id"]}}, keyed(key));
    ASSERT_TRUE(is_problem(refused, 409, "sold_out"));
    must(anna.post(path_of("/tickets/", held["id"], "/cancel")), 200);
    EXPECT_TRUE(is_replay(ben.post("/tickets/", Json{{"event_id", event["id"]}}, keyed(key)), refused));
    EXPECT_TRUE(has_status(ben.post("/tickets/", Json{{"event_id", event["id"]}}, keyed(fresh_word())), 201));
}

TEST(Idempotency, RepeatsWhatWasTrueThenAndNotWhatIsTrueNow)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const std::string path = path_of("/events/", event["id"]);
    const std::string key = fresh_word();
    const Answer first = anna.patch(path, Json{{"title", "First"}}, keyed(key));
    must(anna.patch(path, Json{{"title", "Second"}}), 200);
    EXPECT_TRUE(is_replay(anna.patch(path, Json{{"title", "First"}}, keyed(key)), first));
    EXPECT_EQ(get_event(anna, event["id"])["title"], "Second");
}

TEST(Idempotency, RefusesAKeyThatWasUsedForSomethingElse)
{
    Person anna = sign_up();
    const Json event = make_event(anna), other = make_event(anna);
    const std::string key = fresh_word();
    const Json ticket = must(anna.post("/tickets/", Json{{"event_id", event["id"]}}, keyed(key)), 201);
    EXPECT_TRUE(is_problem(anna.post("/tickets/", Json{{"event_id", other["id"]}}, keyed(key)), 422, "idempotency_key_reused"));
    EXPECT_TRUE(is_problem(anna.post(path_of("/tickets/", ticket["id"], "/cancel"), keyed(key)), 422, "idempotency_key_reused"));
    EXPECT_TRUE(is_problem(anna.patch(path_of("/events/", event["id"]), Json{{"title", "X"}}, keyed(key)), 422,
                           "idempotency_key_reused"));
    EXPECT_EQ(get_event(anna, other["id"])["tickets_sold"], 0);
    EXPECT_EQ(must(anna.get(path_of("/tickets/", ticket["id"])), 200)["status"], "reserved");
}

TEST(Idempotency, TellsTwoTicketsApartThatArePaidWithTheSameWords)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const Json one = reserve(anna, event["id"]), two = reserve(anna, event["id"]);
    const std::string key = fresh_word(), reference = fresh_word();
    must(anna.post(path_of("/tickets/", one["id"], "/pay"), Json{{"payment_reference", reference}}, keyed(key)), 200);
    EXPECT_TRUE(is_problem(anna.post(path_of("/tickets/", two["id"], "/pay"), Json{{"payment_reference", reference}}, keyed(key)),
                           422, "idempotency_key_reused"));
}

TEST(Idempotency, KeepsTheKeysOfTwoUsersApart)
{
    Person anna = sign_up();
    Person ben = sign_up();
    const Json event = make_event(anna);
    const std::string key = fresh_word();
    const Json first = must(anna.post("/tickets/", Json{{"event_id", event["id"]}}, keyed(key)), 201);
    const Answer second = ben.post("/tickets/", Json{{"event_id", event["id"]}}, keyed(key));
    ASSERT_TRUE(has_status(second, 201));
    EXPECT_FALSE(second.has("idempotency-replayed"));
    EXPECT_EQ(second.json()["user_id"], ben.id);
    EXPECT_NE(second.json()["id"], first["id"]);
}

TEST(Idempotency, CarriesOutOneOfManyAtTheSameTime)
{
    constexpr int kRetries = 16;
    const Person anna = sign_up();
    Caller organizer = again(anna);
    const Json event = make_event(organizer, {{"total_tickets", 100}});
    const std::string key = fresh_word();
    std::mutex guard;
    std::set<std::string> bodies;
    int refused = 0, firsts = 0;
    std::vector<std::thread> crowd;
    for (int i = 0; i < kRetries; ++i) {
        crowd.emplace_back([&] {
            Caller caller = again(anna);
            const Answer answer = caller.post("/tickets/", Json{{"event_id", event["id"]}}, keyed(key));
            const std::lock_guard lock(guard);
            if (answer.status == 201) {
                bodies.insert(answer.body);
                if (!answer.has("idempotency-replayed")) ++firsts;
            } else {
                EXPECT_TRUE(is_problem(answer, 409, "idempotency_in_progress"));
                ++refused;
            }
        });
    }
    for (auto& one : crowd) one.join();
    EXPECT_EQ(bodies.size(), 1U);
    EXPECT_EQ(firsts, 1);
    EXPECT_LT(refused, kRetries);
    EXPECT_EQ(get_event(organizer, event["id"])["tickets_sold"], 1);
}

TEST(Idempotency, ThatIsAskedForWithABadKeyIsNamedWithEveryOtherBadField)
{
    Person anna = sign_up();
    const std::string event = "/events/" + make_event(anna)["id"].dump();
    const Headers bad = keyed("a b");
    EXPECT_TRUE(is_invalid(anna.patch(event, Json{{"title", ""}, {"venue", {{"latitude", 99}}}}, bad),
                           {"body.title", "body.venue.latitude", "header.Idempotency-Key"}));
    EXPECT_TRUE(is_invalid(anna.patch(event, Json{{"title", "Good"}}, bad), {"header.Idempotency-Key"}));
    EXPECT_TRUE(is_invalid(anna.post("/events/", draft({{"title", ""}}), bad), {"body.title", "header.Idempotency-Key"}));
}

TEST(Idempotency, TakesKeysOf1To255VisibleCharacters)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const auto try_key = [&](const std::string& key) {
        return anna.post("/tickets/", Json{{"event_id", event["id"]}}, keyed(key));
    };
    std::string longest = fresh_word();
    longest.resize(255, '~');
    EXPECT_TRUE(has_status(try_key(longest), 201));
    EXPECT_TRUE(has_status(try_key("!"), 201));
    for (const std::string& key :
         {std::string(), std::string(256, 'k'), std::string("two words"), std::string("schlüssel"), std::string("a\tb")}) {
        EXPECT_TRUE(is_problem(try_key(key), 422)) << key;
    }
    EXPECT_EQ(get_event(anna, event["id"])["tickets_sold"], 2);
}

TEST(Idempotency, GuardsNothingBeforeTheCallerIsKnown)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const std::string key = fresh_word();
    Caller anonymous;
    EXPECT_TRUE(is_problem(anonymous.post("/tickets/", Json{{"event_id", event["id"]}}, keyed(key)), 401, "unauthenticated"));
    const Answer answer = anna.post("/tickets/", Json{{"event_id", event["id"]}}, keyed(key));
    EXPECT_TRUE(has_status(answer, 201));
    EXPECT_FALSE(answer.has("idempotency-replayed"));
}
