// The whole store against a model that is too simple to be wrong: one thread, a seeded dice, a clock set by hand, failures and
// restarts thrown in. A failure prints its seed; SIMULATION_SEED=n replays it, SIMULATION_ROUNDS=n runs more of them.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <unordered_map>

#include "drafts.hpp"
#include "store/engines.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

/// A user may add so many events a day here.
constexpr std::int64_t kEventsADay = 4;

struct ModelEvent {
    std::int64_t total = 0;
    Instant start, end;
    std::int64_t version = 1;
    UserId organizer;
    bool removed = false;
    std::vector<TicketId> tickets{};
};

struct ModelAnswer {
    std::string fingerprint;
    std::string bytes;
    Instant at;
};

/// What is kept of an answer: enough to tell it from any other.
std::string words_of(const Outcome& outcome)
{
    if (const auto* const error = std::get_if<Error>(&outcome)) return std::string(code_word(error->code));
    if (const auto* const ticket = std::get_if<Ticket>(&outcome))
        return fmt::format("ticket {} {}", ticket->id.value, status_word(ticket->status));
    if (const auto* const event = std::get_if<Event>(&outcome))
        return fmt::format("event {} {}", event->id.value, event->version);
    return fmt::format("{}", outcome.index());
}

class Simulation : public StoreTest
{
protected:
    std::uint64_t dice(std::uint64_t sides) { return random() % sides; }

    /// What the rules say the store must have answered, from the model alone: a word, "ok" for yes.
    std::string expect(const Act& act)
    {
        if (const auto* reserve = std::get_if<Reserve>(&act)) {
            ModelEvent& event = events.at(reserve->event);
            if (event.removed) return "not_found";
            if (reserve->now >= event.end) return "event_over";
            return live(reserve->event, reserve->now) < event.total ? "ok" : "sold_out";
        }
        if (const auto* pay = std::get_if<Pay>(&act)) {
            Ticket& ticket = tickets.at(pay->ticket);
            if (ticket.user_id != pay->user) return "not_found";
            if (ticket.status == TicketStatus::paid) return ticket.payment_reference == pay->reference ? "ok" : "already_paid";
            if (ticket.status == TicketStatus::cancelled) return "cancelled";
            if (pay->now >= ticket.expires_at) return "hold_expired";
            if (references.contains(pay->reference)) return "reference_used";
            // In time, and paid if there is any seat: of its own hold, or one that was not taken meanwhile.
            if (events.at(ticket.event_id).removed) return "hold_expired";
            if (!dead(ticket, pay->now)) return "ok";
            return perhaps_live(ticket.event_id) <= events.at(ticket.event_id).total ? "ok" : "paid or late";
        }
        if (const auto* cancel = std::get_if<Cancel>(&act)) {
            Ticket& ticket = tickets.at(cancel->ticket);
            if (ticket.user_id != cancel->user) return "not_found";
            if (ticket.status == TicketStatus::paid) return "already_paid";
            if (ticket.status == TicketStatus::cancelled) return "cancelled";
            return cancel->now >= ticket.expires_at ? "hold_expired" : "ok";
        }
        if (const auto* change = std::get_if<ChangeEvent>(&act)) return expect_change(*change);
        if (const auto* remove = std::get_if<RemoveEvent>(&act)) {
            const ModelEvent& event = events.at(remove->event);
            if (event.removed) return "not_found";
            if (event.organizer != remove->by) return "not_organizer";
            return live(remove->event, remove->now) > 0 ? "has_tickets" : "ok";
        }
        if (const auto* add = std::get_if<AddUser>(&act)) return mailboxes.contains(add->email) ? "email_taken" : "ok";
        if (const auto* add = std::get_if<AddEvent>(&act)) {
            const auto& times = added[add->organizer];
            const auto recent = std::count_if(times.begin(), times.end(), [&](Instant at) { return at + 24h > add->now; });
            return recent < kEventsADay ? "ok" : "rate_limited";
        }
        return "ok";
    }

    std::string expect_change(const ChangeEvent& change)
    {
        const ModelEvent& event = events.at(change.event);
        if (event.removed) return "not_found";
        if (event.organizer != change.by) return "not_organizer";
        if (change.only_at && change.only_at->front() != event.version) return "precondition_failed";
        if (change.patch.end_time) {
            const Instant end = std::get<Instant>(*change.patch.end_time);
            const Instant start = change.patch.start_time ? std::get<Instant>(*change.patch.start_time) : event.start;
            if (end <= change.now || end <= start) return "invalid";
        }
        // Judged on the counter, which may still hold due tickets: both answers are right until the expiry worker has been.
        const std::int64_t total = change.patch.total_tickets.value_or(event.total);
        if (total >= perhaps_live(change.event)) return "ok";
        return total < live(change.event, change.now) ? "below_sold" : "either";
    }

    bool dead(const Ticket& ticket, Instant at) const
    {
        return ticket.status == TicketStatus::expired ||
               (ticket.status == TicketStatus::reserved && (at >= ticket.expires_at || lapsed_by_anyone(ticket)));
    }
    /// A hold that was due at the latest act may have been lapsed by it: set the clock back and it stays dead.
    bool lapsed_by_anyone(const Ticket& ticket) const { return ticket.expires_at <= latest; }

    std::int64_t live(EventId event, Instant at) const
    {
        const auto& of = events.at(event).tickets;
        return std::count_if(of.begin(), of.end(), [&](TicketId id) {
            const Ticket& ticket = tickets.at(id);
            return ticket.status == TicketStatus::paid || (ticket.status == TicketStatus::reserved && !dead(ticket, at));
        });
    }
    /// The same with the holds whose time is up, which the store may or may not have lapsed by now.
    std::int64_t perhaps_live(EventId event) const
    {
        const auto& of = events.at(event).tickets;
        return std::count_if(of.begin(), of.end(), [&](TicketId id) {
            const Ticket& ticket = tickets.at(id);
            return ticket.status == TicketStatus::paid || ticket.status == TicketStatus::reserved;
        });
    }

    void learn(const Act& act, const Outcome& outcome)
    {
        if (const auto* ticket = std::get_if<Ticket>(&outcome)) {
            if (tickets.insert_or_assign(ticket->id, *ticket).second) {
                events.at(ticket->event_id).tickets.push_back(ticket->id);
                ticket_ids.push_back(ticket->id);
            }
            if (ticket->payment_reference) references[*ticket->payment_reference] = ticket->id;
        }
        if (const auto* event = std::get_if<Event>(&outcome)) learn(*event);
        if (const auto* add = std::get_if<AddUser>(&act); add && std::holds_alternative<User>(outcome))
            mailboxes.insert(add->email);
        if (const auto* remove = std::get_if<RemoveEvent>(&act); remove && std::holds_alternative<Done>(outcome))
            events[remove->event].removed = true;
    }
    void learn(const Event& event)
    {
        ModelEvent& model = events[event.id];
        if (model.organizer == UserId{}) {
            event_ids.push_back(event.id);
            added[event.organizer_id].push_back(event.created_at);
        }
        model.total = event.total_tickets;
        model.start = event.start_time;
        model.end = event.end_time;
        model.version = event.version;
        model.organizer = event.organizer_id;
    }

    Act any_act()
    {
        const EventId event = event_ids[dice(event_ids.size())];
        const UserId user = users[dice(users.size())];
        const std::uint64_t roll = dice(100);
        if (roll < 50 || ticket_ids.empty()) return Reserve{event, user, Micros(1 + dice(60'000'000)), now};
        const Ticket& ticket = tickets.at(ticket_ids[dice(ticket_ids.size())]);
        const UserId payer = dice(10) ? ticket.user_id : user;
        // Now and then it has waited since long before the acts that come with it.
        const Instant arrived = dice(2) ? now : now - Micros(dice(90'000'000));
        if (roll < 70) return Pay{ticket.id, payer, "ref" + std::to_string(dice(200)), arrived};
        if (roll < 82) return Cancel{ticket.id, payer, arrived};
        if (roll < 89) return ExpireHolds{now, 1 + dice(20)};
        if (roll < 95) return any_change(event);
        if (roll < 97) return RemoveEvent{event, any_organizer(event), now};
        if (roll == 97) return AddUser{"person" + std::to_string(dice(20)) + "@example.org", "somebody", "!", {}, now};
        if (roll == 98)
            return AddEvent{user, draft_of("Jazz", 1 + static_cast<std::int64_t>(dice(8)), now + 24h), now, kEventsADay};
        return ForgetAnswers{now - 24h, 5};
    }
    UserId any_organizer(EventId event) { return dice(12) ? events.at(event).organizer : users[dice(users.size())]; }
    Act any_change(EventId event)
    {
        ChangeEvent change{event, any_organizer(event), {}, now};
        if (dice(8)) change.patch.total_tickets = static_cast<std::int64_t>(1 + dice(12));
        if (dice(10) == 0) change.patch.end_time = now + Micros(dice(40) * 30'000'000) - 1min;
        if (change.patch.end_time && dice(4)) change.patch.start_time = now - 2h;
        if (dice(4) == 0) change.only_at = {{events.at(event).version - static_cast<std::int64_t>(dice(2))}};
        return change;
    }

    void check_counters()
    {
        for (const auto& [id, model] : events) {
            const auto event_now = store().find_event(id);
            ASSERT_EQ(event_now.has_value(), !model.removed);
            if (!event_now) continue;
            std::int64_t stored_live = 0;
            for (const TicketId ticket_id : model.tickets) {
                const Ticket& ticket = tickets.at(ticket_id);
                const auto status = store().find_ticket(ticket_id)->ticket.status;
                stored_live += status == TicketStatus::paid || status == TicketStatus::reserved ? 1 : 0;
                if (ticket.status == TicketStatus::paid || ticket.status == TicketStatus::cancelled)
                    ASSERT_EQ(status, ticket.status);
            }
            ASSERT_EQ(event_now->tickets_sold, stored_live) << "the counter of event " << id.value;
            ASSERT_LE(event_now->tickets_sold, event_now->total_tickets);
            ASSERT_GE(event_now->tickets_sold, live(id, now));
        }
    }

    void begin(std::uint64_t seed)
    {
        random.seed(seed);
        home = GetParam().make();
        events.clear();
        event_ids.clear();
        tickets.clear();
        ticket_ids.clear();
        references.clear();
        users.clear();
        mailboxes.clear();
        added.clear();
        answers.clear();
        organizer = UserId{};
        latest = Instant{};
        now = Instant(500'000h);
        for (int i = 0; i < 5; ++i) users.push_back(person("person" + std::to_string(i)));
        for (int i = 0; i < 5; ++i) mailboxes.insert("person" + std::to_string(i) + "@example.org");
        for (int i = 0; i < 4; ++i) learn(*store().find_event(event(static_cast<std::int64_t>(1 + dice(8)))));
    }

    void run(std::uint64_t seed)
    {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        begin(seed);
        for (int step = 0; step < 400 && !HasFailure(); ++step) {
            // Mostly forward, now and then back: a clock that is set back resurrects nothing.
            if (dice(3) == 0) now += Micros(dice(20'000'000));
            if (dice(40) == 0) now -= Micros(dice(30'000'000));
            if (dice(400) == 0) now += 13h;
            std::vector<WriteJob> jobs(1 + dice(6));
            for (WriteJob& job : jobs) job.act = any_act();
            if (dice(6) == 0) jobs.front().claim = any_claim();
            const bool accident = dice(15) == 0;
            if (accident) {
                jobs.back().claim = IdempotencyClaim{users[0], "poison" + std::to_string(step), "f", now,
                                                     [](const Outcome&) -> KeptAnswer { throw std::runtime_error("poison"); }};
            }
            execute(jobs, accident);
            acts += jobs.size();
            if (dice(50) == 0) home->reopen();
            if (step % 20 == 0) check_counters();
        }
        check_counters();
        check_effects();
        // Once every hold is due and expired, exactly the paid tickets are left.
        now = std::max(now, latest) + 2h;
        while (must<ExpiredHolds>(ExpireHolds{now, 100}).more) {}
        latest = now;
        check_counters();
        for (const auto& [id, model] : events) {
            if (!model.removed) EXPECT_EQ(sold(id), live(id, now));
        }
    }

    IdempotencyClaim any_claim()
    {
        return {users[dice(2)], "key" + std::to_string(dice(40)), dice(4) ? "f" : "g", now,
                [](const Outcome& outcome) { return KeptAnswer{words_of(outcome)}; }};
    }

    /// The batch as one transaction; with a failure in it, nothing of it, as in the lane.
    void execute(std::vector<WriteJob>& jobs, bool accident)
    {
        std::vector<WriteJob*> batch;
        for (WriteJob& job : jobs) batch.push_back(&job);
        if (accident) {
            EXPECT_THROW(store().execute(batch), std::runtime_error);
            return;
        }
        store().execute(batch);
        for (const WriteJob& job : jobs) {
            if (job.claim && was_answered(job)) continue;
            const auto* const error = std::get_if<Error>(&job.outcome);
            const std::string said = error ? std::string(code_word(error->code)) : "ok";
            const std::string expected = expect_in_order(job.act);
            // A hold that came due may have been lapsed by a neighbour in the batch before a clock set back: either is told.
            if (expected == "paid or late")
                EXPECT_TRUE(said == "ok" || said == "hold_expired") << said;
            else if (expected != "either")
                EXPECT_EQ(said, expected) << "act " << job.act.index();
            learn(job.act, job.outcome);
            if (error == nullptr || std::holds_alternative<ExpireHolds>(job.act)) latest = std::max(latest, time_of(job.act));
        }
    }

    /// Whether the request's key has been answered before; then that answer has to be told again, and nothing to have happened.
    bool was_answered(const WriteJob& job)
    {
        const IdempotencyClaim& claim = *job.claim;
        const auto known = answers.find({claim.user, claim.key});
        if (known == answers.end() || known->second.at <= claim.now - 24h) {
            const bool is_upkeep = std::holds_alternative<ForgetAnswers>(job.act);  // which no request asks for
            if (is_final(job.outcome))
                answers[{claim.user, claim.key}] = {claim.fingerprint, words_of(is_upkeep ? Outcome(Done{}) : job.outcome),
                                                    claim.now};
            return false;
        }
        const auto* const kept = std::get_if<KeptAnswer>(&job.outcome);
        const auto* const error = std::get_if<Error>(&job.outcome);
        if (known->second.fingerprint != claim.fingerprint)
            EXPECT_TRUE(error && error->code == Code::idempotency_key_reused) << words_of(job.outcome);
        else
            EXPECT_TRUE(kept && kept->bytes == known->second.bytes) << words_of(job.outcome) << " for " << known->second.bytes;
        return true;
    }

    /// Each payment is told of once; and of holds that have lapsed no user is told twice.
    void check_effects()
    {
        std::map<std::pair<EffectKind, TicketId>, int> told;
        const Instant later = std::max(now, latest) + 1h;
        for (bool more = true; more;) {
            const Effects effects = must<Effects>(TakeEffects{later, 1000, later + 1h});
            more = !effects.taken.empty();
            for (const Effect& effect : effects.taken) {
                for (const TicketId ticket : effect.tickets) ++told[{effect.kind, ticket}];
            }
        }
        for (const TicketId id : ticket_ids) {
            const bool paid = tickets.at(id).status == TicketStatus::paid;
            const bool lapsed = store().find_ticket(id)->ticket.status == TicketStatus::expired;
            EXPECT_EQ((told[{EffectKind::ticket_paid, id}]), paid ? 1 : 0) << id.value;
            EXPECT_LE((told[{EffectKind::hold_expired, id}]), 1) << id.value;
            if (lapsed) EXPECT_EQ((told[{EffectKind::hold_expired, id}]), 1) << id.value;
        }
    }

    /// Whether a due hold was lapsed by an earlier act cannot be seen from outside while the clock is behind: the model asks
    /// the store for such tickets, and only for those.
    std::string expect_in_order(const Act& act)
    {
        // Payments and cancellations are judged by when they arrived, whatever has happened since.
        const bool by_arrival = std::holds_alternative<Pay>(act) || std::holds_alternative<Cancel>(act);
        return by_arrival || time_of(act) >= latest ? expect(act) : "either";
    }

    static Instant time_of(const Act& act)
    {
        return std::visit(
            [](const auto& what) {
                if constexpr (requires { what.now; })
                    return what.now;
                else
                    return Instant{};
            },
            act);
    }

    std::mt19937_64 random;
    std::map<EventId, ModelEvent> events;
    std::vector<EventId> event_ids;
    std::unordered_map<TicketId, Ticket> tickets;
    std::vector<TicketId> ticket_ids;
    std::set<std::string> mailboxes;
    std::map<UserId, std::vector<Instant>> added;
    std::map<std::pair<UserId, std::string>, ModelAnswer> answers;
    std::size_t acts = 0;
    std::map<std::string, TicketId> references;
    std::vector<UserId> users;
    Instant latest;
};
INSTANTIATE_TEST_SUITE_P(Engines, Simulation, testing::ValuesIn(engines()), [](const auto& engine) { return engine.param.name; });

TEST_P(Simulation, KeepsItsInvariantsThroughAccidentsRestartsAndClockJumps)
{
    if (const char* seed = std::getenv("SIMULATION_SEED")) return run(std::strtoull(seed, nullptr, 10));
    const char* const wanted = std::getenv("SIMULATION_ROUNDS");
    // A round asks the store ten thousand questions, each a round trip where the store is a server.
    const std::map<std::string, int> by_default{{"sqlite", 12}, {"postgres", 3}, {"memory", 100}};
    const int rounds = wanted ? std::atoi(wanted) : by_default.at(GetParam().name);
    const auto begun = std::chrono::steady_clock::now();
    for (int round = 0; round < rounds && !HasFailure(); ++round) run(20261122 + static_cast<std::uint64_t>(round));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    RecordProperty("acts_a_second", static_cast<int>(static_cast<double>(acts) / took.count()));
}

}  // namespace
}  // namespace boxoffice
