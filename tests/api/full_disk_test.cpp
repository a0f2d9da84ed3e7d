#include <fstream>

#include "crowd.hpp"

using namespace blackbox;
using namespace std::chrono_literals;

namespace
{

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_A_SANITIZER
#endif
#endif

/// A server whose disk can be made full and empty again, through full_disk.c.
class FullDisk : public testing::Test
{
protected:
    void SetUp() override
    {
        if (is_foreign()) GTEST_SKIP() << "fills the disk of a server: only of one of its own";
#ifdef UNDER_A_SANITIZER
        GTEST_SKIP() << "a sanitizer's runtime must be the first library loaded, and so must the full disk";
#else
        server_ = std::make_unique<ServerProcess>(home_.path(), options());
#endif
    }

    [[nodiscard]] ServeOptions options() const
    {
        ServeOptions made;
#ifdef FULL_DISK_LIBRARY
        made.environment = {{"LD_PRELOAD", FULL_DISK_LIBRARY},
                            {"FULL_DISK_FLAG", flag_.string()},
                            {"BROKEN_SYNC_FLAG", broken_.string()},
                            { "FULL_DISK_DIR",
                              data_.string() }};
#endif
        return made;
    }

    void fill() const { std::ofstream(flag_) << "full"; }
    void empty() const { std::filesystem::remove(flag_); }

    /// Reserves again and again until that works: for a server that may need a moment to notice that its disk works again.
    Json reserve_soon(Person& person, const Json& event_id, const Headers& headers = {}) const
    {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        Answer answer;
        do {
            answer = person.post("/tickets/", Json{{"event_id", event_id}}, headers);
        } while (answer.status == 503 && std::chrono::steady_clock::now() < deadline);
        return must(answer, 201);
    }

    void expect_healthy() const
    {
        const Ran doctor = run_boxoffice({"doctor", "--data", data_.string()});
        EXPECT_EQ(doctor.exit_code, 0) << doctor.output;
    }

    TempDir home_;
    std::filesystem::path data_ = home_.path() / "data";
    std::filesystem::path flag_ = home_.path() / "disk-is-full";
    std::filesystem::path broken_ = home_.path() / "sync-is-broken";
    std::unique_ptr<ServerProcess> server_;
};

}  // namespace

TEST_F(FullDisk, RefusesEveryWriteInClearWordsAndGoesOnReading)
{
    Person anna = sign_up(server_->address(), {{"latitude", 1}, {"longitude", 1}});
    const Json event = make_event(anna), bare = make_event(anna);
    const Json held = reserve(anna, event["id"]), other = reserve(anna, event["id"]);
    const Json before = get_event(anna, event["id"]);
    const std::string ticket = path_of("/tickets/", held["id"]);
    fill();

    EXPECT_TRUE(is_problem(anna.post("/tickets/", Json{{"event_id", event["id"]}}), 503, "storage_full"));
    EXPECT_TRUE(is_problem(anna.post(ticket + "/pay", Json{{"payment_reference", fresh_word()}}), 503, "storage_full"));
    EXPECT_TRUE(is_problem(anna.post(ticket + "/cancel"), 503, "storage_full"));
    EXPECT_TRUE(is_problem(anna.post("/events/", draft()), 503, "storage_full"));
    EXPECT_TRUE(is_problem(anna.patch(path_of("/events/", event["id"]), Json{{"title", "Changed"}}), 503, "storage_full"));
    EXPECT_TRUE(is_problem(anna.del(path_of("/events/", bare["id"])), 503, "storage_full"));
    EXPECT_TRUE(is_problem(anna.patch("/auth/me", Json{{"name", "Changed"}}), 503, "storage_full"));
    EXPECT_TRUE(is_problem(
        anna.post("/auth/register", Json{{"email", fresh_word() + "@example.org"}, {"name", "B"}, {"password", kPassword}}), 503,
        "storage_full"));

    EXPECT_EQ(get_event(anna, event["id"]), before);
    EXPECT_EQ(must(anna.get(ticket), 200), held);
    EXPECT_EQ(must(anna.get("/auth/me"), 200), anna.user);
    for (const char* path : {"/events/", "/events/?q=evening", "/for-you/events/nearby", "/for-you/events/recommended"}) {
        EXPECT_TRUE(has_status(anna.get(path), 200)) << path;
    }
    EXPECT_EQ(must(anna.get("/tickets/user/" + std::to_string(anna.id)), 200).size(), 2U);
    EXPECT_TRUE(has_status(anna.post("/auth/login", Json{{"email", anna.email}, {"password", anna.password}}), 200));
    Client client(anna.address());
    EXPECT_TRUE(has_status(client.get("/health"), 200));
    EXPECT_TRUE(has_status(client.get("/metrics"), 200));
    const Answer not_ready = client.get("/health/ready");
    EXPECT_TRUE(is_problem(not_ready, 503, "storage_full"));
    EXPECT_EQ(not_ready.json().at("checks").at("store"), "storage_full");

    empty();
    reserve_soon(anna, event["id"]);
    EXPECT_TRUE(has_status(client.get("/health/ready"), 200));
    EXPECT_EQ(pay(anna, held["id"])["status"], "paid");
    must(anna.post(path_of("/tickets/", other["id"], "/cancel")), 200);
    must(anna.del(path_of("/events/", bare["id"])), 204);
    EXPECT_EQ(get_event(anna, event["id"])["tickets_sold"], 2);
    EXPECT_EQ(server_->stop(), 0) << server_->last_words();
    expect_healthy();
}

TEST_F(FullDisk, KeepsNoAnswerToAKeyThatDidNothing)
{
    Person anna = sign_up(server_->address());
    const Json event = make_event(anna);
    const Headers key{{"Idempotency-Key", fresh_word()}};
    fill();
    EXPECT_TRUE(is_problem(anna.post("/tickets/", Json{{"event_id", event["id"]}}, key), 503, "storage_full"));
    empty();
    const Json ticket = reserve_soon(anna, event["id"], key);
    EXPECT_EQ(must(anna.post("/tickets/", Json{{"event_id", event["id"]}}, key), 201), ticket);
    EXPECT_EQ(get_event(anna, event["id"])["tickets_sold"], 1);
}

TEST_F(FullDisk, LosesNothingThatWasAcknowledgedUnderLoad)
{
    Crowd crowd(server_->address(), 8);
    crowd.start();
    crowd.wait_for_promises(200);
    fill();
    crowd.wait_for_refusals(100);
    empty();
    crowd.wait_for_promises(600);
    crowd.finish();
    crowd.check_promises(server_->address());
    EXPECT_EQ(server_->stop(), 0) << server_->last_words();
    expect_healthy();
}

TEST_F(FullDisk, LosesNothingWhenTheServerIsKilledMeanwhile)
{
    Crowd crowd(server_->address(), 8);
    crowd.start();
    crowd.wait_for_promises(200);
    fill();
    crowd.wait_for_refusals(50);
    server_->kill_hard();
    crowd.join();
    empty();
    expect_healthy();
    ServerProcess next(home_.path(), options());
    crowd.check_promises(next.address());
    EXPECT_EQ(next.stop(), 0) << next.last_words();
}

TEST_F(FullDisk, SaysThatNobodyKnowsWhenTheDiskCannotSayWhetherItHasKeptAnAct)
{
    Person anna = sign_up(server_->address());
    const Json event = make_event(anna);
    const Json wish{{"event_id", event["id"]}};
    const Headers key{{"Idempotency-Key", fresh_word()}};
    std::ofstream(broken_) << "broken";
    const Answer answer = anna.post("/tickets/", wish, key);
    EXPECT_TRUE(is_problem(answer, 503, "storage_failed"));
    EXPECT_NE(answer.json().value("detail", "").find("unknown whether"), std::string::npos) << answer;

    // The kernel calls the next sync good, whatever became of the last one's pages: nothing is sold until an operator has looked.
    std::filesystem::remove(broken_);
    const Answer later = anna.post("/tickets/", wish);
    EXPECT_TRUE(is_problem(later, 503, "storage_failed"));
    EXPECT_EQ(later.json().value("detail", "").find("unknown whether"), std::string::npos) << later;
    EXPECT_TRUE(has_status(anna.get(path_of("/events/", event["id"])), 200));

    server_->kill_hard();
    ServerProcess next(home_.path(), options());
    Caller again(next.address(), anna.token());
    const Json ticket = must(again.post("/tickets/", wish, key), 201);
    EXPECT_EQ(must(again.get("/tickets/user/" + std::to_string(anna.id)), 200), Json::array({ticket}));
    EXPECT_EQ(get_event(again, event["id"])["tickets_sold"], 1);
    EXPECT_EQ(next.stop(), 0) << next.last_words();
    expect_healthy();
}
