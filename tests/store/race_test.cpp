// The races that oversold a dozen ticket systems, each with its control: the same crowd against a seller that counts first and
// inserts afterwards must oversell, or the race proves nothing about ours.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <latch>
#include <thread>

#include "runtime/lanes.hpp"
#include "sqlite/connection.hpp"
#include "store/engines.hpp"
#include "temp_folder.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

constexpr int kBuyers = 16;
constexpr int kSeats = 10;
constexpr int kTries = 5;  // of each buyer

class Races : public StoreTest
{
};
INSTANTIATE_TEST_SUITE_P(Engines, Races, testing::ValuesIn(engines()), [](const auto& engine) { return engine.param.name; });

/// Every buyer at once, each trying several times: how many times `buy` said yes.
int crowd(const std::function<bool(int)>& buy)
{
    std::atomic<int> sold = 0;
    std::barrier start(kBuyers);
    std::vector<std::thread> buyers;
    for (int buyer = 0; buyer < kBuyers; ++buyer) {
        buyers.emplace_back([&, buyer] {
            start.arrive_and_wait();
            for (int i = 0; i < kTries; ++i) sold += buy(buyer) ? 1 : 0;
        });
    }
    for (std::thread& buyer : buyers) buyer.join();
    return sold;
}

/// Puts an act on the lane and waits for what became of it.
Outcome through(WriteLane& lane, Act act)
{
    std::latch answered(1);
    Outcome outcome;
    auto job = std::make_unique<LaneJob>();
    job->act = std::move(act);
    job->done = [&](LaneJob& done) {
        outcome = std::move(done.outcome);
        answered.count_down();
    };
    if (!lane.submit(std::move(job))) return Error{Code::busy, {}};
    answered.wait();
    return outcome;
}

/// Counts, then inserts, each in its own transaction: what a framework's ORM does unless told otherwise. `rest` between
/// the two stands for the work that such code does there.
class NaiveSeller
{
public:
    explicit NaiveSeller(const std::filesystem::path& file) : file_(file)
    {
        sqlite::Connection db(file_, sqlite::Access::read_write);
        db.script("PRAGMA journal_mode=WAL; CREATE TABLE sold (seat INTEGER PRIMARY KEY)");
    }

    bool buy(const std::function<void()>& rest)
    {
        sqlite::Connection db(file_, sqlite::Access::read_write);
        db.script("PRAGMA synchronous=OFF");
        {
            sqlite::Rows rows = db.query("SELECT count(*) FROM sold");
            rows.next();
            if (rows.integer(0) >= kSeats) return false;
        }
        rest();
        db.execute("INSERT INTO sold DEFAULT VALUES");
        return true;
    }

private:
    std::filesystem::path file_;
};

TEST(RaceControl, ASellerThatCountsFirstOversells)
{
    TempFolder folder;
    NaiveSeller seller(folder.path() / "naive.db");
    // All buyers have counted before the first inserts: the interleaving that a busy minute produces by itself.
    std::barrier counted(kBuyers);
    std::atomic<int> sold = 0;
    std::vector<std::thread> buyers;
    for (int buyer = 0; buyer < kBuyers; ++buyer) {
        buyers.emplace_back([&] { sold += seller.buy([&] { counted.arrive_and_wait(); }) ? 1 : 0; });
    }
    for (std::thread& buyer : buyers) buyer.join();
    EXPECT_GT(sold, kSeats) << "this race cannot tell a good seller from a bad one";
}

TEST_P(Races, ACrowdBuysEverySeatOnce)
{
    const EventId concert = event(kSeats);
    std::vector<UserId> people_;
    for (int i = 0; i < kBuyers; ++i) people_.push_back(person());
    Metrics metrics;
    WriteLane lane(store(), {}, metrics);
    const int made = crowd([&](int buyer) {
        return std::holds_alternative<Ticket>(
            through(lane, Reserve{concert, people_[static_cast<std::size_t>(buyer)], hold, now}));
    });
    lane.stop();
    EXPECT_EQ(made, kSeats);
    EXPECT_EQ(sold(concert), kSeats);
}

TEST_P(Races, ACrowdThatBuysAndGivesBackLeavesTheCounterRight)
{
    const EventId concert = event(kSeats);
    const UserId buyer = person();
    Metrics metrics;
    WriteLane lane(store(), {}, metrics);
    std::atomic<int> kept = 0;
    crowd([&](int number) {
        const Outcome outcome = through(lane, Reserve{concert, buyer, hold, now});
        const auto* const ticket = std::get_if<Ticket>(&outcome);
        if (!ticket) return false;
        if (number % 2 == 0) return std::holds_alternative<Ticket>(through(lane, Cancel{ticket->id, buyer, now}));
        ++kept;
        return true;
    });
    lane.stop();
    EXPECT_EQ(sold(concert), kept);
    EXPECT_LE(kept, kSeats);
}

TEST_P(Races, OneKeyBuysOneTicketHoweverOftenItIsSent)
{
    const EventId concert = event(1000);
    const UserId buyer = person();
    Metrics metrics;
    WriteLane lane(store(), {}, metrics);
    std::atomic<int> first = 0;
    crowd([&](int) {
        std::latch answered(1);
        auto job = std::make_unique<LaneJob>();
        job->act = Reserve{concert, buyer, hold, now};
        job->claim = IdempotencyClaim{buyer, "the key", "f", now, [](const Outcome&) { return KeptAnswer{"kept"}; }};
        job->done = [&](LaneJob& done) {
            first += std::holds_alternative<Ticket>(done.outcome) ? 1 : 0;
            answered.count_down();
        };
        const bool taken = lane.submit(std::move(job));
        if (taken) answered.wait();
        return taken;
    });
    lane.stop();
    EXPECT_EQ(first, 1);
    EXPECT_EQ(sold(concert), 1);
}

TEST_P(Races, ADueSeatIsSoldToOneOfThoseWhoWait)
{
    const EventId concert = event(1);
    const UserId buyer = person();
    reserve(concert, buyer);
    now += hold;
    Metrics metrics;
    WriteLane lane(store(), {}, metrics);
    const int made =
        crowd([&](int) { return std::holds_alternative<Ticket>(through(lane, Reserve{concert, buyer, hold, now})); });
    lane.stop();
    EXPECT_EQ(made, 1);
    EXPECT_EQ(sold(concert), 1);
}

}  // namespace
}  // namespace boxoffice
