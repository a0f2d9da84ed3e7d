#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "cluster/cluster.hpp"

using namespace cluster;
using blackbox::get_event;
using blackbox::make_event;
using blackbox::sign_up;

TEST(Selling, OfFiveHundredSeatsToTwentyThousandAtThreeNodesSellsExactlyFiveHundred)
{
    constexpr int kBuyers = 20'000, kEvents = 5, kSeats = 100, kAtOnce = 48;
    Cluster cluster;
    Person organizer = sign_up(cluster.at(0));
    std::vector<Json> events;
    for (int i = 0; i < kEvents; ++i) events.push_back(make_event(organizer, {{"total_tickets", kSeats}}));
    const std::vector<Buyer> buyers = add_people(cluster, organizer, kBuyers);

    std::atomic<std::size_t> next = 0;
    std::atomic<int> sold_out = 0;
    std::mutex guard;
    std::multiset<std::int64_t> tickets;
    std::vector<std::string> others;
    const auto crowd = [&] {
        std::vector<blackbox::Client> clients;
        for (const Address& node : cluster.addresses()) clients.emplace_back(node);
        for (std::size_t i = next++; i < buyers.size(); i = next++) {
            // Every event is asked for at every node.
            const Json body{{"event_id", events[i % kEvents]["id"]}};
            const blackbox::Headers headers{{"Authorization", "Bearer " + buyers[i].token}, {"Content-Type", "application/json"}};
            std::string other;
            try {
                const Answer answer =
                    clients[i / kEvents % clients.size()].send({"POST", "/api/v1/tickets/", headers, body.dump()});
                if (answer.status == 201) {
                    const std::lock_guard lock(guard);
                    tickets.insert(answer.json().at("id").get<std::int64_t>());
                } else if (blackbox::is_problem(answer, 409, "sold_out")) {
                    ++sold_out;
                } else {
                    other = std::to_string(answer.status) + " " + answer.body;
                }
            } catch (const std::exception& accident) {
                other = accident.what();
            }
            if (other.empty()) continue;
            const std::lock_guard lock(guard);
            others.push_back(other);
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < kAtOnce; ++i) threads.emplace_back(crowd);
    for (std::thread& thread : threads) thread.join();

    EXPECT_TRUE(others.empty()) << others.size() << " answers are neither a ticket nor sold_out; one is " << others[0];
    EXPECT_EQ(tickets.size(), kEvents * kSeats);
    EXPECT_EQ(std::set<std::int64_t>(tickets.begin(), tickets.end()).size(), tickets.size()) << "one ticket was sold to two";
    EXPECT_EQ(sold_out, kBuyers - kEvents * kSeats);
    EXPECT_EQ(cluster.sql("SELECT count(*) FROM tickets"), std::to_string(kEvents * kSeats));
    for (const Address& node : cluster.addresses()) {
        Caller anonymous(node);
        for (const Json& event : events) {
            const Json now = get_event(anonymous, event["id"]);
            EXPECT_EQ(now["tickets_sold"], kSeats);
            EXPECT_EQ(now["available_tickets"], 0);
        }
    }
    cluster.expect_healthy();
    cluster.expect_orderly_end();
}
