#include <algorithm>
#include <thread>

#include "cluster/cluster.hpp"

using namespace cluster;
using blackbox::get_event;
using namespace std::chrono_literals;

namespace
{

constexpr int kSeats = 60;

/// Holds every seat of an event and returns when the last hold's time is up.
blackbox::Instant hold_all(Cluster& cluster, const std::vector<Buyer>& buyers, const Json& event)
{
    blackbox::Instant last{};
    for (std::size_t i = 0; i < buyers.size(); ++i) {
        Caller caller(cluster.at(i), buyers[i].token);
        last = std::max(last, blackbox::parse_time(blackbox::reserve(caller, event["id"])["expires_at"]));
    }
    return last;
}

/// How long after `due` all seats were free again, as a node that does no work itself says; none within five seconds.
std::optional<Millis> lag_after(blackbox::Instant due, const Address& node, const Json& event)
{
    Caller anonymous(node);
    for (;;) {
        const Json now = get_event(anonymous, event["id"]);
        const auto lag = std::chrono::ceil<Millis>(std::chrono::system_clock::now() - due);
        if (now["available_tickets"] == kSeats) return lag;
        if (lag > 5s) return std::nullopt;
    }
}

}  // namespace

TEST(Holds, AreReleasedByWorkersWithinASecondWhicheverIsLeft)
{
    Shape shape;
    shape.hold_seconds = "2";
    Cluster cluster(shape);
    Person organizer = blackbox::sign_up(cluster.at(0));
    const std::vector<Buyer> buyers = add_people(cluster, organizer, kSeats);
    const auto lag_of_a_round = [&] {
        const Json event = blackbox::make_event(organizer, {{"total_tickets", kSeats}});
        const blackbox::Instant due = hold_all(cluster, buyers, event);
        return lag_after(due, cluster.at(2), event);
    };
    const auto expect_soon = [&](const char* who) {
        const auto lag = lag_of_a_round();
        ASSERT_TRUE(lag) << "seats did not come back with " << who;
        EXPECT_LE(*lag, 1s) << who;
    };
    expect_soon("two workers");
    cluster.worker(0).kill_hard();
    expect_soon("one worker");
    cluster.worker(0).start();
    cluster.worker(1).kill_hard();
    expect_soon("the other worker");

    // The control: with no worker at all no seat comes back, so it was the workers.
    cluster.worker(0).kill_hard();
    EXPECT_EQ(lag_of_a_round(), std::nullopt);
    cluster.worker(0).start();
    cluster.worker(1).start();
    cluster.expect_healthy();
}

TEST(Holds, ThatAreDueAreForSaleAtOnceWithNoWorkerAtAll)
{
    Shape shape;
    shape.hold_seconds = "1";
    shape.workers = 0;
    Cluster cluster(shape);
    Person organizer = blackbox::sign_up(cluster.at(0));
    const std::vector<Buyer> buyers = add_people(cluster, organizer, 2);
    const Json event = blackbox::make_event(organizer, {{"total_tickets", 1}});
    Caller first(cluster.at(0), buyers[0].token), second(cluster.at(1), buyers[1].token);
    const Json held = blackbox::reserve(first, event["id"]);
    blackbox::wait_until_after(blackbox::parse_time(held["expires_at"]));
    EXPECT_TRUE(blackbox::has_status(second.post("/tickets/", Json{{"event_id", event["id"]}}), 201));
    EXPECT_EQ(blackbox::must(first.get(blackbox::path_of("/tickets/", held["id"])), 200)["status"], "expired");
}
