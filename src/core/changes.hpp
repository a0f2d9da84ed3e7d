#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/effects.hpp"
#include "core/facts.hpp"
#include "core/model.hpp"

namespace boxoffice
{

struct NewAccount {
    Account row;
    std::string folded;  // the address as it is compared
    std::string key;     // and its mailbox
};

struct UserChange {
    Account row;
    Instant at;
};

struct EventChange {
    Event event;         // as it is from now on
    bool texts = false;  // title, description or address are others, and so are the words
};

struct EventRemoval {
    EventId event;
    Instant at;
};

/// From one status, which the row must still have, to another.
struct TicketChange {
    TicketId ticket;
    TicketStatus from = TicketStatus::reserved;
    TicketStatus to = TicketStatus::reserved;
    struct Payment {
        Instant at;
        std::string reference;
    };
    std::optional<Payment> payment{};  // with `to` paid
    std::optional<UserId> owner{};     // from now on, if it is another
};

/// An event's counter, which must stay within 0 and `total`.
struct StockChange {
    EventId event;
    std::int64_t sold_now = 0;  // more than the row has; negative: fewer
    StockRow row;               // as it is from now on
    bool was_full = false;
    [[nodiscard]] bool is_full() const { return row.sold >= row.total; }
};

struct NewEffect {
    EffectKind kind = EffectKind::ticket_paid;
    EventId event;
    std::vector<TicketId> tickets;  // at most kTicketsToAnEffect
    Instant made_at;
};

/// Its key and fingerprint are the claim's, which outlives it.
struct NewAnswer {
    UserId user;
    std::string_view key, fingerprint;
    std::string bytes;
    Instant at;
};

/// What a batch does to the store, row by row and no act any more. An engine writes it in this order, in one transaction, and
/// ends that unless each change found its row as it must be. Each row is changed once at most, however many acts were about it.
struct Changes {
    std::vector<NewAccount> users_added;
    std::vector<UserChange> users_changed;
    std::vector<Event> events_added;
    std::vector<EventChange> events_changed;
    std::vector<EventRemoval> events_removed;
    std::vector<Ticket> tickets_added;  // reserved
    std::vector<TicketChange> tickets_changed;
    std::vector<StockChange> stocks;
    std::vector<NewEffect> effects;
    std::vector<NewAnswer> answers;

    /// How many more tickets are reserved by it; negative: fewer.
    [[nodiscard]] std::int64_t reserved() const;
    /// Whether lists and searches find other events by it, or find events by other words.
    [[nodiscard]] bool changes_catalogue() const
    {
        return !events_added.empty() || !events_changed.empty() || !events_removed.empty();
    }
    /// The earliest deadline of the holds made.
    [[nodiscard]] std::optional<Instant> earliest_deadline() const;
};

}  // namespace boxoffice
