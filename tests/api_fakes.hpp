#pragma once
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/core.hpp"

/// Ports in memory for tests of the REST API.
namespace boxoffice::fakes
{

using namespace std::chrono_literals;

inline const Instant kNow = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22};

/// One event with the seats it was told, tickets, and kept answers; enough to see what the API asks of a store.
class MemoryStore : public Store
{
public:
    std::mutex mutex;
    std::condition_variable changed;
    bool held = false;     // execute() waits while set
    bool entered = false;  // execute() has been called
    std::optional<Code> failing;
    std::map<std::int64_t, User> users{{1, User{UserId{1}, "Ada", "ada@example.org", {}, kNow}},
                                       {2, User{UserId{2}, "Bob", "bob@example.org", GeoPoint{1, 2}, kNow}}};
    Event event{{"Jazz", "", kNow + 24h, kNow + 26h, "UTC", 2, {"Quay 1", {10.5, -3.25}}}, EventId{5}, 0, UserId{2}, kNow, kNow};
    std::map<std::int64_t, Ticket> tickets;
    std::map<std::pair<UserId, std::string>, std::pair<std::string, std::string>> kept;
    EventQuery asked_events;
    NearbyQuery asked_nearby;
    std::string old_hash = "hash of cafe\u0301 1234";  // of a password as it was sent, before they were normalized
    std::atomic<int> events_looked_for = 0;

    void hold()
    {
        const std::lock_guard lock(mutex);
        held = true;
    }
    void let_go()
    {
        const std::lock_guard lock(mutex);
        held = false;
        changed.notify_all();
    }
    void wait_until_entered()
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return entered; });
    }

    void execute(std::span<WriteJob* const> jobs) override
    {
        std::unique_lock lock(mutex);
        entered = true;
        changed.notify_all();
        changed.wait(lock, [this] { return !held; });
        fail_if_told();
        for (WriteJob* job : jobs) run(*job);
    }
    std::optional<User> find_user(UserId id) override
    {
        const auto at = users.find(id.value);
        return at == users.end() ? std::nullopt : std::optional(at->second);
    }
    std::optional<Login> find_login(std::string_view email) override
    {
        if (email == "ada@example.org") return Login{UserId{1}, "hash of right password"};
        const std::lock_guard lock(mutex);
        if (email == "old@example.org") return Login{UserId{2}, old_hash};
        return std::nullopt;
    }
    std::optional<Event> find_event(EventId id) override
    {
        fail_if_told();
        ++events_looked_for;
        return id == event.id ? std::optional(event) : std::nullopt;
    }
    std::vector<Event> find_events(std::span<const EventId> ids) override { return std::vector<Event>(ids.size(), event); }
    Page<Event> list_events(const EventQuery& query) override
    {
        asked_events = query;
        Page<Event> page{{event}, 25};
        if (query.skip >= 25) page.items.clear();
        return page;
    }
    std::optional<TicketView> find_ticket(TicketId id) override
    {
        const auto at = tickets.find(id.value);
        if (at == tickets.end()) return std::nullopt;
        return TicketView{at->second, event.organizer_id};
    }
    Page<Ticket> list_tickets(const TicketQuery&) override { return {}; }
    Page<NearbyEvent> nearby(const NearbyQuery& query) override
    {
        asked_nearby = query;
        return {{{event, 1234.5}}, 1};
    }
    std::vector<Candidate> candidates(const SuggestionQuery& query) override
    {
        Candidate candidate{event.id, event.start_time, {}, 0, 0.5, 1};
        if (query.location) candidate.distance_m = 500;
        return {candidate};
    }
    std::vector<Availability> availability(std::span<const EventId> ids, Instant) override
    {
        std::vector<Availability> found;
        for (const EventId id : ids) {
            if (id == event.id) found.push_back({id, event.total_tickets - event.tickets_sold, {}});
        }
        return found;
    }
    std::optional<Instant> next_deadline() override { return std::nullopt; }
    std::int64_t reserved_count() override { return 0; }
    std::optional<Instant> latest_instant() override { return std::nullopt; }
    void check_ready() override { fail_if_told(); }
    OutboxCounts outbox_counts() override { return {}; }

private:
    void fail_if_told() const
    {
        if (failing) throw StoreFailure(*failing, "secret detail");
    }

    void run(WriteJob& job)
    {
        if (!job.claim) {
            job.outcome = decide(job.act);
            return;
        }
        const auto at = kept.find({job.claim->user, job.claim->key});
        if (at == kept.end()) {
            job.outcome = decide(job.act);
            kept[{job.claim->user, job.claim->key}] = {job.claim->fingerprint, job.claim->render(job.outcome).bytes};
        } else if (at->second.first == job.claim->fingerprint) {
            job.outcome = KeptAnswer{at->second.second};
        } else {
            job.outcome = Error{Code::idempotency_key_reused, {}};
        }
    }

    Outcome decide(const Act& act)
    {
        if (const auto* add = std::get_if<AddUser>(&act)) return User{UserId{3}, add->name, add->email, add->location, add->now};
        if (const auto* change = std::get_if<ChangeUser>(&act)) {
            User& user = users.at(change->user.value);
            if (change->name) user.name = *change->name;
            if (change->sets_location) user.location = change->location;
            return user;
        }
        if (const auto* reserve = std::get_if<Reserve>(&act)) {
            if (reserve->event != event.id) return Error{Code::not_found, {}};
            if (event.tickets_sold == event.total_tickets) return Error{Code::sold_out, {}};
            ++event.tickets_sold;
            const auto id = static_cast<std::int64_t>(tickets.size()) + 1;
            return tickets[id] = Ticket{TicketId{id},
                                        reserve->user,
                                        reserve->event,
                                        TicketStatus::reserved,
                                        reserve->now,
                                        reserve->now + reserve->hold,
                                        {},
                                        {}};
        }
        if (std::holds_alternative<RemoveEvent>(act)) return Done{};
        if (const auto* renew = std::get_if<RenewHash>(&act)) {
            if (old_hash == renew->old_hash) old_hash = renew->new_hash;
            return Done{};
        }
        if (const auto* pay = std::get_if<Pay>(&act)) {
            if (!tickets.contains(pay->ticket.value)) return Error{Code::not_found, {}};
            Ticket& ticket = tickets.at(pay->ticket.value);
            ticket.status = TicketStatus::paid;
            ticket.paid_at = pay->now;
            ticket.payment_reference = pay->reference;
            return ticket;
        }
        return Error{Code::internal, {}, "not an act of these tests"};
    }
};

class SetClock : public Clock
{
public:
    std::atomic<std::int64_t> micros{0};
    Instant now() const override { return kNow + Micros(micros.load()); }
};

class UtcOnly : public Zones
{
public:
    bool exists(std::string_view zone) const override { return zone == "UTC"; }
    std::optional<Instant> to_instant(LocalTime local, std::string_view) const override
    {
        return Instant(local.time_since_epoch());
    }
    std::optional<LocalTime> to_local(Instant instant, std::string_view) const override
    {
        return LocalTime(instant.time_since_epoch());
    }
};

class PlainHasher : public PasswordHasher
{
public:
    mutable std::atomic<int> wasted{0};
    std::string hash(std::string_view password) const override { return "hash of " + std::string(password); }
    bool matches(std::string_view password, std::string_view hash) const override { return hash == this->hash(password); }
    void waste(std::string_view) const override { ++wasted; }
};

/// "u1" is the token of user 1.
class PlainSigner : public TokenSigner
{
public:
    std::string sign(UserId user, Instant) const override { return "u" + std::to_string(user.value); }
    Result<TokenClaims> verify(std::string_view token, Instant now) const override
    {
        if (token.size() != 2 || token[0] != 'u') return Error{Code::unauthenticated, {}};
        return TokenClaims{UserId{token[1] - '0'}, now, now};
    }
    Micros lifetime() const override { return 30min; }
};

inline std::string fnv_hex(std::string_view bytes)
{
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return std::to_string(hash) + "00000000000000000000000000000000";
}

}  // namespace boxoffice::fakes
