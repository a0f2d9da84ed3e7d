#pragma once
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/acts.hpp"
#include "core/queries.hpp"

namespace boxoffice
{

/// An accident in a store: not an answer. `code()` is busy, storage_full, storage_failed or internal.
class StoreFailure : public std::runtime_error
{
public:
    StoreFailure(Code code, const std::string& detail) : std::runtime_error(detail), code_(code) {}
    [[nodiscard]] Code code() const noexcept { return code_; }

private:
    Code code_;
};

/// What somebody who examines a store wants to know; `good` false is a finding to act on.
struct Finding {
    bool good = true;
    std::string what;
    std::string detail;
};

/// Where everything durable is. Two engines keep these promises (tests/store_contract_test.cpp runs over each):
///
///   - After carry_out() returned, every outcome in it is durable, including power loss (fsync has returned).
///   - `0 <= tickets_sold <= total_tickets` at every commit, and tickets_sold equals the live tickets.
///   - Reads see whole transactions only, and whatever was committed before they began.
class Store
{
public:
    virtual ~Store() = default;

    /// Carries out the acts in order, in one transaction, and fills each `outcome`. A refusal is an outcome.
    /// Throws StoreFailure (or anything else) on an accident: then nothing of this call has happened, and
    /// the caller may replay the acts one by one. Called by the write lane's thread only.
    virtual void carry_out(std::span<WriteJob* const> jobs) = 0;

    /// Called by the write lane's thread when nothing waits: checkpoints and the like. Must be short.
    virtual void idle() {}

    // Reads: from any thread, concurrently. They throw StoreFailure on accidents.
    virtual std::optional<User> find_user(UserId id) = 0;
    virtual std::optional<Login> find_login(std::string_view email) = 0;  // without regard to case
    virtual std::optional<Event> find_event(EventId id) = 0;
    virtual std::vector<Event> find_events(std::span<const EventId> ids) = 0;  // in that order; missing ones are left out
    virtual Page<Event> list_events(const EventQuery& query) = 0;              // by start_time, then id
    virtual std::optional<TicketView> find_ticket(TicketId id) = 0;            // as stored: see visible_at()
    virtual Page<Ticket> list_tickets(const TicketQuery& query) = 0;           // newest first
    virtual Page<NearbyEvent> nearby(const NearbyQuery& query) = 0;            // nearest first, then id
    /// Upcoming events with seats that the user holds no live ticket for: the union of the nearest, the soonest,
    /// the most popular and the most alike, each bounded; no order promised.
    virtual std::vector<Candidate> candidates(const SuggestionQuery& query) = 0;

    /// The earliest deadline among reserved tickets, or none.
    virtual std::optional<Instant> next_deadline() = 0;
    /// How many tickets are reserved now, due or not; may be a moment old.
    virtual std::int64_t reserved_count() = 0;
    /// The latest time this store has written, so that a clock set back cannot resurrect a hold.
    virtual std::optional<Instant> latest_instant() = 0;
    /// Throws StoreFailure unless the store can be read and written.
    virtual void check_ready() = 0;
};

/// The one source of `now`. Never runs backwards. Any thread.
class Clock
{
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Instant now() const = 0;
};

/// Time zones by IANA name. Any thread.
class Zones
{
public:
    virtual ~Zones() = default;
    [[nodiscard]] virtual bool exists(std::string_view zone) const = 0;
    /// The instant at which a clock on the wall in `zone` shows `local`; the earlier of two when a clock change
    /// repeats it; nothing when a clock change skips it or the zone does not exist.
    [[nodiscard]] virtual std::optional<Instant> to_instant(LocalTime local, std::string_view zone) const = 0;
};

/// Slow on purpose: only ever called on the password pool. Any thread.
class PasswordHasher
{
public:
    virtual ~PasswordHasher() = default;
    [[nodiscard]] virtual std::string hash(std::string_view password) const = 0;
    /// True when `password` is what `hash` was made of. A hash this hasher cannot read is never matched, at the same cost.
    [[nodiscard]] virtual bool matches(std::string_view password, std::string_view hash) const = 0;
    /// Takes the time of matches() against nothing: what an unknown address costs.
    virtual void waste(std::string_view password) const = 0;
};

/// What a token says once it has been believed.
struct TokenClaims {
    UserId user;
    Instant issued_at;
    Instant expires_at;
};

/// Makes and believes bearer tokens. Any thread.
class TokenSigner
{
public:
    virtual ~TokenSigner() = default;
    [[nodiscard]] virtual std::string sign(UserId user, Instant now) const = 0;
    /// Error unauthenticated when the token is malformed, forged, of another algorithm or issuer, or expired at `now`.
    [[nodiscard]] virtual Result<TokenClaims> verify(std::string_view token, Instant now) const = 0;
    /// How long a token is good for.
    [[nodiscard]] virtual Micros lifetime() const = 0;
};

}  // namespace boxoffice
