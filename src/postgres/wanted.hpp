#pragma once
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/decide.hpp"

namespace boxoffice::postgres
{

struct Gathered;

using KeyOfUser = std::pair<std::int64_t, std::string>;

/// Which facts a batch asks for: the needs of its acts, together, in the order of locks.
struct Wanted {
    std::set<EventId> events;        // to lock
    std::set<EventId> whole_events;  // of these, to be changed
    std::unordered_map<EventId, std::int64_t> reserves;
    std::set<TicketId> tickets;  // to lock
    std::set<TicketId> cancels;  // of these, to lock the event of
    std::vector<need::SeatAgain> seats_again;
    std::set<TicketId> revived;  // of these, found lapsed although their payment is in time: their events are locked too
    std::set<std::string> references;
    std::set<UserId> users;  // to lock
    std::set<UserId> known;
    std::set<std::string> emails;  // folded, and as keys
    struct Publishing {
        std::int64_t most_a_day = 0;
        std::int64_t adds = 0;
        [[nodiscard]] std::int64_t skipped() const { return std::max<std::int64_t>(0, most_a_day - adds); }
    };
    std::map<UserId, Publishing> publishers;
    std::size_t reindex = 0;                // rows of a kind
    std::map<KeyOfUser, Instant> keys;      // and the time before which a kept answer is forgotten
    std::map<KeyOfUser, Instant> new_keys;  // of these, those of acts that lock no row that the same request locks elsewhere
    std::int64_t tickets_new = 0, events_new = 0, users_new = 0;
    Instant now;            // the latest of the acts'
    std::size_t lapse = 0;  // due holds for the expiry worker; 0: none
    /// Nothing but lapsing needs an event's lock: then those that another session has locked are skipped.
    bool only_lapse = false;
    enum class LapseMode : std::uint8_t { those_free, wait_for_one } lapse_mode = LapseMode::those_free;
    std::map<EventId, std::int64_t> removals;  // and how many of its due holds may have to lapse for it, at most

    // How the writer goes about it:
    std::vector<EventId> passed_by;  // another session keeps them: their due holds are left alone unless they are free after all
    bool careful = false;            // due tickets that another session has locked are passed by
    Instant due_from{};              // no live hold is due before
    std::optional<Micros> patience;  // for each lock, if it is another than the session's

    /// `awaited`: so many due holds may have to be passed over, because a payment in time is under way.
    explicit Wanted(std::span<WriteJob* const> jobs, std::size_t awaited = 0);

    /// Whether payments in time have turned out to need a seat again, and so the locks of events that were not asked for: then it
    /// has to be gathered anew, in the one order of locks.
    [[nodiscard]] bool add_revived(const Gathered& facts);

private:
    void add(const need::Seats& need, const WriteJob& job);
    void add(const need::WholeEvent& need, const WriteJob& job);
    void add(const need::DueHoldsOf& need, const WriteJob& job);
    void add(const need::DueHolds& need, const WriteJob& job);
    void add(const need::CounterOfTicket& need, const WriteJob& job);
    void add(const need::SeatAgain& need, const WriteJob& job);
    void add(const need::OneTicket& need, const WriteJob& job);
    void add(const need::WholeUser& need, const WriteJob& job);
    void add(const need::AnyUser& need, const WriteJob& job);
    void add(const need::Reference& need, const WriteJob& job);
    void add(const need::Mailbox& need, const WriteJob& job);
    void add(const need::NewestEvents& need, const WriteJob& job);
    void add(const need::TicketNumber&, const WriteJob&) { ++tickets_new; }
    void add(const need::EventNumber&, const WriteJob&) { ++events_new; }
    void add(const need::UserNumber&, const WriteJob&) { ++users_new; }
    void add_act(const WriteJob& job);
    void add_claim(const WriteJob& job);
};

}  // namespace boxoffice::postgres
