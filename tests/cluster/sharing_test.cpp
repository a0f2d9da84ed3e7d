#include <barrier>
#include <thread>

#include "cluster/cluster.hpp"

using namespace cluster;
using blackbox::fresh_word;

TEST(Starting, OfTenNodesAtOnceOnAnEmptyDatabaseMigratesOnce)
{
    Shape shape;
    shape.nodes = 10;
    shape.workers = 0;
    shape.redis = Redis::without;
    Cluster cluster(shape);  // throws unless each becomes ready
    EXPECT_GE(std::stoi(cluster.sql("SELECT count(*) FROM schema_migrations")), 1);
    EXPECT_EQ(cluster.sql("SELECT count(*) - count(DISTINCT version) FROM schema_migrations"), "0");
    Person organizer = blackbox::sign_up(cluster.at(0));
    const Json event = blackbox::make_event(organizer, {{"total_tickets", 10}});
    for (std::size_t i = 0; i < cluster.size(); ++i) {
        Caller caller(cluster.at(i), organizer.token());
        blackbox::reserve(caller, event["id"]);
    }
    Caller last(cluster.at(9), organizer.token());
    EXPECT_TRUE(blackbox::is_problem(last.post("/tickets/", Json{{"event_id", event["id"]}}), 409, "sold_out"));
    cluster.expect_healthy();
    cluster.expect_orderly_end();
}

TEST(OneKey, SentToTwoNodesAtOnceHasOneEffectAndOneAnswer)
{
    constexpr int kRounds = 60;
    Shape shape;
    shape.nodes = 2;
    shape.workers = 0;
    Cluster cluster(shape);
    Person organizer = blackbox::sign_up(cluster.at(0));
    const Json event = blackbox::make_event(organizer, {{"total_tickets", 1'000}});
    const Json body{{"event_id", event["id"]}};

    std::vector<std::string> keys;
    for (int i = 0; i < kRounds; ++i) keys.push_back(fresh_word());
    std::vector<std::vector<Answer>> answers(2, std::vector<Answer>(kRounds));
    std::barrier together(2);
    const auto ask = [&](std::size_t node) {
        Caller caller(cluster.at(node), organizer.token());
        for (std::size_t i = 0; i < kRounds; ++i) {
            together.arrive_and_wait();
            try {
                answers[node][i] = caller.post("/tickets/", body, {{"Idempotency-Key", keys[i]}});
            } catch (const std::exception& accident) {
                answers[node][i].body = accident.what();
            }
        }
    };
    std::thread other(ask, 1);
    ask(0);
    other.join();

    int at_once = 0;
    Caller caller(cluster.at(1), organizer.token());
    for (std::size_t i = 0; i < kRounds; ++i) {
        const Answer final_answer = caller.post("/tickets/", body, {{"Idempotency-Key", keys[i]}});
        ASSERT_EQ(final_answer.status, 201) << final_answer;
        EXPECT_EQ(final_answer.header("idempotency-replayed"), "true");
        int good = 0;
        for (const std::size_t node : {0U, 1U}) {
            const Answer& answer = answers[node][i];
            if (answer.status == 201) {
                EXPECT_EQ(answer.body, final_answer.body);
                ++good;
            } else {
                EXPECT_TRUE(blackbox::is_problem(answer, 409, "idempotency_in_progress"));
            }
        }
        EXPECT_GE(good, 1);
        at_once += good == 2 ? 1 : 0;
    }
    RecordProperty("both_answered", at_once);
    EXPECT_EQ(blackbox::get_event(caller, event["id"])["tickets_sold"], kRounds);
    cluster.expect_healthy();
}

TEST(Limits, OnLoginsAreSharedByAllNodes)
{
    constexpr int kBurst = 10;
    Shape shape;
    shape.nodes = 2;
    shape.workers = 0;
    shape.environment = {"BOXOFFICE_RATE_LIMIT=on"};
    // One a minute: none comes back while the test runs.
    shape.serve_flags = {"--login-rate", std::to_string(kBurst) + "/1", "--register-rate", "0/0"};
    Cluster cluster(shape);
    Caller anonymous(cluster.at(0));
    const std::string email = fresh_word() + "@example.org";
    blackbox::must(anonymous.post("/auth/register",
                                  Json{{"email", email}, {"name", "Anna"}, {"password", std::string(blackbox::kPassword)}}),
                   201);
    int let_in = 0, refused = 0;
    for (std::size_t i = 0; i < 2 * kBurst; ++i) {
        Caller caller(cluster.at(i));
        const Answer answer = caller.post("/auth/login", Json{{"email", email}, {"password", std::string(blackbox::kPassword)}});
        if (answer.status == 200) {
            ++let_in;
        } else if (blackbox::is_problem(answer, 429, "rate_limited")) {
            EXPECT_GE(std::stoi(answer.header("retry-after")), 1) << answer;
            ++refused;
        } else {
            ADD_FAILURE() << answer;
        }
    }
    EXPECT_EQ(let_in, kBurst) << "each node counted for itself";
    EXPECT_EQ(refused, kBurst);
}

TEST(Ending, WhilePasswordsAreComparedIsOrderly)
{
    Shape shape;
    shape.nodes = 1;
    shape.workers = 0;
    shape.environment = {"BOXOFFICE_RATE_LIMIT=on"};
    // More logins than the grace of a stop is long enough for; each gives back what it has taken of the limits in Redis.
    shape.serve_flags = {"--bcrypt-cost", "12",   "--password-threads",   "1",   "--login-rate", "0/0",
                         "--guess-rate",  "99/1", "--account-guess-rate", "99/1"};
    Cluster cluster(shape);
    Caller anonymous(cluster.at(0));
    const Json login{{"email", fresh_word() + "@example.org"}, {"password", std::string(blackbox::kPassword)}};
    Json person = login;
    person["name"] = "Anna";
    blackbox::must(anonymous.post("/auth/register", person), 201);
    blackbox::must(anonymous.post("/auth/login", login), 200);
    std::vector<std::thread> people;
    for (int i = 0; i < 60; ++i) {
        people.emplace_back([&] {
            try {
                Caller caller(cluster.at(0));
                (void)caller.post("/auth/login", login);
            } catch (const std::exception&) {
                // It was cut off.
            }
        });
    }
    const auto waiting = [&] {
        const std::string figures = blackbox::Client(cluster.at(0)).get("/metrics").body;
        const std::string_view depth = "boxoffice_lane_depth{lane=\"password\"} ";
        return std::stoi(figures.substr(figures.find(depth) + depth.size()));
    };
    while (waiting() < 40) {}
    cluster.expect_orderly_end();
    for (std::thread& one : people) one.join();
}
