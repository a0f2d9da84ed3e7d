// Payments that wait for PostgreSQL for longer than their holds last: behind a row that another session has locked, and through
// an outage, while the same process lapses what is due and sells what is free in its other lanes.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "drafts.hpp"
#include "fake_zones.hpp"
#include "postgres/connection.hpp"
#include "postgres/postgres.hpp"
#include "runtime/arrivals.hpp"
#include "runtime/clock.hpp"
#include "runtime/expiry.hpp"
#include "servers/postgres_server.hpp"
#include "store/cutting_proxy.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

constexpr int kTickets = 40;
constexpr Micros kHold = 1500ms;

class InTimeOnPostgres : public testing::Test
{
protected:
    InTimeOnPostgres()
    {
        options.url = proxy.url(database);
        options.arrivals = &arrivals;
        store = open_postgres(options, zones);
        lane = std::make_unique<WriteLane>(*store, WriteLane::Options{.lanes = options.lanes}, metrics);
        expiry = std::make_unique<Expiry>(*store, *lane, clock, metrics, Expiry::Options{});
        expiry->start();
        user = std::get<User>(submit(AddUser{"a@b.co", "a", "!", {}, clock.now()}).get()).id;
        concert =
            std::get<Event>(submit(AddEvent{user, draft_of("Jazz night", kTickets, clock.now() + 24h, 2h), clock.now()}).get())
                .id;
        std::vector<std::future<Outcome>> reserved;
        for (int i = 0; i < kTickets; ++i) reserved.push_back(submit(Reserve{concert, user, kHold, clock.now()}));
        for (auto& one : reserved) tickets.push_back(std::get<Ticket>(one.get()));
    }
    ~InTimeOnPostgres() override
    {
        expiry->stop();
        lane->stop();
    }

    std::future<Outcome> submit(Act act, LocalArrivals::Entry arrival = {})
    {
        auto job = std::make_unique<LaneJob>();
        job->act = std::move(act);
        auto outcome = std::make_shared<std::promise<Outcome>>();
        auto entry = std::make_shared<LocalArrivals::Entry>(std::move(arrival));
        job->done = [outcome, entry](LaneJob& done) {
            entry->leave();
            outcome->set_value(done.outcome);
        };
        EXPECT_TRUE(lane->submit(std::move(job)));
        return outcome->get_future();
    }
    void pay_all()
    {
        for (const Ticket& ticket : tickets) {
            auto arrival = arrivals.enter(ticket.id, clock);
            const Instant at = arrival.at();
            ASSERT_LT(at, ticket.expires_at) << "too slow a machine: this test has not paid in time";
            payments.push_back(submit(Pay{ticket.id, user, std::to_string(ticket.id.value), at}, std::move(arrival)));
        }
    }
    void wait_until_all_are_due() const { std::this_thread::sleep_for(tickets.back().expires_at + 300ms - clock.now()); }
    void expect_all_paid()
    {
        for (auto& payment : payments) {
            const Outcome outcome = payment.get();
            const auto* const error = std::get_if<Error>(&outcome);
            EXPECT_EQ(error, nullptr) << code_word(error->code) << ' ' << error->detail;
        }
        EXPECT_EQ(shared_postgres().value(database, "SELECT count(*) FROM tickets WHERE status = 1"), std::to_string(kTickets));
        EXPECT_EQ(shared_postgres().value(database, "SELECT sold FROM inventory"), std::to_string(kTickets));
    }

    const std::string database = [] {
        const std::string url = shared_postgres().fresh_database();
        return url.substr(url.rfind('/') + 1);
    }();
    CuttingProxy proxy{shared_postgres().port()};
    FakeZones zones;
    RealClock clock;
    Metrics metrics;
    LocalArrivals arrivals;
    PostgresOptions options;
    std::unique_ptr<Store> store;
    std::unique_ptr<WriteLane> lane;
    std::unique_ptr<Expiry> expiry;
    UserId user;
    EventId concert;
    std::vector<Ticket> tickets;
    std::vector<std::future<Outcome>> payments;
};

TEST_F(InTimeOnPostgres, PaysAllThatWaitedBehindALockedRow)
{
    PostgresOptions operator_options;
    operator_options.url = "postgresql://postgres@127.0.0.1:" + std::to_string(shared_postgres().port()) + "/" + database;
    postgres::Connection psql(operator_options, postgres::Connection::Purpose::write);
    (void)psql.ask("BEGIN");
    (void)psql.ask("SELECT id FROM tickets ORDER BY id LIMIT 1 FOR UPDATE");
    pay_all();
    wait_until_all_are_due();
    auto refused = submit(Reserve{concert, user, kHold, clock.now()});
    (void)psql.ask("ROLLBACK");
    expect_all_paid();
    EXPECT_EQ(std::get<Error>(refused.get()).code, Code::sold_out);
}

TEST_F(InTimeOnPostgres, PaysAllThatWaitedThroughAnOutage)
{
    proxy.close_off();
    pay_all();
    wait_until_all_are_due();
    auto refused = submit(Reserve{concert, user, kHold, clock.now()});
    std::this_thread::sleep_for(2s);  // in which every lane has something to do, and the expiry worker knows what is due
    proxy.reopen();
    expect_all_paid();
    EXPECT_EQ(std::get<Error>(refused.get()).code, Code::sold_out);
}

}  // namespace
}  // namespace boxoffice
