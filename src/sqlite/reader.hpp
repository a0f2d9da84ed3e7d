#pragma once
#include <condition_variable>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "sqlite/connection.hpp"
#include "sqlite/places.hpp"
#include "sqlite/read_gate.hpp"

namespace boxoffice::sqlite
{

/// A pool of connections for reading. Any thread; waits when all are out.
class Readers
{
public:
    Readers(const std::filesystem::path& file, unsigned count, ReadGate& gate);

    class PooledReader
    {
    public:
        explicit PooledReader(Readers& readers);
        ~PooledReader();
        PooledReader(const PooledReader&) = delete;
        PooledReader& operator=(const PooledReader&) = delete;
        Connection& operator*() const { return *db_; }
        Connection* operator->() const { return db_; }

    private:
        Readers& readers_;
        Connection* db_;
        std::optional<ReadGate::Pass> pass_;
    };

private:
    ReadGate& gate_;
    std::vector<std::unique_ptr<Connection>> all_;
    std::vector<Connection*> free_;
    std::mutex mutex_;
    std::condition_variable returned_;
};

/// How many events a listing has, remembered for as long as the catalogue does not change. Any thread.
class CountCache
{
public:
    std::int64_t get(const EventQuery& query, std::uint64_t version, const std::function<std::int64_t()>& count);

private:
    std::mutex mutex_;
    std::uint64_t version_ = 0;
    std::map<EventQuery, std::int64_t> counts_;  // by the whole question, so that no two are taken for one
};

/// Sells nothing, answers everything: the queries of the Store port over a pool of read connections.
[[nodiscard]] std::vector<Place> load_places(Connection& db);
/// `catalogue_version`: of the snapshot that is open on `db`; none while it is not known, then nothing is remembered.
[[nodiscard]] Page<Event> list_events(Connection& db, const EventQuery& query, CountCache& counts,
                                      std::optional<std::uint64_t> catalogue_version, bool lacks_words);
[[nodiscard]] Page<Ticket> list_tickets(Connection& db, const TicketQuery& query);
[[nodiscard]] std::vector<Event> find_events(Connection& db, std::span<const EventId> ids);
[[nodiscard]] std::vector<Availability> availability(Connection& db, std::span<const EventId> events, Instant now);
[[nodiscard]] OutboxCounts outbox_counts(Connection& db);
/// What the store knows of a user's taste.
struct Taste {
    std::unordered_map<EventId, std::int64_t> weights;  // of the words shared with events they held tickets for
    std::unordered_set<UserId> organizers;              // of those events
    std::unordered_set<EventId> held;                   // events of live tickets
};
[[nodiscard]] Taste taste_of(Connection& db, UserId user, Instant now);

}  // namespace boxoffice::sqlite
