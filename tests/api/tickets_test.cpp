#include <algorithm>
#include <set>

#include "scene.hpp"

using namespace blackbox;
using namespace std::chrono_literals;

namespace
{

Answer try_pay(Caller& buyer, const Json& ticket, const std::string& reference)
{
    return buyer.post(path_of("/tickets/", ticket["id"], "/pay"), Json{{"payment_reference", reference}});
}

Answer try_cancel(Caller& buyer, const Json& ticket) { return buyer.post(path_of("/tickets/", ticket["id"], "/cancel")); }

std::string tickets_of(const Person& person, const std::string& query = "")
{
    return "/tickets/user/" + std::to_string(person.id) + query;
}

std::vector<std::int64_t> ids_of(const Json& items)
{
    std::vector<std::int64_t> ids;
    for (const Json& item : items) ids.push_back(item.at("id").get<std::int64_t>());
    return ids;
}

}  // namespace

TEST(TicketsReserve, HoldsASeatForTheHoldTime)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const Answer answer = anna.post("/tickets/", Json{{"event_id", event["id"]}});
    ASSERT_TRUE(has_status(answer, 201));
    const Json ticket = answer.json();
    std::set<std::string> names;
    for (const auto& [name, value] : ticket.items()) names.insert(name);
    EXPECT_EQ(names, (std::set<std::string>{"id", "user_id", "event_id", "status", "created_at", "expires_at", "paid_at",
                                            "payment_reference"}));
    EXPECT_EQ(ticket["user_id"], anna.id);
    EXPECT_EQ(ticket["event_id"], event["id"]);
    EXPECT_EQ(ticket["status"], "reserved");
    EXPECT_TRUE(ticket["paid_at"].is_null());
    EXPECT_TRUE(ticket["payment_reference"].is_null());
    const auto hold = parse_time(ticket["expires_at"]) - parse_time(ticket["created_at"]);
    EXPECT_GT(hold, 0s);
    if (!is_foreign()) EXPECT_EQ(hold, 120s);
    EXPECT_TRUE(answer.header("location").ends_with("/api/v1" + path_of("/tickets/", ticket["id"]))) << answer;
    EXPECT_EQ(must(anna.get(path_of("/tickets/", ticket["id"])), 200), ticket);
}

TEST(TicketsReserve, ShowsInTheEventAtOnce)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    reserve(anna, event["id"]);
    reserve(anna, event["id"]);
    const Json after = get_event(anna, event["id"]);
    EXPECT_EQ(after["tickets_sold"], 2);
    EXPECT_EQ(after["available_tickets"], 8);
}

TEST(TicketsReserve, IsForOneselfOnly)
{
    Person anna = sign_up();
    Person ben = sign_up();
    Caller anonymous;
    const Json event = make_event(anna);
    EXPECT_TRUE(is_problem(ben.post("/tickets/", Json{{"event_id", event["id"]}, {"user_id", anna.id}}), 403, "not_yourself"));
    EXPECT_TRUE(
        is_problem(anonymous.post("/tickets/", Json{{"event_id", event["id"]}, {"user_id", anna.id}}), 401, "unauthenticated"));
    EXPECT_EQ(must(ben.post("/tickets/", Json{{"event_id", event["id"]}, {"user_id", ben.id}}), 201)["user_id"], ben.id);
    EXPECT_EQ(get_event(anna, event["id"])["tickets_sold"], 1);
}

TEST(TicketsReserve, RefusesWhatIsNoEvent)
{
    Person anna = sign_up();
    EXPECT_TRUE(is_problem(anna.post("/tickets/", Json{{"event_id", INT64_MAX}}), 404, "not_found"));
    EXPECT_TRUE(is_invalid(anna.post("/tickets/", Json::object()), {"body.event_id"}));
    for (const Json& id : {Json("1"), Json(nullptr), Json(1.5), Json(true), Json::array({1}), Json(UINT64_MAX)}) {
        EXPECT_TRUE(is_invalid(anna.post("/tickets/", Json{{"event_id", id}}), {"body.event_id"})) << id;
    }
    EXPECT_TRUE(is_invalid(anna.post("/tickets/", Json{{"event_id", "x"}, {"user_id", "y"}}), {"body.event_id", "body.user_id"}));
    for (const std::int64_t id : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
        const int status = anna.post("/tickets/", Json{{"event_id", id}}).status;
        EXPECT_TRUE(status == 404 || status == 422) << id << " " << status;
    }
}

TEST(TicketsReserve, EndsWhenTheLastSeatIsGone)
{
    Person anna = sign_up();
    Person ben = sign_up();
    const Json event = make_event(anna, {{"total_tickets", 2}});
    reserve(anna, event["id"]);
    reserve(ben, event["id"]);
    EXPECT_TRUE(is_problem(ben.post("/tickets/", Json{{"event_id", event["id"]}}), 409, "sold_out"));
    EXPECT_EQ(get_event(anna, event["id"])["available_tickets"], 0);
}

TEST(TicketsReserve, EndsWhenTheEventIsOver)
{
    Person anna = sign_up();
    const Json event = make_event(anna, {{"start_time", from_now(-1h)}, {"end_time", from_now(1500ms)}});
    reserve(anna, event["id"]);
    wait_until_after(parse_time(event["end_time"]));
    EXPECT_TRUE(is_problem(anna.post("/tickets/", Json{{"event_id", event["id"]}}), 409, "event_over"));
}

TEST(TicketsReserve, BindsNoFieldThatIsNotTheCallersToSet)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const Json body{{"event_id", event["id"]},
                    {"id", 1},
                    {"status", "paid"},
                    {"expires_at", "2099-01-01T00:00:00Z"},
                    {"payment_reference", "free"}};
    const Json ticket = must(anna.post("/tickets/", body), 201);
    EXPECT_EQ(ticket["status"], "reserved");
    EXPECT_TRUE(ticket["payment_reference"].is_null());
    EXPECT_LT(parse_time(ticket["expires_at"]), parse_time("2098-01-01T00:00:00Z"));
}

TEST(TicketsRead, IsForTheHolderAndTheOrganizer)
{
    Person anna = sign_up();
    Person ben = sign_up();
    const Json ticket = reserve(ben, make_event(anna)["id"]);
    EXPECT_EQ(must(ben.get(path_of("/tickets/", ticket["id"])), 200), ticket);
    EXPECT_EQ(must(anna.get(path_of("/tickets/", ticket["id"])), 200), ticket);
    Caller anonymous;
    EXPECT_TRUE(is_problem(anonymous.get(path_of("/tickets/", ticket["id"])), 401, "unauthenticated"));
}

TEST(TicketsRead, TellsNobodyElseThatItExists)
{
    Person anna = sign_up();
    Person ben = sign_up();
    Person eve = sign_up();
    const Json ticket = reserve(ben, make_event(anna)["id"]);
    const Json missing{{"id", INT64_MAX}};
    EXPECT_TRUE(is_problem(eve.get(path_of("/tickets/", ticket["id"])), 404, "not_found"));
    EXPECT_TRUE(are_alike(eve.get(path_of("/tickets/", ticket["id"])), eve.get(path_of("/tickets/", missing["id"]))));
    for (Person* other : {&eve, &anna}) {
        EXPECT_TRUE(is_problem(try_pay(*other, ticket, "theirs"), 404, "not_found"));
        EXPECT_TRUE(are_alike(try_pay(*other, ticket, "theirs"), try_pay(*other, missing, "theirs")));
        EXPECT_TRUE(are_alike(try_cancel(*other, ticket), try_cancel(*other, missing)));
    }
    EXPECT_EQ(must(ben.get(path_of("/tickets/", ticket["id"])), 200), ticket);
}

TEST(TicketsPay, MakesItPaid)
{
    Person anna = sign_up();
    const Json ticket = reserve(anna, make_event(anna)["id"]);
    const std::string reference = fresh_word();
    const Json paid = must(try_pay(anna, ticket, reference), 200);
    EXPECT_EQ(paid["status"], "paid");
    EXPECT_EQ(paid["payment_reference"], reference);
    EXPECT_GE(parse_time(paid["paid_at"]), parse_time(paid["created_at"]));
    EXPECT_LE(parse_time(paid["paid_at"]), parse_time(paid["expires_at"]));
    EXPECT_EQ(must(anna.get(path_of("/tickets/", ticket["id"])), 200), paid);
    EXPECT_EQ(get_event(anna, ticket["event_id"])["tickets_sold"], 1);
}

TEST(TicketsPay, AnswersTheSameToTheSameReferenceAgain)
{
    Person anna = sign_up();
    const Json ticket = reserve(anna, make_event(anna)["id"]);
    const std::string reference = fresh_word();
    const Answer first = try_pay(anna, ticket, reference);
    ASSERT_TRUE(has_status(first, 200));
    EXPECT_EQ(try_pay(anna, ticket, reference).body, first.body);
    EXPECT_TRUE(is_problem(try_pay(anna, ticket, fresh_word()), 409, "already_paid"));
    EXPECT_EQ(must(anna.get(path_of("/tickets/", ticket["id"])), 200), first.json());
}

TEST(TicketsPay, TakesAReferenceForOneTicketOnly)
{
    Person anna = sign_up();
    Person ben = sign_up();
    const Json event = make_event(anna);
    const std::string reference = fresh_word();
    must(try_pay(anna, reserve(anna, event["id"]), reference), 200);
    const Json other = reserve(anna, event["id"]);
    EXPECT_TRUE(is_problem(try_pay(anna, other, reference), 409, "reference_used"));
    EXPECT_TRUE(is_problem(try_pay(ben, reserve(ben, event["id"]), reference), 409, "reference_used"));
    EXPECT_EQ(must(anna.get(path_of("/tickets/", other["id"])), 200)["status"], "reserved");
    must(try_pay(anna, other, fresh_word()), 200);
}

TEST(TicketsPay, TakesReferencesOf1To200Characters)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const Json ticket = reserve(anna, event["id"]);
    EXPECT_TRUE(is_invalid(try_pay(anna, ticket, ""), {"body.payment_reference"}));
    EXPECT_TRUE(is_invalid(try_pay(anna, ticket, std::string(201, 'r')), {"body.payment_reference"}));
    for (const char* unseen : {"  ", "\u200b", "\u2800", "r\n", "\u202er"})
        EXPECT_TRUE(is_invalid(try_pay(anna, ticket, unseen), {"body.payment_reference"})) << unseen;
    EXPECT_TRUE(is_invalid(anna.post(path_of("/tickets/", ticket["id"], "/pay"), Json::object()), {"body.payment_reference"}));
    EXPECT_TRUE(is_invalid(anna.post(path_of("/tickets/", ticket["id"], "/pay"), Json{{"payment_reference", 17}}),
                           {"body.payment_reference"}));
    std::string longest = fresh_word();
    longest.resize(200, 'r');
    EXPECT_EQ(must(try_pay(anna, ticket, longest), 200)["payment_reference"], longest);
}

TEST(TicketsPay, IsRefusedOnceCancelled)
{
    Person anna = sign_up();
    const Json ticket = reserve(anna, make_event(anna)["id"]);
    must(try_cancel(anna, ticket), 200);
    EXPECT_TRUE(is_problem(try_pay(anna, ticket, fresh_word()), 409, "cancelled"));
}

TEST(TicketsPay, AsksForAToken)
{
    Person anna = sign_up();
    Caller anonymous;
    const Json ticket = reserve(anna, make_event(anna)["id"]);
    EXPECT_TRUE(is_problem(try_pay(anonymous, ticket, "x"), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(try_cancel(anonymous, ticket), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(anna.post("/tickets/abc/pay", Json{{"payment_reference", "x"}}), 404, "not_found"));
    EXPECT_TRUE(is_problem(anna.post("/tickets/0/cancel"), 404, "not_found"));
}

TEST(TicketsCancel, FreesTheSeatAtOnce)
{
    Person anna = sign_up();
    Person ben = sign_up();
    const Json event = make_event(anna, {{"total_tickets", 1}});
    const Json ticket = reserve(anna, event["id"]);
    EXPECT_TRUE(is_problem(ben.post("/tickets/", Json{{"event_id", event["id"]}}), 409, "sold_out"));
    const Json cancelled = must(try_cancel(anna, ticket), 200);
    EXPECT_EQ(cancelled["status"], "cancelled");
    EXPECT_TRUE(cancelled["paid_at"].is_null());
    EXPECT_EQ(get_event(anna, event["id"])["available_tickets"], 1);
    reserve(ben, event["id"]);
    EXPECT_EQ(must(anna.get(path_of("/tickets/", ticket["id"])), 200), cancelled);
}

TEST(TicketsCancel, IsRefusedOnceCancelledOrPaid)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const Json cancelled = reserve(anna, event["id"]);
    must(try_cancel(anna, cancelled), 200);
    EXPECT_TRUE(is_problem(try_cancel(anna, cancelled), 409, "cancelled"));
    const Json paid = reserve(anna, event["id"]);
    pay(anna, paid["id"]);
    EXPECT_TRUE(is_problem(try_cancel(anna, paid), 409, "already_paid"));
    EXPECT_EQ(get_event(anna, event["id"])["tickets_sold"], 1);
}

TEST(TicketsList, GoesNewestFirst)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    const Json a = reserve(anna, event["id"]), b = reserve(anna, event["id"]), c = reserve(anna, event["id"]);
    const Answer answer = anna.get(tickets_of(anna));
    EXPECT_EQ(must(answer, 200), Json::array({c, b, a}));
    EXPECT_EQ(answer.header("x-total-count"), "3");
}

TEST(TicketsList, FiltersByStatusAndEvent)
{
    Person anna = sign_up();
    const Json one = make_event(anna), two = make_event(anna);
    const Json held = reserve(anna, one["id"]), gone = reserve(anna, one["id"]), bought = reserve(anna, two["id"]);
    must(try_cancel(anna, gone), 200);
    const Json paid = pay(anna, bought["id"]);
    const auto only = [&](const std::string& query) { return ids_of(must(anna.get(tickets_of(anna, query)), 200)); };
    const auto id = [](const Json& ticket) { return ticket["id"].get<std::int64_t>(); };
    EXPECT_EQ(only("?status=reserved"), std::vector{id(held)});
    EXPECT_EQ(only("?status=paid"), std::vector{id(bought)});
    EXPECT_EQ(only("?status=cancelled"), std::vector{id(gone)});
    EXPECT_EQ(only("?status=expired"), std::vector<std::int64_t>{});
    EXPECT_EQ(only("?event_id=" + one["id"].dump()), (std::vector{id(gone), id(held)}));
    EXPECT_EQ(only("?status=reserved&event_id=" + two["id"].dump()), std::vector<std::int64_t>{});
    EXPECT_EQ(only("?event_id=9223372036854775807"), std::vector<std::int64_t>{});
    EXPECT_TRUE(is_invalid(anna.get(tickets_of(anna, "?status=sold")), {"query.status"}));
    EXPECT_TRUE(is_invalid(anna.get(tickets_of(anna, "?status=lost&event_id=x&skip=-1&limit=101")),
                           {"query.status", "query.event_id", "query.skip", "query.limit"}));
}

TEST(TicketsList, PagesThroughEverythingOnce)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    std::vector<std::int64_t> all;
    for (int i = 0; i < 5; ++i) all.insert(all.begin(), reserve(anna, event["id"])["id"].get<std::int64_t>());
    const Answer first = anna.get(tickets_of(anna, "?limit=2&status=reserved"));
    EXPECT_EQ(first.header("x-total-count"), "5");
    EXPECT_FALSE(link_to(first, "prev"));
    EXPECT_TRUE(link_to(first, "next"));
    EXPECT_EQ(ids_of(walk(anna, tickets_of(anna, "?limit=2&status=reserved"))), all);
}

TEST(TicketsList, IsForOneselfOnly)
{
    Person anna = sign_up();
    Person eve = sign_up();
    Caller anonymous;
    const Answer real = eve.get(tickets_of(anna));
    EXPECT_TRUE(is_problem(real, 403, "not_yourself"));
    EXPECT_TRUE(are_alike(real, eve.get("/tickets/user/9223372036854775807")));
    EXPECT_TRUE(is_problem(anonymous.get(tickets_of(anna)), 401, "unauthenticated"));
}
