// A connection that is lost around COMMIT: whether the transaction happened is asked for, and what is told is the truth. Between
// the store and a real server stands a proxy that knows which pipeline of statements ends with COMMIT, and cuts there.
#include <gtest/gtest.h>

#include <future>
#include <latch>
#include <optional>
#include <thread>
#include <tuple>

#include "drafts.hpp"
#include "fake_zones.hpp"
#include "postgres/postgres.hpp"
#include "servers/postgres_server.hpp"
#include "store/cutting_proxy.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

/// A server that may be killed, a fresh database on it, and a store that reaches it through a proxy.
class UnclearCommit : public testing::Test
{
protected:
    static void SetUpTestSuite() { server = std::make_unique<PostgresServer>(); }
    static void TearDownTestSuite() { server.reset(); }

    void SetUp() override
    {
        direct = server->fresh_database();
        database = direct.substr(direct.rfind('/') + 1);
        proxy.emplace(server->port());
        open(20s);
        user = std::get<User>(act(AddUser{"a@b.co", "a", "!", {}, now})).id;
        EventDraft draft = draft_of("Jazz night", 10, now + 1h);
        event = std::get<Event>(act(AddEvent{user, draft, now})).id;
    }
    void TearDown() override
    {
        server->start();
        store.reset();
        proxy.reset();
        server->drop_database(database);
    }

    static PostgresOptions one_lane_at(const std::string& url)
    {
        PostgresOptions options;
        options.url = url;
        options.lanes = 1;
        options.readers = 1;
        return options;
    }
    void open(Micros unavailable_max, Micros transaction_silence_max = 10s)
    {
        store.reset();
        PostgresOptions options = one_lane_at(proxy->url(database));
        options.unavailable_max = unavailable_max;
        options.transaction_silence_max = transaction_silence_max;
        store = open_postgres(options, zones);
    }

    Outcome act(Act what, const std::string& key = "") { return act_on(*store, std::move(what), key); }
    Outcome act_on(Store& node, Act what, const std::string& key = "") const
    {
        WriteJob job{std::move(what), {}, {}};
        if (!key.empty())
            job.claim = IdempotencyClaim{user, key, "f", now, [](const Outcome& outcome) {
                                             const auto* const ticket = std::get_if<Ticket>(&outcome);
                                             return KeptAnswer{ticket ? std::to_string(ticket->id.value) : "refused"};
                                         }};
        WriteJob* const jobs[] = {&job};
        node.execute(jobs);
        return std::move(job.outcome);
    }
    Reserve reserve() const { return Reserve{event, user, 2min, now}; }

    std::string value(const std::string& sql) const { return server->value(database, sql); }
    /// All ticket ids, and the counter.
    std::string tickets() const { return value("SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM tickets"); }
    std::string sold() const { return value("SELECT sold FROM inventory"); }

    /// The act happened once, and its answer is the truth.
    void expect_once(const Outcome& outcome) const
    {
        ASSERT_TRUE(std::holds_alternative<Ticket>(outcome)) << outcome.index();
        EXPECT_EQ(tickets(), std::to_string(std::get<Ticket>(outcome).id.value));
        EXPECT_EQ(sold(), "1");
        EXPECT_EQ(proxy->cuts(), 1);
    }

    inline static std::unique_ptr<PostgresServer> server;
    std::string direct;  // the server's own URL
    std::string database;
    std::optional<CuttingProxy> proxy;
    FakeZones zones;
    std::unique_ptr<Store> store;
    UserId user;
    EventId event;
    const Instant now{500'000h};
};

class UnclearCommitCut : public UnclearCommit, public testing::WithParamInterface<std::tuple<Cut, std::string>>
{
};
std::string name_of(const testing::TestParamInfo<UnclearCommitCut::ParamType>& of)
{
    constexpr const char* kNames[] = {"Before", "After", "Answered"};
    const auto& [cut, key] = of.param;
    return kNames[static_cast<std::size_t>(cut)] + std::string(key.empty() ? "" : "WithKey");
}
INSTANTIATE_TEST_SUITE_P(Everywhere, UnclearCommitCut,
                         testing::Combine(testing::Values(Cut::before, Cut::after, Cut::answered), testing::Values("", "key")),
                         name_of);

TEST_P(UnclearCommitCut, HappensOnceAndIsAnsweredRightly)
{
    const auto& [cut, key] = GetParam();
    proxy->cut_next_commit(cut);
    const Outcome outcome = act(reserve(), key);
    expect_once(outcome);
    EXPECT_EQ(value("SELECT count(*) FROM kept_answers"), key.empty() ? "0" : "1");
    if (key.empty()) return;
    const Outcome again = act(reserve(), key);
    ASSERT_TRUE(std::holds_alternative<KeptAnswer>(again));
    EXPECT_EQ(std::get<KeptAnswer>(again).bytes, tickets());
}

TEST_P(UnclearCommitCut, HappensOnceWhenTheServerIsKilledAtThatMoment)
{
    const auto& [cut, key] = GetParam();
    std::latch killed(1);
    proxy->cut_next_commit(cut, [&] {
        server->kill();
        killed.count_down();
    });
    auto outcome = std::async(std::launch::async, [&] { return act(reserve(), key); });
    killed.wait();
    server->start();
    expect_once(outcome.get());
    EXPECT_EQ(value("SELECT count(*) FROM kept_answers"), key.empty() ? "0" : "1");
}

TEST_P(UnclearCommitCut, IsToldAsUnclearWhenNobodyCanBeAskedForTooLong)
{
    const auto& [cut, key] = GetParam();
    open(1s);
    // Closed off on another thread than the proxy's, which would wait for itself.
    std::latch reached(1), closed(1);
    proxy->cut_next_commit(cut, [&] {
        reached.count_down();
        closed.wait();
    });
    auto outcome = std::async(std::launch::async, [&] { return act(reserve(), key); });
    reached.wait();
    proxy->close_off();
    closed.count_down();
    try {
        (void)outcome.get();
        FAIL() << "told what it cannot know";
    } catch (const StoreFailure& failure) {
        EXPECT_TRUE(failure.unclear()) << failure.what();
        EXPECT_EQ(failure.code(), Code::storage_failed);
    }
    proxy->reopen();
    // A client that repeats it with the same key has it once all the same; without a key it is once or twice.
    const Outcome again = act(reserve(), key);
    const std::string made = cut == Cut::before || !key.empty() ? "1" : "2";
    EXPECT_EQ(value("SELECT count(*) FROM tickets"), made);
    EXPECT_EQ(sold(), made);
    if (!key.empty()) EXPECT_EQ(std::holds_alternative<KeptAnswer>(again), cut != Cut::before);
}

TEST_F(UnclearCommit, IsToldAsUndoneWhenNothingWasSentToAServerThatIsAway)
{
    open(1s);
    proxy->close_off();
    try {
        (void)act(reserve());
        FAIL() << "told what it cannot know";
    } catch (const StoreFailure& failure) {
        EXPECT_FALSE(failure.unclear()) << failure.what();
        EXPECT_TRUE(failure.unavailable()) << failure.what();
        EXPECT_EQ(failure.code(), Code::storage_failed);
    }
    proxy->reopen();
    EXPECT_EQ(tickets(), "");
    EXPECT_TRUE(std::holds_alternative<Ticket>(act(reserve())));
}

TEST_F(UnclearCommit, AnOutageIsWaitedForOnceAndNotByEachWhoComes)
{
    open(1s);
    proxy->close_off();
    const auto begin = std::chrono::steady_clock::now();
    constexpr int kActs = 20;
    for (int i = 0; i < kActs; ++i) EXPECT_THROW((void)act(reserve()), StoreFailure);
    // A second each would be twenty; refused connections take no time.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
    proxy->reopen();
    EXPECT_TRUE(std::holds_alternative<Ticket>(act(reserve())));
    EXPECT_EQ(sold(), "1");
}

TEST_F(UnclearCommit, ANodeThatIsFrozenInATransactionKeepsNobodyFromItsEvent)
{
    open(20s, 300ms);
    std::latch frozen(1), thawed(1);
    proxy->cut_next_commit(Cut::late, [&] {
        frozen.count_down();
        thawed.wait();
    });
    auto outcome = std::async(std::launch::async, [&] { return act(reserve()); });
    frozen.wait();
    const auto other = open_postgres(one_lane_at(direct), zones);
    EXPECT_NO_THROW(EXPECT_TRUE(std::holds_alternative<Ticket>(act_on(*other, reserve()))));
    thawed.count_down();
    EXPECT_TRUE(std::holds_alternative<Ticket>(outcome.get()));
    EXPECT_EQ(sold(), "2");
    EXPECT_EQ(value("SELECT count(*) FROM tickets"), "2");
}

TEST_F(UnclearCommit, ATransactionThatIsStillAtWorkWhenItsNodeAsksIsLostForGood)
{
    // Another session's open transaction keeps the last pipeline from getting through: it is about to say that the event is sold
    // out.
    (void)act([&] {
        ChangeEvent change{event, user, {}, now};
        change.patch.total_tickets = 1;
        return change;
    }());
    std::thread blocker([&] {
        server->rows(database,
                     "BEGIN; INSERT INTO sold_out VALUES (" + std::to_string(event.value) +
                         "); CREATE TABLE in_the_way (); DO $$ BEGIN WHILE NOT EXISTS (SELECT 1 FROM batches WHERE lost) "
                         "LOOP PERFORM pg_sleep(0.01); END LOOP; END $$; ROLLBACK");
    });
    const auto give_up = std::chrono::steady_clock::now() + 20s;
    while (value("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND locktype = 'relation'") == "0" &&
           std::chrono::steady_clock::now() < give_up)
        std::this_thread::yield();
    proxy->cut_next_commit(Cut::after);
    const Outcome outcome = act(reserve());
    blocker.join();
    expect_once(outcome);
    EXPECT_EQ(value("SELECT count(*) FROM batches WHERE lost"), "1");
    EXPECT_EQ(value("SELECT count(*) FROM sold_out"), "1");
}

TEST_F(UnclearCommit, EffectsTakenByACommitWhoseAnswerWasLostAreTakenAgainWhenTheirTimeIsUp)
{
    const auto ticket = std::get<Ticket>(act(reserve()));
    (void)act(Pay{ticket.id, user, "r", now});
    proxy->cut_next_commit(Cut::answered);
    EXPECT_TRUE(std::get<Effects>(act(TakeEffects{now, 10, now + 1min})).taken.empty());
    EXPECT_TRUE(std::get<Effects>(act(TakeEffects{now, 10, now + 1min})).taken.empty());
    EXPECT_EQ(std::get<Effects>(act(TakeEffects{now + 1min, 10, now + 2min})).taken.size(), 1u);
}

TEST_F(UnclearCommit, ARefusalNeedsNoCommitToBeTrue)
{
    for (int i = 0; i < 10; ++i) (void)act(reserve());
    proxy->cut_next_commit(Cut::before);
    const Outcome outcome = act(reserve());
    ASSERT_TRUE(std::holds_alternative<Error>(outcome));
    EXPECT_EQ(std::get<Error>(outcome).code, Code::sold_out);
    EXPECT_EQ(sold(), "10");
}

}  // namespace
}  // namespace boxoffice
