#include <algorithm>
#include <barrier>
#include <functional>
#include <set>
#include <thread>

#include "scene.hpp"

/// Many at once: what a lock in the wrong place would let through. Every thread has a connection of its own and starts with
/// the others.

using namespace blackbox;

namespace
{

/// What each of `count` threads was answered, all having started together.
std::vector<Answer> all_at_once(int count, const std::function<Answer(int)>& act)
{
    std::vector<Answer> answers(static_cast<std::size_t>(count));
    std::barrier start(count);
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            start.arrive_and_wait();
            try {
                answers[static_cast<std::size_t>(i)] = act(i);
            } catch (const std::exception& accident) {
                answers[static_cast<std::size_t>(i)].body = accident.what();
            }
        });
    }
    for (auto& thread : threads) thread.join();
    return answers;
}

std::ptrdiff_t count_of(const std::vector<Answer>& answers, int status)
{
    return std::ranges::count_if(answers, [&](const Answer& answer) { return answer.status == status; });
}

std::vector<Person> people(int count)
{
    std::vector<Person> made;
    for (int i = 0; i < count; ++i) made.push_back(sign_up());
    return made;
}

}  // namespace

TEST(Races, SellExactlyTheSeatsThereAre)
{
    constexpr int kBuyers = 64, kSeats = 20;
    Person anna = sign_up();
    const Json event = make_event(anna, {{"total_tickets", kSeats}});
    auto buyers = people(kBuyers);
    const auto answers = all_at_once(
        kBuyers, [&](int i) { return buyers[static_cast<std::size_t>(i)].post("/tickets/", Json{{"event_id", event["id"]}}); });
    std::set<Json> tickets;
    for (const Answer& answer : answers) {
        if (answer.status == 201)
            tickets.insert(answer.json()["id"]);
        else
            EXPECT_TRUE(is_problem(answer, 409, "sold_out"));
    }
    EXPECT_EQ(count_of(answers, 201), kSeats);
    EXPECT_EQ(tickets.size(), static_cast<std::size_t>(kSeats));
    EXPECT_EQ(get_event(anna, event["id"])["tickets_sold"], kSeats);
    EXPECT_EQ(get_event(anna, event["id"])["available_tickets"], 0);
}

TEST(Races, SellOneSeatToOnePersonWhoRetries)
{
    constexpr int kRetries = 32;
    const Person anna = sign_up();
    Caller organizer = again(anna);
    const Json event = make_event(organizer);
    const std::string key = fresh_word();
    const auto answers = all_at_once(kRetries, [&](int) {
        Caller caller = again(anna);
        Answer answer;
        do {
            answer = caller.post("/tickets/", Json{{"event_id", event["id"]}}, {{"Idempotency-Key", key}});
        } while (answer.status == 409);
        return answer;
    });
    for (const Answer& answer : answers) {
        EXPECT_TRUE(has_status(answer, 201));
        EXPECT_EQ(answer.body, answers[0].body);
    }
    EXPECT_EQ(get_event(organizer, event["id"])["tickets_sold"], 1);
}

TEST(Races, LetPayingOrCancellingWinButNotBoth)
{
    const Person anna = sign_up();
    Caller organizer = again(anna);
    const Json event = make_event(organizer, {{"total_tickets", 50}});
    int paid_count = 0;
    for (int round = 0; round < 20; ++round) {
        const Json ticket = reserve(organizer, event["id"]);
        const auto answers = all_at_once(4, [&](int i) {
            Caller caller = again(anna);
            if (i % 2 == 0)
                return caller.post(path_of("/tickets/", ticket["id"], "/pay"), Json{{"payment_reference", fresh_word()}});
            return caller.post(path_of("/tickets/", ticket["id"], "/cancel"));
        });
        EXPECT_EQ(count_of(answers, 200), 1);
        EXPECT_EQ(count_of(answers, 409), 3);
        const bool paid = answers[0].status == 200 || answers[2].status == 200;
        paid_count += paid ? 1 : 0;
        EXPECT_EQ(must(organizer.get(path_of("/tickets/", ticket["id"])), 200)["status"], paid ? "paid" : "cancelled");
    }
    EXPECT_EQ(get_event(organizer, event["id"])["tickets_sold"], paid_count);
}

TEST(Races, TakeAPaymentReferenceForOneTicket)
{
    constexpr int kTickets = 16;
    auto buyers = people(kTickets);
    const Json event = make_event(buyers[0], {{"total_tickets", 100}});
    std::vector<Json> tickets;
    for (auto& buyer : buyers) tickets.push_back(reserve(buyer, event["id"]));
    const std::string reference = fresh_word();
    const auto answers = all_at_once(kTickets, [&](int i) {
        const auto at = static_cast<std::size_t>(i);
        return buyers[at].post(path_of("/tickets/", tickets[at]["id"], "/pay"), Json{{"payment_reference", reference}});
    });
    EXPECT_EQ(count_of(answers, 200), 1);
    for (const Answer& answer : answers) {
        if (answer.status != 200) EXPECT_TRUE(is_problem(answer, 409, "reference_used"));
    }
}

TEST(Races, GiveAnAddressToOnePerson)
{
    constexpr int kSame = 16;
    const Json body{{"email", fresh_word() + "@example.org"}, {"name", "Anna"}, {"password", kPassword}};
    const Address office = box_office();
    const auto answers = all_at_once(kSame, [&](int) {
        Caller anonymous(office);
        return anonymous.post("/auth/register", body);
    });
    EXPECT_EQ(count_of(answers, 201), 1);
    for (const Answer& answer : answers) {
        if (answer.status != 201) EXPECT_TRUE(is_problem(answer, 409, "email_taken"));
    }
}

TEST(Races, NeverLeaveFewerSeatsThanAreSold)
{
    constexpr int kThreads = 24;
    auto crowd = people(kThreads);
    Person anna = sign_up();
    const Json event = make_event(anna, {{"total_tickets", 40}});
    const auto answers = all_at_once(kThreads, [&](int i) {
        if (i % 4 == 0) {
            Caller organizer = again(anna);
            return organizer.patch(path_of("/events/", event["id"]), Json{{"total_tickets", 5 + i}});
        }
        return crowd[static_cast<std::size_t>(i)].post("/tickets/", Json{{"event_id", event["id"]}});
    });
    const Json after = get_event(anna, event["id"]);
    EXPECT_LE(after["tickets_sold"].get<int>(), after["total_tickets"].get<int>());
    EXPECT_EQ(after["tickets_sold"].get<std::ptrdiff_t>(), count_of(answers, 201));
    for (const Answer& answer : answers)
        EXPECT_TRUE(answer.status == 201 || answer.status == 200 || answer.status == 409) << answer;
}

TEST(Races, NeverSellATicketForAnEventThatIsRemoved)
{
    Person anna = sign_up();
    auto buyers = people(6);
    for (int round = 0; round < 10; ++round) {
        const Json event = make_event(anna);
        const auto answers = all_at_once(7, [&](int i) {
            if (i == 6) return anna.del(path_of("/events/", event["id"]));
            return buyers[static_cast<std::size_t>(i)].post("/tickets/", Json{{"event_id", event["id"]}});
        });
        const auto sold = count_of(answers, 201);
        if (answers[6].status == 204) {
            EXPECT_EQ(sold, 0);
            EXPECT_EQ(count_of(answers, 404), 6);
        } else {
            EXPECT_TRUE(is_problem(answers[6], 409, "has_tickets"));
            EXPECT_EQ(sold, 6);
        }
    }
}

TEST(Races, KeepTheCountOfSeatsThroughReservingAndCancelling)
{
    constexpr int kThreads = 16, kRounds = 10;
    auto buyers = people(kThreads);
    const Json event = make_event(buyers[0], {{"total_tickets", 5}});
    const auto answers = all_at_once(kThreads, [&](int i) {
        Person& buyer = buyers[static_cast<std::size_t>(i)];
        Answer last;
        for (int round = 0; round < kRounds; ++round) {
            last = buyer.post("/tickets/", Json{{"event_id", event["id"]}});
            if (last.status == 201) must(buyer.post(path_of("/tickets/", last.json()["id"], "/cancel")), 200);
        }
        return last;
    });
    for (const Answer& answer : answers) EXPECT_TRUE(answer.status == 201 || answer.status == 409) << answer;
    EXPECT_EQ(get_event(buyers[0], event["id"])["tickets_sold"], 0);
}
