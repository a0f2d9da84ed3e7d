// The whole store against a model that is too simple to be wrong: one thread, a seeded dice, a clock set by hand, accidents and
// restarts thrown in. A failure prints its seed; SIMULATION_SEED=n replays it, SIMULATION_ROUNDS=n runs more of them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>

#include "store/engines.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

struct ModelEvent {
    std::int64_t total = 0;
    Instant end;
    bool removed = false;
};

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
            // In time, and paid if there is any seat: of its own hold, or one that nobody has taken meanwhile.
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
        if (const auto* change = std::get_if<ChangeEvent>(&act)) {
            if (events.at(change->event).removed) return "not_found";
            // Judged on the counter, which may still hold due tickets: both answers are right until the tidier has been.
            if (*change->patch.total_tickets >= perhaps_live(change->event)) return "ok";
            return *change->patch.total_tickets < live(change->event, change->now) ? "below_sold" : "either";
        }
        if (const auto* remove = std::get_if<RemoveEvent>(&act)) {
            if (events.at(remove->event).removed) return "not_found";
            return live(remove->event, remove->now) > 0 ? "has_tickets" : "ok";
        }
        return "ok";
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
        return std::count_if(tickets.begin(), tickets.end(), [&](const auto& entry) {
            const Ticket& ticket = entry.second;
            return ticket.event_id == event &&
                   (ticket.status == TicketStatus::paid || (ticket.status == TicketStatus::reserved && !dead(ticket, at)));
        });
    }
    /// The same with the holds whose time is up, which the store may or may not have lapsed by now.
    std::int64_t perhaps_live(EventId event) const
    {
        return std::count_if(tickets.begin(), tickets.end(), [&](const auto& entry) {
            const Ticket& ticket = entry.second;
            return ticket.event_id == event && (ticket.status == TicketStatus::paid || ticket.status == TicketStatus::reserved);
        });
    }

    void learn(const Act& act, const Outcome& outcome)
    {
        if (const auto* ticket = std::get_if<Ticket>(&outcome)) {
            tickets[ticket->id] = *ticket;
            if (ticket->payment_reference) references[*ticket->payment_reference] = ticket->id;
        }
        if (const auto* event = std::get_if<Event>(&outcome)) events[event->id] = {event->total_tickets, event->end_time, false};
        if (const auto* remove = std::get_if<RemoveEvent>(&act); remove && std::holds_alternative<Done>(outcome))
            events[remove->event].removed = true;
    }

    Act any_act()
    {
        const EventId event = pick(events);
        const UserId user = users[dice(users.size())];
        const bool has_ticket = !tickets.empty();
        const std::uint64_t roll = dice(100);
        if (roll < 50 || !has_ticket) return Reserve{event, user, Micros(1 + dice(60'000'000)), now};
        const Ticket& ticket = std::next(tickets.begin(), static_cast<std::ptrdiff_t>(dice(tickets.size())))->second;
        const UserId payer = dice(10) ? ticket.user_id : user;
        // Now and then it has waited since long before the acts that come with it.
        const Instant arrived = dice(2) ? now : now - Micros(dice(90'000'000));
        if (roll < 70) return Pay{ticket.id, payer, "ref" + std::to_string(dice(200)), arrived};
        if (roll < 82) return Cancel{ticket.id, payer, arrived};
        if (roll < 90) return LapseDue{now, 1 + dice(20)};
        if (roll < 96) {
            ChangeEvent change{event, organizer, {}, now};
            change.patch.total_tickets = static_cast<std::int64_t>(1 + dice(12));
            return change;
        }
        if (roll < 98) return RemoveEvent{event, organizer, now};
        return ForgetAnswers{now - 24h, 5};
    }
    EventId pick(const std::map<EventId, ModelEvent>& from)
    {
        return std::next(from.begin(), static_cast<std::ptrdiff_t>(dice(from.size())))->first;
    }

    void check_counters()
    {
        for (const auto& [id, model] : events) {
            const auto event_now = store().find_event(id);
            ASSERT_EQ(event_now.has_value(), !model.removed);
            if (!event_now) continue;
            std::int64_t stored_live = 0;
            for (const auto& [ticket_id, ticket] : tickets) {
                if (ticket.event_id != id) continue;
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

    void run(std::uint64_t seed)
    {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        random.seed(seed);
        home = GetParam().make();
        events.clear();
        tickets.clear();
        references.clear();
        users.clear();
        organizer = UserId{};
        latest = Instant{};
        now = Instant(500'000h);
        for (int i = 0; i < 5; ++i) users.push_back(person("person" + std::to_string(i)));
        for (int i = 0; i < 4; ++i) {
            const EventId id = event(static_cast<std::int64_t>(1 + dice(8)));
            events[id] = {store().find_event(id)->total_tickets, store().find_event(id)->end_time, false};
        }
        for (int step = 0; step < 400 && !HasFailure(); ++step) {
            // Mostly forward, now and then back: a clock that is set back resurrects nothing.
            if (dice(3) == 0) now += Micros(dice(20'000'000));
            if (dice(40) == 0) now -= Micros(dice(30'000'000));
            std::vector<WriteJob> jobs(1 + dice(6));
            for (WriteJob& job : jobs) job.act = any_act();
            const bool accident = dice(15) == 0;
            if (accident) {
                jobs.back().claim = IdempotencyClaim{users[0], "poison" + std::to_string(step), "f", now,
                                                     [](const Outcome&) -> KeptAnswer { throw std::runtime_error("poison"); }};
            }
            carry_out(jobs, accident);
            if (dice(50) == 0) home->reopen();
            if (step % 20 == 0) check_counters();
        }
        check_counters();
        // Once every hold is due and tidied, exactly the paid tickets are left.
        now = std::max(now, latest) + 2h;
        while (must<Lapsed>(LapseDue{now, 100}).more) {}
        latest = now;
        check_counters();
        for (const auto& [id, model] : events) {
            if (!model.removed) EXPECT_EQ(sold(id), live(id, now));
        }
    }

    /// The batch as one transaction; with an accident in it, nothing of it, as in the lane.
    void carry_out(std::vector<WriteJob>& jobs, bool accident)
    {
        std::vector<WriteJob*> batch;
        for (WriteJob& job : jobs) batch.push_back(&job);
        if (accident) {
            EXPECT_THROW(store().carry_out(batch), std::runtime_error);
            return;
        }
        store().carry_out(batch);
        for (const WriteJob& job : jobs) {
            const auto* const error = std::get_if<Error>(&job.outcome);
            const std::string said = error ? std::string(code_word(error->code)) : "ok";
            const std::string expected = expect_in_order(job.act);
            // A hold that came due may have been lapsed by a neighbour in the batch before a clock set back: either is told.
            if (expected == "paid or late")
                EXPECT_TRUE(said == "ok" || said == "hold_expired") << said;
            else if (expected != "either")
                EXPECT_EQ(said, expected) << "act " << job.act.index();
            learn(job.act, job.outcome);
            if (error == nullptr || std::holds_alternative<LapseDue>(job.act)) latest = std::max(latest, time_of(job.act));
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
    std::map<TicketId, Ticket> tickets;
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
    const int by_default = GetParam().name == "postgres" ? 3 : 12;
    const int rounds = wanted ? std::atoi(wanted) : by_default;
    for (int round = 0; round < rounds && !HasFailure(); ++round) run(20261122 + static_cast<std::uint64_t>(round));
}

}  // namespace
}  // namespace boxoffice
