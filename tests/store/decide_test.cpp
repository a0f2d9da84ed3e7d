// What a batch is decided to do, as the changes that every engine writes.
#include "core/decide.hpp"

#include <gtest/gtest.h>

#include "core/deciding.hpp"
#include "drafts.hpp"
#include "fake_zones.hpp"
#include "memory/memory.hpp"
#include "memory/tables.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

template <class A>
concept MayAskForReferences = requires(Known<A> known, const std::string& text) { known.ticket_paid_with(text); };
static_assert(MayAskForReferences<Pay>);
static_assert(!MayAskForReferences<Cancel>, "what an act has not stated as its needs cannot be looked up");
template <class A>
concept HasNeeds = requires(const A& act) { needs_of(act); };
struct Unstated {
};
static_assert(HasNeeds<Reserve> && !HasNeeds<Unstated>);
static_assert(kLocksARow<Cancel> && !kLocksARow<AddEvent>);

/// An event with two seats, a buyer, and what is decided about them.
class Decide : public testing::Test
{
protected:
    Decide()
    {
        user = std::get<User>(execute(AddUser{"a@b.co", "a", "!", {}, now})).id;
        event = std::get<Event>(execute(AddEvent{user, draft_of("Jazz", 2, now + 24h), now})).id;
    }
    Outcome execute(Act act)
    {
        WriteJob job{std::move(act), {}, {}};
        WriteJob* const jobs[] = {&job};
        store->execute(jobs);
        return job.outcome;
    }
    Ticket hold() { return std::get<Ticket>(execute(Reserve{event, user, 1min, now})); }

    Changes decided(std::initializer_list<WriteJob*> jobs)
    {
        memory::TableFacts facts(*tables);
        return decide(std::span(jobs.begin(), jobs.size()), facts, {zones});
    }

    FakeZones zones;
    std::shared_ptr<memory::Tables> tables = make_memory_tables();
    std::unique_ptr<Store> store = open_memory(tables, {}, zones);
    Instant now{500'000h};
    UserId user;
    EventId event;
};

TEST_F(Decide, ChangesEachRowOnceHoweverManyActsAreAboutIt)
{
    const Ticket ticket = hold();
    WriteJob lapse{ExpireHolds{now + 2min, 10}, {}, {}};
    WriteJob pay{Pay{ticket.id, user, "r", now}, {}, {}};
    WriteJob another{Reserve{event, user, 1min, now + 2min}, {}, {}};
    const Changes changes = decided({&lapse, &pay, &another});
    ASSERT_EQ(changes.tickets_changed.size(), 1u);
    EXPECT_EQ(changes.tickets_changed[0].from, TicketStatus::reserved);
    EXPECT_EQ(changes.tickets_changed[0].to, TicketStatus::paid);
    EXPECT_EQ(changes.tickets_changed[0].payment.value().reference, "r");
    ASSERT_EQ(changes.stocks.size(), 1u);
    EXPECT_EQ(changes.stocks[0].sold_now, 1) << "lapsed, taken again, and one more";
    EXPECT_TRUE(changes.stocks[0].is_full() && !changes.stocks[0].was_full);
    EXPECT_EQ(changes.reserved(), 0);
    EXPECT_EQ(changes.effects.size(), 2u);
    EXPECT_TRUE(lapse.made_effects && pay.made_effects && !another.made_effects);
}

TEST_F(Decide, WritesNothingOfWhatItRefuses)
{
    hold();
    hold();
    WriteJob late{Reserve{event, user, 1min, now}, {}, {}};
    WriteJob strange{Cancel{TicketId{1}, UserId{77}, now}, {}, {}};
    const Changes changes = decided({&late, &strange});
    EXPECT_EQ(std::get<Error>(late.outcome).code, Code::sold_out);
    EXPECT_EQ(std::get<Error>(strange.outcome).code, Code::not_found);
    EXPECT_TRUE(changes.tickets_added.empty() && changes.tickets_changed.empty() && changes.stocks.empty());
}

/// As an engine that has not locked the counters.
class WithoutCounters final : public Facts
{
public:
    explicit WithoutCounters(memory::Tables& tables) : all_(tables) {}
    std::optional<StockRow> stock(EventId) override { throw NotGathered(); }
    std::optional<Event> event(EventId event) override { return all_.event(event); }
    std::optional<Ticket> ticket(TicketId ticket) override { return all_.ticket(ticket); }
    std::optional<TicketId> ticket_paid_with(std::string_view reference) override { return all_.ticket_paid_with(reference); }
    std::optional<Account> user(UserId user) override { return all_.user(user); }
    bool has_user(UserId user) override { return all_.has_user(user); }
    bool has_mailbox(std::string_view folded, std::string_view key) override { return all_.has_mailbox(folded, key); }
    std::optional<Instant> nth_newest_event(UserId by, std::int64_t nth) override { return all_.nth_newest_event(by, nth); }
    std::optional<KeptRow> kept_answer(UserId user, std::string_view key, Instant forgotten) override
    {
        return all_.kept_answer(user, key, forgotten);
    }
    bool offer_due_holds_of(EventId event, Instant now, const TakeHold& take) override
    {
        return all_.offer_due_holds_of(event, now, take);
    }
    bool offer_due_holds(Instant now, const TakeHold& take) override { return all_.offer_due_holds(now, take); }
    std::int64_t next_id(Numbered what) override { return all_.next_id(what); }

private:
    memory::TableFacts all_;
};

TEST_F(Decide, PutsOffWhatWasNotGatheredAndNothingElse)
{
    const Ticket ticket = hold();
    WriteJob cancel{Cancel{ticket.id, user, now}, {}, {}};
    EventPatch patch;
    patch.title = "Blues";
    WriteJob change{ChangeEvent{event, user, patch, now}, {}, {}};
    WriteJob remove{RemoveEvent{event, user, now}, {}, {}};
    WriteJob pay{Pay{ticket.id, user, "r", now}, {}, {}};
    WithoutCounters facts(*tables);
    WriteJob* const jobs[] = {&cancel, &change, &remove, &pay};
    EXPECT_THROW((void)decide(jobs, facts, {zones}), StoreFailure) << "who would bring it again?";
    for (WriteJob* const job : jobs) job->deferrable = true;
    const Changes changes = decide(jobs, facts, {zones});
    for (const WriteJob* const job : {&cancel, &change, &remove}) EXPECT_EQ(job->deferred, Deferred::unfinished);
    EXPECT_EQ(std::get<Ticket>(pay.outcome).status, TicketStatus::paid);
    EXPECT_EQ(changes.tickets_changed.size(), 1u);
    EXPECT_EQ(changes.effects.size(), 1u);
    EXPECT_FALSE(changes.changes_catalogue());
}

TEST_F(Decide, RendersAnAnswerOnceAndNoneThatComesLater)
{
    int rendered = 0;
    const IdempotencyClaim claim{user, "k", "f", now, [&](const Outcome&) { return ++rendered, KeptAnswer{"kept"}; }};
    WriteJob first{Reserve{event, user, 1min, now}, claim, {}};
    WriteJob repeated{Reserve{event, user, 1min, now}, claim, {}};
    const Changes changes = decided({&first, &repeated});
    EXPECT_EQ(rendered, 1);
    EXPECT_EQ(changes.answers.size(), 1u);
    EXPECT_EQ(changes.tickets_added.size(), 1u);
    EXPECT_EQ(std::get<KeptAnswer>(repeated.outcome).bytes, "kept");
}

}  // namespace
}  // namespace boxoffice
