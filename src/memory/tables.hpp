#pragma once
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/changes.hpp"
#include "core/core.hpp"

namespace boxoffice::memory
{

/// Rows and their indexes. Ids count from 1 and no row goes away, so the row of an id stands at its place.
struct Tables {
    using Deadline = std::pair<Instant, TicketId>;

    struct EventRow {
        Event event;
        SalesRate pace;
        bool removed = false;
        std::set<std::string> words;
        std::set<Deadline> holds;
    };
    struct AnswerRow {
        KeptRow kept;
        Instant at;
    };
    struct EffectRow {
        Effect effect;
        Instant due_at;
        std::optional<Instant> dead_at{};
        std::string why{};
    };
    struct MailRow {
        Instant until;
        std::optional<Instant> sent_at{};
        std::string recipient{};
    };

    std::mutex mutex;  // protects all of it
    std::vector<Account> users;
    std::unordered_map<std::string, UserId> by_folded, by_key;
    std::vector<EventRow> events;
    std::unordered_map<UserId, std::vector<Instant>> added;  // when each organizer added events, in the order of ids
    std::vector<Ticket> tickets;
    std::unordered_map<UserId, std::vector<TicketId>> tickets_of;
    std::unordered_map<std::string, TicketId> by_reference;
    std::set<Deadline> holds;
    std::map<std::pair<UserId, std::string>, AnswerRow> answers;
    std::map<std::int64_t, EffectRow> outbox;
    std::int64_t last_effect = 0;
    std::map<std::string, MailRow> mails;

    /// nullptr when there is no such row; nor is an event that was removed.
    [[nodiscard]] Account* user(UserId id) { return at(users, id.value); }
    [[nodiscard]] Ticket* ticket(TicketId id) { return at(tickets, id.value); }
    [[nodiscard]] EventRow* event(EventId id)
    {
        EventRow* const row = at(events, id.value);
        return row != nullptr && !row->removed ? row : nullptr;
    }

    /// Writes the changes, all or none: throws StoreFailure when one does not find its row as it must be.
    void write(const Changes& changes);

private:
    template <class Row>
    static Row* at(std::vector<Row>& rows, std::int64_t id)
    {
        return id >= 1 && id <= static_cast<std::int64_t>(rows.size()) ? &rows[static_cast<std::size_t>(id - 1)] : nullptr;
    }
    void check(const Changes& changes);
    void write_people(const Changes& changes);
    void write_events(const Changes& changes);
    void write_tickets(const Changes& changes);
    void write_what_follows(const Changes& changes);
};

/// The facts of a batch, as the tables have them.
class TableFacts final : public Facts
{
public:
    explicit TableFacts(Tables& tables) : tables_(tables) {}

    std::optional<StockRow> stock(EventId event) override;
    std::optional<Event> event(EventId event) override;
    std::optional<Ticket> ticket(TicketId ticket) override;
    std::optional<TicketId> ticket_paid_with(std::string_view reference) override;
    std::optional<Account> user(UserId user) override;
    bool has_user(UserId user) override { return tables_.user(user) != nullptr; }
    bool has_mailbox(std::string_view folded, std::string_view key) override;
    std::optional<Instant> nth_newest_event(UserId organizer, std::int64_t nth) override;
    std::optional<KeptRow> kept_answer(UserId user, std::string_view key, Instant forgotten) override;
    bool offer_due_holds_of(EventId event, Instant now, const TakeHold& take) override;
    bool offer_due_holds(Instant now, const TakeHold& take) override;
    std::int64_t next_id(Numbered what) override;

private:
    Tables& tables_;
    std::int64_t users_given_ = 0, events_given_ = 0, tickets_given_ = 0;
};

/// The acts that are answered here and not decided in core.
class OwnActs
{
public:
    explicit OwnActs(Tables& tables) : tables_(tables) {}

    Outcome act(const Reindex&) { return Done{}; }  // nothing is of an earlier version
    Outcome act(const ForgetAnswers& act);
    Outcome act(const TakeEffects& act);
    Outcome act(const SettleEffects& act);
    Outcome act(const PostponeEffect& act);
    Outcome act(const TakeMailTurn& act);
    Outcome act(const MarkMailSent& act);

private:
    Tables& tables_;
};

}  // namespace boxoffice::memory
