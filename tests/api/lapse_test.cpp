#include <algorithm>
#include <thread>

#include "scene.hpp"

using namespace blackbox;
using namespace std::chrono_literals;

namespace
{

/// A person at a server with short holds, a one-seat event and a ticket for it.
class Lapse : public testing::Test
{
protected:
    void SetUp() override
    {
        ticket_ = reserve(anna_, event_["id"]);
        deadline_ = parse_time(ticket_["expires_at"]);
        if (deadline_ - parse_time(ticket_["created_at"]) > 3s)
            GTEST_SKIP() << "the holds of this server are too long to wait for";
    }

    Json look() { return must(anna_.get(path_of("/tickets/", ticket_["id"])), 200); }
    Answer try_pay()
    {
        return anna_.post(path_of("/tickets/", ticket_["id"], "/pay"), Json{{"payment_reference", fresh_word()}});
    }
    std::string mine(const std::string& query) { return "/tickets/user/" + std::to_string(anna_.id) + query; }

    Person anna_ = sign_up(hasty_box_office());
    Json event_ = make_event(anna_, {{"total_tickets", 1}});
    Json ticket_;
    Instant deadline_;
};

}  // namespace

TEST_F(Lapse, ComesAtTheDeadlineAndNotBefore)
{
    for (;;) {
        const Json seen = look();
        const Instant after = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
        if (seen["status"] == "reserved") {
            if (after > deadline_ + 5s) FAIL() << "still reserved long after its deadline";
            continue;
        }
        EXPECT_EQ(seen["status"], "expired");
        EXPECT_GE(after, deadline_);
        break;
    }
    EXPECT_EQ(look()["expires_at"], ticket_["expires_at"]);
}

TEST_F(Lapse, ShowsInEveryAnswerFromThatInstantOn)
{
    wait_until_after(deadline_);
    EXPECT_EQ(must(anna_.get(mine("?status=reserved")), 200), Json::array());
    const Json listed = must(anna_.get(mine("?status=expired")), 200);
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0]["id"], ticket_["id"]);
    EXPECT_EQ(listed[0]["status"], "expired");
    EXPECT_EQ(look()["status"], "expired");
    EXPECT_EQ(must(anna_.get(mine("")), 200)[0]["status"], "expired");
}

TEST_F(Lapse, FreesTheSeatAtOnceForWhoeverReserves)
{
    Person ben = sign_up(hasty_box_office());
    EXPECT_TRUE(is_problem(ben.post("/tickets/", Json{{"event_id", event_["id"]}}), 409, "sold_out"));
    wait_until_after(deadline_);
    EXPECT_TRUE(has_status(ben.post("/tickets/", Json{{"event_id", event_["id"]}}), 201));
    EXPECT_EQ(look()["status"], "expired");
}

TEST_F(Lapse, ShowsInTheEventWithinTheReleaseLag)
{
    wait_until_after(deadline_);
    while (get_event(anna_, event_["id"])["available_tickets"] != 1) {
        ASSERT_LT(std::chrono::system_clock::now(), deadline_ + 2s) << "the seat is still counted as taken";
    }
    EXPECT_EQ(get_event(anna_, event_["id"])["tickets_sold"], 0);
}

TEST_F(Lapse, MakesPayingTooLate)
{
    wait_until_after(deadline_);
    EXPECT_TRUE(is_problem(try_pay(), 410, "hold_expired"));
    EXPECT_TRUE(is_problem(try_pay(), 410, "hold_expired"));
    EXPECT_EQ(look()["status"], "expired");
}

TEST_F(Lapse, MakesCancellingTooLate)
{
    wait_until_after(deadline_);
    EXPECT_TRUE(is_problem(anna_.post(path_of("/tickets/", ticket_["id"], "/cancel")), 410, "hold_expired"));
    EXPECT_EQ(look()["status"], "expired");
}

TEST_F(Lapse, MakesPayingTooLateAfterTheSeatWasSoldAgain)
{
    Person ben = sign_up(hasty_box_office());
    wait_until_after(deadline_);
    pay(ben, reserve(ben, event_["id"])["id"]);
    EXPECT_TRUE(is_problem(try_pay(), 410, "hold_expired"));
    EXPECT_EQ(get_event(anna_, event_["id"])["tickets_sold"], 1);
}

TEST_F(Lapse, NeverTakesAPaidTicket)
{
    const Answer paid = try_pay();
    ASSERT_TRUE(has_status(paid, 200));
    wait_until_after(deadline_ + 200ms);
    EXPECT_EQ(look(), paid.json());
    EXPECT_EQ(get_event(anna_, event_["id"])["available_tickets"], 0);
    EXPECT_TRUE(is_problem(anna_.post("/tickets/", Json{{"event_id", event_["id"]}}), 409, "sold_out"));
}

TEST_F(Lapse, LeavesACancelledTicketCancelled)
{
    must(anna_.post(path_of("/tickets/", ticket_["id"], "/cancel")), 200);
    wait_until_after(deadline_ + 200ms);
    EXPECT_EQ(look()["status"], "cancelled");
    EXPECT_EQ(get_event(anna_, event_["id"])["tickets_sold"], 0);
}

TEST_F(Lapse, LetsTheEventBeRemoved)
{
    EXPECT_TRUE(is_problem(anna_.del(path_of("/events/", event_["id"])), 409, "has_tickets"));
    wait_until_after(deadline_);
    EXPECT_TRUE(has_status(anna_.del(path_of("/events/", event_["id"])), 204));
}

TEST_F(Lapse, DoesNotChangeWhatARetriedRequestIsTold)
{
    const Json other = make_event(anna_);
    const Headers key{{"Idempotency-Key", fresh_word()}};
    const Answer first = anna_.post("/tickets/", Json{{"event_id", other["id"]}}, key);
    const Json ticket = must(first, 201);
    wait_until_after(parse_time(ticket["expires_at"]));
    const Answer again = anna_.post("/tickets/", Json{{"event_id", other["id"]}}, key);
    EXPECT_TRUE(has_status(again, 201));
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.header("idempotency-replayed"), "true");
    EXPECT_EQ(must(anna_.get(path_of("/tickets/", ticket["id"])), 200)["status"], "expired");
}

TEST_F(Lapse, GivesOneSeatToOneOfManyWhoWaitForIt)
{
    constexpr int kWaiting = 12;
    std::vector<Person> people;
    for (int i = 0; i < kWaiting; ++i) people.push_back(sign_up(hasty_box_office()));
    const Json event = make_event(anna_, {{"total_tickets", 1}});
    const Json held = reserve(anna_, event["id"]);
    std::vector<std::thread> crowd;
    std::vector<int> statuses(kWaiting);
    for (int i = 0; i < kWaiting; ++i) {
        crowd.emplace_back([&, i] {
            wait_until_after(parse_time(held["expires_at"]));
            statuses[i] = people[i].post("/tickets/", Json{{"event_id", event["id"]}}).status;
        });
    }
    for (auto& one : crowd) one.join();
    EXPECT_EQ(std::count(statuses.begin(), statuses.end(), 201), 1);
    EXPECT_EQ(std::count(statuses.begin(), statuses.end(), 409), kWaiting - 1);
}

TEST_F(Lapse, IsCountedWithItsLag)
{
    wait_until_after(deadline_);
    const auto lapsed = [&] {
        Client client(anna_.address());
        const std::string text = client.get("/metrics").body;
        const auto at = text.find("\nboxoffice_hold_release_lag_seconds_count");
        return at == std::string::npos ? 0.0 : std::stod(text.substr(text.find(' ', at)));
    };
    while (lapsed() < 1) ASSERT_LT(std::chrono::system_clock::now(), deadline_ + 5s) << "no lapse was counted";
}
