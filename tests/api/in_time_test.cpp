#include <algorithm>
#include <deque>
#include <fstream>

#include "scene.hpp"

using namespace blackbox;
using namespace std::chrono_literals;

namespace
{

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_A_SANITIZER
#endif
#endif

/// More than one batch of the write lane holds, beside what is kept in it for lapses and reservations.
constexpr std::size_t kTickets = 600;

/// A server whose disk can be made to take its time, and a crowd of requests that are sent at once, each over its own connection.
class SlowDisk : public testing::Test
{
protected:
    void SetUp() override
    {
        if (is_foreign() || on_postgres()) GTEST_SKIP() << "slows the disk of a server: only of an embedded one of its own";
#ifdef UNDER_A_SANITIZER
        GTEST_SKIP() << "a sanitizer's runtime must be the first library loaded, and so must the slow disk";
#else
        ServeOptions options;
        options.hold_seconds = hold_seconds_;
        options.more_arguments = arguments_;
#ifdef FULL_DISK_LIBRARY
        options.environment = {{"LD_PRELOAD", FULL_DISK_LIBRARY},
                               {"SLOW_SYNC_FLAG", flag_.string()},
                               {"FULL_DISK_DIR", (home_.path() / "data").string()},
                               {"BOXOFFICE_RATE_LIMIT", "off"}};
#endif
        server_ = std::make_unique<ServerProcess>(home_.path(), options);
#endif
    }
    void TearDown() override { speed_up(); }  // or the server could not end

    void slow_down() const { std::ofstream(flag_) << "slow"; }
    void speed_up() const { std::filesystem::remove(flag_); }

    void send(Wire& wire, const Person& by, const std::string& path, const Json& body) const
    {
        wire.send(to_bytes({.method = "POST",
                            .target = "/api/v1" + path,
                            .headers = {{"Authorization", "Bearer " + by.token()}, {"Content-Type", "application/json"}},
                            .body = body.dump()},
                           server_->address()));
    }

    void connect(std::size_t count)
    {
        for (std::size_t i = 0; i < count; ++i) wires_.emplace_back(server_->address());
    }

    std::string hold_seconds_ = "120";
    std::vector<std::string> arguments_;
    TempDir home_;
    std::filesystem::path flag_ = home_.path() / "slow";
    std::unique_ptr<ServerProcess> server_;
    std::deque<Wire> wires_;
};

class LapseInTime : public SlowDisk
{
protected:
    LapseInTime() { hold_seconds_ = "4"; }
};

class LimitsOfALane : public SlowDisk
{
protected:
    LimitsOfALane() { arguments_ = {"--write-queue", "4"}; }

    /// How many reservations the lane has refused.
    [[nodiscard]] int refused() const
    {
        Client client(server_->address());
        const std::string text = client.get("/metrics").body;
        const std::string name = R"(boxoffice_shed_total{class="reservation",reason="queue_full"} )";
        const auto at = text.find(name);
        return at == std::string::npos ? 0 : std::stoi(text.substr(at + name.size()));
    }
};

}  // namespace

TEST_F(LapseInTime, PaysAndCancelsAllThatWaitedBehindASlowDisk)
{
    Person anna = sign_up(server_->address());
    Person ben = sign_up(server_->address());
    const Json event = make_event(anna, {{"total_tickets", kTickets}});
    std::vector<Json> tickets;
    connect(kTickets);
    for (Wire& wire : wires_) send(wire, anna, "/tickets/", {{"event_id", event["id"]}});
    for (Wire& wire : wires_) tickets.push_back(must(wire.read_answer(), 201));

    slow_down();
    // Every tenth is given back.
    const auto is_paid = [](std::size_t i) { return i % 10 != 0; };
    for (std::size_t i = 0; i < kTickets; ++i) {
        if (is_paid(i))
            send(wires_[i], anna, path_of("/tickets/", tickets[i]["id"], "/pay"), {{"payment_reference", fresh_word()}});
        else
            send(wires_[i], anna, path_of("/tickets/", tickets[i]["id"], "/cancel"), Json::object());
    }
    Wire waiting(server_->address());
    const Instant sent = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    Instant last{};
    for (const Json& ticket : tickets) {
        ASSERT_LT(sent, parse_time(ticket["expires_at"])) << "too slow a machine: this test has not sent in time";
        last = std::max(last, parse_time(ticket["expires_at"]));
    }
    wait_until_after(last);
    send(waiting, ben, "/tickets/", {{"event_id", event["id"]}});
    // Long enough for the expiry worker to have seen what is due.
    wait_until_after(last + 200ms);
    speed_up();

    std::size_t paid = 0;
    for (std::size_t i = 0; i < kTickets; ++i) {
        const Json answer = must(wires_[i].read_answer(), 200);
        EXPECT_EQ(answer["status"], is_paid(i) ? "paid" : "cancelled");
        paid += is_paid(i) ? 1 : 0;
    }
    // Cancellations have freed seats for other buyers; payments have not.
    const int status = waiting.read_answer().status;
    EXPECT_TRUE(status == 201 || status == 409) << status;
    EXPECT_EQ(get_event(anna, event["id"])["tickets_sold"], paid + (status == 201 ? 1 : 0));
}

TEST_F(LimitsOfALane, OnReservationsKeepNobodyFromPayingAndCancelling)
{
    constexpr std::size_t kCrowd = 20;
    Person anna = sign_up(server_->address());
    Person ben = sign_up(server_->address());
    const Json event = make_event(anna, {{"total_tickets", 100}});
    const Json to_pay = reserve(ben, event["id"]);
    const Json to_cancel = reserve(ben, event["id"]);
    connect(kCrowd + 2);

    slow_down();
    for (std::size_t i = 0; i < kCrowd; ++i) send(wires_[i], anna, "/tickets/", {{"event_id", event["id"]}});
    // Four may be in the batch that waits for the disk, and four wait for that.
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (refused() < static_cast<int>(kCrowd) - 8)
        ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "nothing was refused";
    send(wires_[kCrowd], ben, path_of("/tickets/", to_pay["id"], "/pay"), {{"payment_reference", fresh_word()}});
    send(wires_[kCrowd + 1], ben, path_of("/tickets/", to_cancel["id"], "/cancel"), Json::object());
    speed_up();

    EXPECT_TRUE(has_status(wires_[kCrowd].read_answer(), 200));
    EXPECT_TRUE(has_status(wires_[kCrowd + 1].read_answer(), 200));
    int held = 0;
    for (std::size_t i = 0; i < kCrowd; ++i) {
        const Answer answer = wires_[i].read_answer();
        if (answer.status == 201)
            ++held;
        else
            EXPECT_TRUE(is_problem(answer, 503, "busy"));
    }
    EXPECT_GE(held, 1);
    EXPECT_LE(held, 8);
}
