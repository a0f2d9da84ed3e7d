#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "postgres/connection.hpp"

namespace boxoffice::postgres
{

/// An event's counters under its lock, as they will be after the commit.
struct Stock {
    std::int64_t total = 0;
    std::int64_t sold = 0;
    Pace pace;
    Instant end_time;
    std::int64_t unsaved = 0;  // what `sold` and the row differ by
    bool changed = false;      // the row has to be written
    bool was_full = false;     // as the row is: whether it stands in sold_out
    [[nodiscard]] bool full() const { return sold >= total; }
    struct Due {
        TicketId ticket;
        Instant expires_at;
    };
    std::vector<Due> due;  // holds that may lapse, locked; earliest deadline first
};

struct Kept {
    std::string fingerprint;
    std::string bytes;
};
using KeyOfUser = std::pair<std::int64_t, std::string>;

/// Everything that the rules of a batch need to know, gathered under its locks in one flight. Locks are taken event -> ticket ->
/// user, each ascending by id, so that two batches never wait for each other in a circle.
struct Facts {
    std::unordered_map<EventId, Stock> stocks;  // events that exist
    std::unordered_map<EventId, Event> events;  // whole, of those that may be changed
    std::unordered_map<TicketId, Ticket> tickets;
    std::unordered_map<std::string, TicketId> references;
    std::unordered_map<UserId, User> users;          // locked, to be changed
    std::unordered_set<UserId> known;                // exist
    std::unordered_map<std::string, UserId> emails;  // folded or as keys, taken
    std::map<KeyOfUser, Kept> kept;
    /// When an account that may add only so many events a day added the newest of them but `skipped`, newest first.
    struct Published {
        std::int64_t skipped = 0;
        std::vector<Instant> newest;
        std::int64_t added = 0;  // by this batch
    };
    std::map<UserId, Published> published;
    std::vector<std::int64_t> ticket_ids, event_ids, user_ids;  // fresh ones, used from the back
    std::vector<Stock::Due> due;                                // for the tidier, with the event of each
    std::vector<EventId> due_events;
    std::size_t due_asked = 0;
    struct Unindexed {
        EventId event;
        std::string words;         // as they are now
        std::int64_t made_of = 0;  // what they were made of, as the server counts it
    };
    std::map<EventId, Unindexed> unindexed;
    std::size_t unindexed_bytes = 0;  // of their texts
    struct Unkeyed {
        UserId user;
        std::string key;
    };
    std::vector<Unkeyed> unkeyed;  // oldest first
};

/// Which facts a batch asks for.
struct Wanted {
    std::set<EventId> events;        // to lock
    std::set<EventId> whole_events;  // of these, to be changed
    std::unordered_map<EventId, std::int64_t> reserves;
    std::set<TicketId> tickets;  // to lock
    std::set<TicketId> cancels;  // of these, to lock the event of
    std::set<TicketId> revived;  // of these, found lapsed although their payment is in time: their events are locked too
    std::set<std::string> references;
    std::set<UserId> users;  // to lock
    std::set<UserId> known;
    std::set<std::string> emails;  // folded, and as keys
    struct Publishing {
        std::int64_t most_a_day = 0;
        std::int64_t adds = 0;
    };
    std::map<UserId, Publishing> publishers;
    std::size_t reindex = 0;            // rows of a kind
    std::map<KeyOfUser, Instant> keys;  // and the time before which a kept answer is forgotten
    std::int64_t tickets_new = 0, events_new = 0, users_new = 0;
    Instant now;            // the latest of the acts'
    std::size_t lapse = 0;  // due holds for the tidier; 0: none
    /// Nothing but lapsing needs an event's lock: then those that somebody else has locked are passed by.
    bool only_lapse = false;
    enum class LapseMode : std::uint8_t { those_free, wait_for_one } lapse_mode = LapseMode::those_free;
    std::map<EventId, std::int64_t> removals;  // and how many of its due holds may have to lapse for it, at most
    std::map<KeyOfUser, Instant>
        new_keys;  // of `keys`, those of acts that lock no row which the same request would lock elsewhere
    // How the writer goes about it:
    std::vector<EventId> passed_by;  // somebody keeps them: their due holds are left alone unless they turn out to be free
    bool careful = false;            // due tickets that somebody has locked are passed by
    Instant due_from{};              // no live hold is due before
    std::optional<Micros> patience;  // for each lock, if it is another than the session's

    /// `awaited`: so many due holds may have to be passed over, because a payment in time is under way.
    explicit Wanted(std::span<WriteJob* const> jobs, std::size_t awaited = 0);

    void add_publisher(const AddEvent& act);
    /// Whether payments in time have turned out to need a seat again, and so the locks of events that were not asked for: then it
    /// has to be gathered anew, in the one order of locks.
    [[nodiscard]] bool add_revived(std::span<WriteJob* const> jobs, const Facts& facts);
};

/// Due holds of an event that is to be removed lapse so many at a time, so that its lane is not kept from other sales for longer
/// than an ordinary batch takes.
constexpr std::int64_t kLapsedAtOnceToRemove = 2000;

/// How a statement and what reads its rows join the first flight.
using Ask = std::function<void(std::string_view sql, Params params, std::function<void(const Rows&)> read)>;
void ask_published(const Wanted& wanted, Facts& facts, const Ask& ask);

/// Begins the transaction and gathers. Throws what fly() throws.
[[nodiscard]] Facts gather(Connection& db, const Wanted& wanted);

}  // namespace boxoffice::postgres
