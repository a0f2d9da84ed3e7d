#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/effects.hpp"
#include "core/model.hpp"
#include "core/result.hpp"

namespace boxoffice
{

/// The acts: everything that changes the store, as plain values. One act is one decision; a write lane
/// puts many of them into one transaction. Each carries `now`, read once from the Clock when the request arrived.

struct AddUser {  // -> User | email_taken
    std::string email;
    std::string name;
    std::string password_hash;
    std::optional<GeoPoint> location;
    Instant now;
};

struct ChangeUser {  // -> User | unauthenticated (the user is gone)
    UserId user;
    std::optional<std::string> name;
    bool sets_location = false;  // true with an empty `location` clears it
    std::optional<GeoPoint> location;
    Instant now;
};

/// Replaces a user's password hash by another of the same password, unless it is another one than `old_hash` by now: then, as
/// when the user is gone, nothing is changed.
struct RenewHash {  // -> Done
    UserId user;
    std::string old_hash;
    std::string new_hash;
    Instant now;
};

/// Makes what searches and logins compare, for up to `most` rows that have none, or one of an earlier version: the words of
/// events, and the keys of addresses that are not ASCII. The oldest account of a mailbox gets its key; the others have none.
struct Reindex {  // -> Done, with `more` when `most` was reached
    std::size_t most;
};

/// A time as typed: an instant, or wall time to be read in the event's zone.
using TimeInput = std::variant<Instant, LocalTime>;

/// What an organizer asks for; rules check it and turn it into an Event.
struct EventDraft : EventFields<Plain, TimeInput, Venue> {
    EventDraft() { timezone = kDefaultZone; }
};

struct PointPatch {
    std::optional<double> latitude;
    std::optional<double> longitude;
};
/// Fields of an Event to be replaced; an empty one stays as it is.
using EventPatch = EventFields<std::optional, TimeInput, VenueFields<std::optional, PointPatch>>;

struct AddEvent {  // -> Event | invalid | unauthenticated | rate_limited
    UserId organizer;
    EventDraft draft;
    Instant now;
    std::int64_t most_a_day = 0;  // events that this account may have added in 24 hours, removed ones included; 0: any number
};

/// The versions of an event that a change was meant for; without any of them it is not made. Nothing: for whatever it is now.
using OnlyAt = std::optional<std::vector<std::int64_t>>;

struct ChangeEvent {  // -> Event | not_found | not_organizer | precondition_failed | invalid | below_sold
    EventId event;
    UserId by;
    EventPatch patch;
    Instant now;
    OnlyAt only_at{};
};

struct RemoveEvent {  // -> Done | not_found | not_organizer | precondition_failed | has_tickets
    EventId event;
    UserId by;
    Instant now;
    OnlyAt only_at{};
};

struct Reserve {  // -> Ticket | not_found | event_over | sold_out | unauthenticated
    EventId event;
    UserId user;
    Micros hold;  // how long the ticket is held: expires_at = now + hold
    Instant now;
};

struct Pay {  // -> Ticket | not_found | already_paid | cancelled | hold_expired | reference_used
    TicketId ticket;
    UserId user;
    std::string reference;
    Instant now;
};

struct Cancel {  // -> Ticket | not_found | already_paid | cancelled | hold_expired
    TicketId ticket;
    UserId user;
    Instant now;
};

/// Marks up to `most` holds whose time is up as expired and gives their seats back, earliest deadline first.
struct ExpireHolds {  // -> ExpiredHolds
    Instant now;
    std::size_t most;
};

/// Drops kept answers older than `before`, at most `most` of them, and what else is kept only for a time.
struct ForgetAnswers {  // -> Done, with `more` when `most` was reached
    Instant before;
    std::size_t most;
};

/// Takes up to `most` effects that are due at `now`, earliest first, and hides them from every other taker until `until`.
struct TakeEffects {  // -> Effects
    Instant now;
    std::size_t most;
    Instant until;
    bool mail = true;  // those that needs_mail(), too
};

/// The jobs of these effects are done: forgets them. An effect that is gone already is no error.
struct SettleEffects {  // -> Done
    std::vector<std::int64_t> effects;
};

/// The job of an effect failed: counts the try, and has it taken again from `due_at` on, or never (it is dead) without one.
struct PostponeEffect {  // -> Done
    std::int64_t effect = 0;
    std::optional<Instant> due_at;
    std::string why;
    Instant now;
};

/// Asks for the turn to send the message `key`, which is the caller's alone until `until`; after sending it says MarkMailSent.
struct TakeMailTurn {  // -> MailTurn
    std::string key;
    Instant now;
    Instant until;
    std::string recipient{};  // as addresses are compared: the message counts as one of its hour; empty: it counts nowhere
    bool always = true;       // false: too_many once kMailsAnHour others went to the recipient within an hour
};

struct MarkMailSent {  // -> Done
    std::string key;
    Instant now;
};

using Act =
    std::variant<AddUser, ChangeUser, AddEvent, ChangeEvent, RemoveEvent, Reserve, Pay, Cancel, ExpireHolds, ForgetAnswers,
                 TakeEffects, SettleEffects, PostponeEffect, TakeMailTurn, MarkMailSent, RenewHash, Reindex>;

struct Done {
    bool more = false;  // there is more to do of the same
};

struct ExpiredHolds {
    std::vector<Instant> deadlines;  // of the holds lapsed now, for the release-lag metric
    std::vector<EventId> events;     // whose seats came back; each once
    bool more = false;               // true when `most` was reached and others are due
};

struct Effects {
    std::vector<Effect> taken;
};

/// A whole answer as it was first sent, opaque to the store: a retry gets these bytes again.
struct KeptAnswer {
    std::string bytes;
};

/// What became of an act. An Error is an answer like any other: it does not undo its neighbours.
using Outcome = std::variant<std::monostate, User, Event, Ticket, Done, ExpiredHolds, Effects, MailTurn, KeptAnswer, Error>;

/// Whether an answer may be kept for a repeat of its request: not one that says to come back later.
[[nodiscard]] inline bool is_final(const Outcome& outcome)
{
    const auto* const error = std::get_if<Error>(&outcome);
    return error == nullptr || error->code != Code::rate_limited;
}

/// The client's wish that this act happen once, whatever the network does. The store looks for (user, key) first:
/// the same fingerprint -> outcome is the KeptAnswer and the act is not executed; another fingerprint ->
/// Error idempotency_key_reused; none -> the act is executed and `render(outcome)` is kept in the same transaction.
struct IdempotencyClaim {
    UserId user;
    std::string key;          // 1 to 255 visible characters
    std::string fingerprint;  // digest of method, path and body
    Instant now;
    std::function<KeptAnswer(const Outcome&)> render;
};

/// Why a store has left an act undone for now: another session keeps a row that it needs; or the store has done a part of it and
/// wants to go on with the rest in a transaction of its own.
enum class Deferred : std::uint8_t { no, blocked, unfinished };

/// An act on its way through a lane. Owned by its submitter; the store fills `outcome` and says what it led to.
struct WriteJob {
    Act act;
    std::optional<IdempotencyClaim> claim;
    Outcome outcome;
    bool made_effects = false;  // it has put something into the outbox: even a reservation may, where others' holds lapsed for it
    bool again = false;         // it was deferred before
    bool deferrable = false;    // the caller submits it again when it was deferred; else the store waits or fails
    Deferred deferred = Deferred::no;  // it has no outcome yet
};

}  // namespace boxoffice
