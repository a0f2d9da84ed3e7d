// Two nodes and their lanes on one database: what a crowd on both of them may never bring about. With its control: a seller that
// counts first and inserts afterwards oversells, or the race would prove nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "drafts.hpp"
#include "fake_zones.hpp"
#include "postgres/postgres.hpp"
#include "servers/postgres_server.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

constexpr int kNodes = 2;
constexpr int kLanes = 2;
constexpr int kEvents = 10;
constexpr std::int64_t kSeats = 40;  // of each event; 400 in all
constexpr int kBatches = 150;        // of each lane
constexpr std::size_t kActsMax = 24;
constexpr int kKeys = 400;

/// What became of everything that was sent under one Idempotency-Key.
struct KeyStory {
    int carried_out = 0;
    std::set<std::string> rendered, kept;
};

class TwoNodes : public testing::Test
{
protected:
    void SetUp() override
    {
        options.url = shared_postgres().fresh_database();
        options.lanes = kLanes;
        options.readers = 1;
        for (int node = 0; node < kNodes; ++node) nodes.push_back(open_postgres(options, zones));
        for (int i = 0; i < 8; ++i) {
            const std::string name = "person" + std::to_string(i);
            users.push_back(std::get<User>(act(AddUser{name + "@b.co", name, "!", {}, now})).id);
        }
        for (int i = 0; i < kEvents; ++i) events.push_back(event(kSeats));
    }

    Outcome act(Act what)
    {
        WriteJob job{std::move(what), {}, {}};
        WriteJob* const jobs[] = {&job};
        nodes.front()->execute(jobs);
        return std::move(job.outcome);
    }
    EventId event(std::int64_t seats)
    {
        EventDraft draft = draft_of("Jazz night", seats, now + 24h, 2h);
        return std::get<Event>(act(AddEvent{users.front(), draft, now})).id;
    }
    std::vector<std::vector<std::string>> rows(const std::string& sql) const
    {
        return shared_postgres().rows(options.url.substr(options.url.rfind('/') + 1), sql);
    }
    std::string value(const std::string& sql) const { return rows(sql).at(0).at(0); }

    /// One thread a lane of each node, each executing `kBatches` batches that `make` fills. No batch may fail.
    template <class Make, class Learn>
    void race(Make make, Learn learn)
    {
        std::barrier start(kNodes * kLanes);
        std::atomic<int> running = kNodes * kLanes;
        std::vector<std::thread> lanes;
        for (int lane = 0; lane < kNodes * kLanes; ++lane) {
            lanes.emplace_back([&, lane] {
                std::mt19937_64 random(static_cast<std::uint64_t>(lane) + 20261123);
                Store& node = *nodes[static_cast<std::size_t>(lane % kNodes)];
                start.arrive_and_wait();
                for (int number = 0; number < kBatches; ++number) {
                    std::vector<WriteJob> jobs = make(random, lane, number);
                    std::vector<WriteJob*> batch;
                    for (WriteJob& job : jobs) batch.push_back(&job);
                    try {
                        node.execute(batch);
                        for (const WriteJob& job : jobs) learn(job, lane);
                    } catch (const std::exception& accident) {
                        ADD_FAILURE() << accident.what();
                    }
                }
                --running;
            });
        }
        // At every moment, seen as one state: the counter is the live tickets, within the total, and full events are marked so.
        while (running > 0) check_state();
        for (std::thread& lane : lanes) lane.join();
        check_state();
        for (const Finding& finding : examine_postgres(options, std::chrono::floor<Micros>(std::chrono::system_clock::now())))
            EXPECT_TRUE(finding.good) << finding.what << ": " << finding.detail;
    }
    void check_state() const
    {
        const std::string wrong = value(
            "SELECT count(*) FROM inventory i LEFT JOIN (SELECT event_id, count(*) AS live FROM tickets WHERE status IN (0, 1) "
            "GROUP BY event_id) t USING (event_id) WHERE sold <> coalesce(live, 0) OR sold > total OR (sold >= total) <> EXISTS "
            "(SELECT 1 FROM sold_out s WHERE s.event_id = i.event_id)");
        EXPECT_EQ(wrong, "0");
    }

    PostgresOptions options;
    FakeZones zones;
    std::vector<std::unique_ptr<Store>> nodes;
    std::vector<UserId> users;
    std::vector<EventId> events;
    const Instant now{500'000h};
};

/// The tickets that a crowd has been given, for any of them to pay or cancel; and the time, which goes on with every batch.
class Crowd
{
public:
    void learn(const WriteJob& job)
    {
        const std::lock_guard lock(mutex_);
        if (const auto* const error = std::get_if<Error>(&job.outcome))
            ++refusals_[error->code];
        else if (!std::holds_alternative<KeptAnswer>(job.outcome))
            ++done_[job.act.index()];
        const auto* const ticket = std::get_if<Ticket>(&job.outcome);
        if (ticket && ticket->status == TicketStatus::reserved) tickets_.push_back(*ticket);
        if (!job.claim) return;
        KeyStory& story = stories_[job.claim->key];
        if (const auto* const kept = std::get_if<KeptAnswer>(&job.outcome)) {
            story.kept.insert(kept->bytes);
        } else {
            ++story.carried_out;
            story.rendered.insert(render(job.outcome).bytes);
        }
    }
    static KeptAnswer render(const Outcome& outcome)
    {
        if (const auto* const ticket = std::get_if<Ticket>(&outcome)) return {"ticket " + std::to_string(ticket->id.value)};
        if (const auto* const error = std::get_if<Error>(&outcome)) return {std::string(code_word(error->code))};
        return {"?"};
    }
    /// Mostly one of the newest, so that several reach for it at once.
    Ticket any(std::mt19937_64& random)
    {
        const std::lock_guard lock(mutex_);
        if (tickets_.empty()) return {};
        const std::size_t recent = random() % 8 == 0 ? tickets_.size() : std::min<std::size_t>(tickets_.size(), 60);
        return tickets_[tickets_.size() - 1 - random() % recent];
    }
    Micros pass() { return Micros(time_ += 20'000); }
    std::int64_t refused(Code code) { return refusals_[code]; }
    template <class A>
    std::int64_t done()
    {
        return done_[Act(A{}).index()];
    }
    const std::map<std::string, KeyStory>& stories() const { return stories_; }

private:
    std::atomic<std::int64_t> time_ = 0;
    std::mutex mutex_;  // protects what follows
    std::vector<Ticket> tickets_;
    std::map<Code, std::int64_t> refusals_;
    std::map<std::size_t, std::int64_t> done_;
    std::map<std::string, KeyStory> stories_;
};

TEST(PostgresRaceControl, ASellerThatCountsFirstOversells)
{
    PostgresServer& server = shared_postgres();
    const std::string url = server.fresh_database();
    const std::string database = url.substr(url.rfind('/') + 1);
    server.rows(database, "CREATE TABLE sold (seat bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)");
    constexpr int kBuyers = 8;
    constexpr int kOnSale = 20;
    // All buyers have counted before the first inserts: the interleaving that a busy minute produces by itself.
    std::barrier counted(kBuyers);
    std::vector<std::thread> buyers;
    for (int buyer = 0; buyer < kBuyers; ++buyer) {
        buyers.emplace_back([&] {
            while (std::stoi(server.value(database, "SELECT count(*) FROM sold")) < kOnSale) {
                counted.arrive_and_wait();
                server.rows(database, "INSERT INTO sold DEFAULT VALUES");
                counted.arrive_and_wait();
            }
            counted.arrive_and_drop();
        });
    }
    for (std::thread& buyer : buyers) buyer.join();
    EXPECT_GT(std::stoi(server.value(database, "SELECT count(*) FROM sold")), kOnSale)
        << "this race cannot tell a good seller from a bad one";
}

TEST_F(TwoNodes, SellCancelPayLapseChangeAndRemoveTheSameSeatsAndStayRight)
{
    for (int i = 0; i < 20; ++i) events.push_back(event(2));  // to be removed in the crowd
    Crowd crowd;
    const auto any_act = [&](std::mt19937_64& random, Instant at) -> Act {
        const auto dice = [&](std::uint64_t sides) { return random() % sides; };
        const UserId user = users[dice(users.size())];
        const EventId on_sale = events[dice(10) ? dice(kEvents) : kEvents + dice(20)];
        const std::uint64_t roll = dice(100);
        if (roll < 55) return Reserve{on_sale, user, Micros(1'000'000 + dice(3'000'000)), at};
        if (roll < 80) {
            const Ticket ticket = crowd.any(random);
            // Now and then with a reference that others pay with too.
            const std::string reference = dice(8) ? std::to_string(ticket.id.value) : "shared" + std::to_string(dice(50));
            // Half of them have waited, so that their hold may have been lapsed, and its seat sold, on the way.
            const Instant arrived = at - Micros(dice(2) * dice(3'000'000));
            if (roll < 67) return Pay{ticket.id, ticket.user_id, reference, arrived};
            return Cancel{ticket.id, ticket.user_id, arrived};
        }
        if (roll < 86) return ExpireHolds{at, 1 + dice(40)};
        if (roll < 92) {
            ChangeEvent change{on_sale, users.front(), {}, at};
            change.patch.total_tickets = 1 + static_cast<std::int64_t>(dice(kSeats));
            return change;
        }
        if (roll < 96) return RemoveEvent{events[kEvents + dice(20)], users.front(), at};
        return ChangeUser{user, "name" + std::to_string(dice(9)), false, {}, at};
    };
    race(
        [&](std::mt19937_64& random, int, int number) {
            const Instant at = now + crowd.pass();
            std::vector<WriteJob> jobs(1 + random() % kActsMax);
            for (WriteJob& job : jobs) {
                job.act = any_act(random, at);
                // The same keys on both nodes at about the same time.
                const auto* const reserve = std::get_if<Reserve>(&job.act);
                if (!reserve || random() % 3 != 0) continue;
                const auto key = static_cast<std::uint64_t>(number * kKeys / kBatches) + random() % 4;
                job.claim = IdempotencyClaim{users.front(), std::to_string(key), "f", at, &Crowd::render};
            }
            return jobs;
        },
        [&](const WriteJob& job, int) { crowd.learn(job); });

    // Each kind took part, and each kind of collision did happen.
    EXPECT_GT(crowd.done<Reserve>(), 400);
    EXPECT_GT(crowd.done<Cancel>(), 50);
    EXPECT_GT(crowd.done<Pay>(), 50);
    EXPECT_GT(crowd.done<ChangeEvent>(), 20);
    EXPECT_GT(crowd.done<RemoveEvent>(), 5);
    for (const Code code : {Code::sold_out, Code::already_paid, Code::cancelled, Code::hold_expired, Code::not_found,
                            Code::below_sold, Code::has_tickets, Code::reference_used})
        EXPECT_GT(crowd.refused(code), 0) << code_word(code);

    std::size_t repeated = 0;
    for (const auto& [key, story] : crowd.stories()) {
        EXPECT_EQ(story.carried_out, 1) << "key " << key;
        EXPECT_EQ(story.rendered.size(), 1u) << "key " << key;
        if (story.kept.empty()) continue;
        ++repeated;
        EXPECT_EQ(story.kept, story.rendered) << "key " << key;
        EXPECT_EQ(value("SELECT convert_from(bytes, 'UTF8') FROM kept_answers WHERE key = '" + key + "'"),
                  *story.rendered.begin());
    }
    EXPECT_GT(repeated, 100u);
    EXPECT_EQ(value("SELECT count(*) FROM kept_answers"), std::to_string(crowd.stories().size()));
    // Every ticket that was promised is there, and no other.
    EXPECT_EQ(value("SELECT count(*) FROM tickets"), std::to_string(crowd.done<Reserve>()));
}

TEST_F(TwoNodes, SellEachSeatOnceToACrowdThatOnlyBuys)
{
    std::atomic<int> sold = 0;
    race(
        [&](std::mt19937_64& random, int, int) {
            std::vector<WriteJob> jobs(kActsMax);
            for (WriteJob& job : jobs)
                job.act = Reserve{events[random() % events.size()], users[random() % users.size()], 1h, now};
            return jobs;
        },
        [&](const WriteJob& job, int) { sold += std::holds_alternative<Ticket>(job.outcome) ? 1 : 0; });
    EXPECT_EQ(sold, kEvents * kSeats);
    EXPECT_EQ(value("SELECT count(*) FROM tickets"), std::to_string(kEvents * kSeats));
    EXPECT_EQ(value("SELECT count(*) FROM sold_out"), std::to_string(kEvents));
}

TEST_F(TwoNodes, LockTheSameRowsInAnyOrderWithoutWaitingForEachOtherInACircle)
{
    std::vector<std::vector<Ticket>> held(static_cast<std::size_t>(kNodes * kLanes));
    race(
        [&](std::mt19937_64& random, int lane, int number) {
            // Forwards on one node, backwards on the other: every event, every user, and tickets of every event.
            std::vector<WriteJob> jobs;
            auto& mine = held[static_cast<std::size_t>(lane)];
            for (int i = 0; i < kEvents; ++i) {
                const auto place = static_cast<std::size_t>(lane % 2 == 0 ? i : kEvents - 1 - i);
                if (number % 2 == 0)
                    jobs.push_back({Reserve{events[place], users[random() % users.size()], 1h, now}, {}, {}});
                else if (place < mine.size())
                    jobs.push_back({Cancel{mine[place].id, mine[place].user_id, now}, {}, {}});
                jobs.push_back({ChangeUser{users[place % users.size()], "n", false, {}, now}, {}, {}});
                if (i % 3 == 0) jobs.push_back({ChangeEvent{events[place], users.front(), {}, now}, {}, {}});
            }
            if (number % 2 != 0) mine.clear();
            return jobs;
        },
        [&](const WriteJob& job, int lane) {
            if (const auto* const error = std::get_if<Error>(&job.outcome)) ADD_FAILURE() << error->message;
            if (std::holds_alternative<Reserve>(job.act))
                held[static_cast<std::size_t>(lane)].push_back(std::get<Ticket>(job.outcome));
        });
    nodes.clear();
    EXPECT_EQ(value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"), "0");
}

}  // namespace
}  // namespace boxoffice
