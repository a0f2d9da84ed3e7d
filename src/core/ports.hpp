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
#include "core/rate.hpp"

namespace boxoffice
{

/// A failure in a store: not an answer. `code()` is busy, storage_full, storage_failed or internal.
class StoreFailure : public std::runtime_error
{
public:
    /// What is known of the transaction that it ended: nothing of it has happened; nothing, and the store has been waited for in
    /// vain, so that the next to ask will fare no better; or the store could not be asked whether it has.
    enum class Outcome : std::uint8_t { undone, unavailable, unclear };

    StoreFailure(Code code, const std::string& detail, Outcome outcome = Outcome::undone)
        : std::runtime_error(detail), code_(code), outcome_(outcome)
    {
    }
    [[nodiscard]] Code code() const noexcept { return code_; }
    [[nodiscard]] bool unavailable() const noexcept { return outcome_ == Outcome::unavailable; }
    [[nodiscard]] bool unclear() const noexcept { return outcome_ == Outcome::unclear; }

private:
    Code code_;
    Outcome outcome_;
};

/// What an operator who examines a store wants to know; `good` false is a finding to act on.
struct Finding {
    bool good = true;
    std::string what;
    std::string detail;
};

/// One line of `migrate status`.
struct MigrationState {
    std::string version;  // "0001"
    std::string name;     // "0001_the_box_office.sql"
    bool applied = false;
};

/// Changes a store's schema, migration by migration, each in its own transaction. Every engine has one; its messages are
/// sentences for the operator.
class Migrator
{
public:
    virtual ~Migrator() = default;
    /// Throws StoreFailure when the store's schema is newer than this binary or an applied migration was edited.
    [[nodiscard]] virtual std::vector<MigrationState> status() = 0;
    virtual std::vector<std::string> up() = 0;      // names of those applied now
    virtual std::optional<std::string> down() = 0;  // the last one, undone; nothing when none is applied
    /// What down() would lose for good, as "17 rows of mails"; empty when nothing.
    [[nodiscard]] virtual std::vector<std::string> losses() { return {}; }
};

/// Which store this is, and in which life: a backup that was put back begins another one, in which ids, tokens and jobs of the
/// life that was lost must mean nothing.
struct StoreIdentity {
    std::string id;               // 32 hexadecimal digits, made with the store; a copy keeps it; empty: it has none
    std::int64_t generation = 1;  // another one after each restore
    Instant plain_until{};        // what names no store, as tokens of the version before, is believed until then
    bool operator==(const StoreIdentity&) const = default;
};

/// How a store's housekeeping fares.
struct Upkeep {
    std::int64_t log_bytes = 0;           // what its write-ahead log takes on disk; 0 where it has none of its own
    std::int64_t checkpoints_failed = 0;  // since it was opened
    std::string worry;                    // a sentence for the operator though sales go on; empty when there is none
};

/// What another process has done to a shared store.
enum class StoreNotification : std::uint8_t { hold_made, effect_made };

/// Where everything durable is. Two engines keep these promises (tests/store_contract_test.cpp runs over each):
///
///   - After execute() returned, every outcome in it is durable, including power loss (fsync has returned).
///   - `0 <= tickets_sold <= total_tickets` at every commit, and tickets_sold equals the live tickets.
///   - Reads see whole transactions only, and whatever was committed before they began.
class Store
{
public:
    virtual ~Store() = default;

    /// Executes the acts in order, in one transaction, and fills each `outcome`. A refusal is an outcome.
    /// Throws StoreFailure (or anything else) on a failure: then nothing of this call has happened, and
    /// the caller may replay the acts one by one; or it is unknown whether it has (StoreFailure::unclear()): then no client may
    /// be told anything but that. Called by the write lanes' threads only, each for itself. A job that is `deferrable` may come
    /// back `deferred` with nothing decided, while the others of the call are done: bring it again.
    virtual void execute(std::span<WriteJob* const> jobs) = 0;

    /// Called by a write lane's thread when nothing waits: checkpoints and the like. Must be short.
    virtual void idle() {}

    // Reads: from any thread, concurrently. They throw StoreFailure on failures.
    virtual std::optional<User> find_user(UserId id) = 0;
    virtual std::optional<Login> find_login(std::string_view email) = 0;  // without regard to case
    /// One of the stored password hashes that cost most to compare with; none where there are no accounts.
    virtual std::optional<std::string> dearest_hash() { return std::nullopt; }
    virtual std::optional<Event> find_event(EventId id) = 0;
    virtual std::vector<Event> find_events(std::span<const EventId> ids) = 0;  // in that order; missing ones are left out
    virtual Page<Event> list_events(const EventQuery& query) = 0;              // by start_time, then id
    virtual std::optional<TicketView> find_ticket(TicketId id) = 0;            // as stored: see visible_at()
    virtual Page<Ticket> list_tickets(const TicketQuery& query) = 0;           // newest first
    virtual Page<NearbyEvent> nearby(const NearbyQuery& query) = 0;            // nearest first, then id
    /// Upcoming events with seats that the user holds no live ticket for: the union of the nearest, the soonest,
    /// the most popular and the most alike, each bounded; no order promised.
    virtual std::vector<Candidate> candidates(const SuggestionQuery& query) = 0;

    /// Of those events that exist; in any order.
    virtual std::vector<Availability> availability(std::span<const EventId> events, Instant now) = 0;
    /// The earliest deadline among reserved tickets, or none.
    virtual std::optional<Instant> next_deadline() = 0;
    /// How many tickets are reserved now, due or not; may be a moment old.
    virtual std::int64_t reserved_count() = 0;
    /// The latest time this store has written, so that a clock set back cannot resurrect a hold.
    virtual std::optional<Instant> latest_instant() = 0;
    /// Throws StoreFailure unless the store can be read and written.
    virtual void check_ready() = 0;
    [[nodiscard]] virtual OutboxCounts outbox_counts() = 0;
    /// Rows that another session keeps locked for longer than any of our transactions lasts. Their acts wait, others go on.
    [[nodiscard]] virtual std::size_t blocked_rows() { return 0; }
    /// Whether the outbox has exactly this effect, but for its tries: what a job stream delivers may be done, or of another life.
    [[nodiscard]] virtual bool has_effect(const Effect& effect) { return (void)effect, true; }
    /// As last read; never null. Quick, because every request's token is judged by it.
    [[nodiscard]] virtual std::shared_ptr<const StoreIdentity> identity()
    {
        static const auto unidentified = std::make_shared<const StoreIdentity>();
        return unidentified;
    }
    /// Quick: asks no engine.
    [[nodiscard]] virtual Upkeep upkeep() { return {}; }

    // What only a store that several machines share has.
    /// The store's own clock, which all of them judge by; none when the store is this process's alone.
    [[nodiscard]] virtual std::optional<Instant> time() { return std::nullopt; }
    /// The latest time that any of these processes has judged by, of which this one has judged by `given`.
    [[nodiscard]] virtual std::optional<Instant> latest_time(Instant given)
    {
        (void)given;
        return std::nullopt;
    }
    /// From now on `listener` hears of what other processes do, on a thread of the store; some notifications may be lost. An
    /// empty listener ends it.
    virtual void listen(const std::function<void(StoreNotification)>& listener) { (void)listener; }
};

/// Delivers effects from the outbox to whichever worker is free, across machines. May lose everything: the outbox knows. Its
/// methods throw StreamFailure when it cannot be reached; each may be called from any thread.
class StreamFailure : public std::runtime_error
{
    using std::runtime_error::runtime_error;
};

struct StreamedJob {
    std::string token;  // names this delivery, for acknowledge()
    Effect effect;
};

struct StreamCounts {
    std::int64_t waiting = 0;  // in the stream, delivered or not, and not acknowledged
    std::int64_t dead = 0;     // in the dead-letter stream
};

class JobStream
{
public:
    virtual ~JobStream() = default;
    virtual void add(std::span<const Effect> effects) = 0;
    /// Up to `most` deliveries: those another worker took and abandoned, then new ones; waits up to `wait` for the first.
    [[nodiscard]] virtual std::vector<StreamedJob> take(std::size_t most, Micros wait) = 0;
    virtual void acknowledge(std::span<const std::string> tokens) = 0;
    /// Puts an effect whose last try failed into the dead-letter stream.
    virtual void dead_letter(const Effect& effect, std::string_view why) = 0;
    [[nodiscard]] virtual StreamCounts counts() = 0;
};

/// Publishes to every node which events have changed. A message may be lost. Any thread; never blocks for long, never throws.
class ChangeBus
{
public:
    virtual ~ChangeBus() = default;
    virtual void publish(std::span<const EventId> events) noexcept = 0;
    /// `listener` hears of the events that any node, this one too, has published; on a thread of the bus. Once at most.
    virtual void listen(std::function<void(std::span<const EventId>)> listener) = 0;
    /// False while what other nodes publish cannot be received: then listeners have to poll.
    [[nodiscard]] virtual bool connected() const noexcept = 0;
};

/// A message to one person, whole.
struct Mail {
    std::string key;  // the same for every attempt at the same message; also its Message-ID
    std::string to_address;
    std::string to_name;
    std::string subject;
    std::string text;
    std::string html;
};

class MailFailure : public std::runtime_error
{
public:
    enum class Kind : std::uint8_t { transient, permanent };  // permanent: the server refuses the address or the message for good

    MailFailure(const std::string& why, Kind kind) : std::runtime_error(why), kind_(kind) {}
    [[nodiscard]] Kind kind() const noexcept { return kind_; }

private:
    Kind kind_;
};

/// Hands mail to a server. Slow: workers only. Any thread.
class Mailer
{
public:
    virtual ~Mailer() = default;
    /// Returns once the server has taken the message; throws MailFailure otherwise.
    virtual void send(const Mail& mail) = 0;
};

/// Token buckets by key, in this process or shared by all nodes. Any thread.
class RateLimits
{
public:
    virtual ~RateLimits() = default;
    /// Takes one token from the bucket of `key`; `done` hears what came of it exactly once, at once or soon, on this thread or
    /// one of the limiter's own; it must not block. When the limiter cannot be reached, every request is let through.
    virtual void take(std::string key, const RatePolicy& policy, Instant now, std::function<void(RateAnswer)> done) = 0;
};

/// The one source of `now`. Never runs backwards. Any thread.
class Clock
{
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Instant now() const = 0;
};

/// Payments and cancellations that have arrived at this process and are not answered yet: what arrived before a hold's deadline
/// is in time however long it waits, so nothing that this process does may lapse the hold until then. Any thread.
class Arrivals
{
public:
    virtual ~Arrivals() = default;
    /// Whether a payment or cancellation of `ticket` that arrived before `deadline` is under way. Ask after the `now` of the act
    /// that would lapse the hold was read: one that arrives later is too late by then.
    [[nodiscard]] virtual bool in_time(TicketId ticket, Instant deadline) const = 0;
    /// How many tickets are waited for: so many due holds may have to be passed over.
    [[nodiscard]] virtual std::size_t tickets() const = 0;
};

/// Time zones by IANA name. Any thread. The two conversions throw StoreFailure when the system's table of a zone that exists
/// cannot be read just now.
class Zones
{
public:
    virtual ~Zones() = default;
    [[nodiscard]] virtual bool exists(std::string_view zone) const = 0;
    /// The instant at which a clock on the wall in `zone` shows `local`; the earlier of two when a clock change
    /// repeats it; nothing when a clock change skips it or the zone does not exist.
    [[nodiscard]] virtual std::optional<Instant> to_instant(LocalTime local, std::string_view zone) const = 0;
    /// What a clock on the wall in `zone` shows at `instant`; nothing when the zone does not exist.
    [[nodiscard]] virtual std::optional<LocalTime> to_local(Instant instant, std::string_view zone) const = 0;
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
    /// Takes the time by which a comparison with `dearest` takes longer than one with `compared`, which has been made and failed;
    /// nothing was compared when that is empty. So a refusal does not tell whether there is such an account, nor how old it is.
    virtual void even_out(std::string_view password, std::string_view compared, std::string_view dearest) const
    {
        (void)dearest;
        if (compared.empty()) waste(password);
    }
    /// Whether a hash is of another make than hash() gives now, and should be made anew where the password is at hand.
    [[nodiscard]] virtual bool is_outdated(std::string_view hash) const
    {
        (void)hash;
        return false;
    }
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
