#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports.hpp"
#include "runtime/fair_queue.hpp"
#include "runtime/metrics.hpp"

namespace boxoffice
{

/// A job on the write lane: the act and what to do with its outcome. `done` is called exactly once, on the lane's
/// thread, after the commit that made the outcome durable returned; it must not block and must not throw.
struct LaneJob : WriteJob {
    std::function<void(LaneJob&)> done;
    std::optional<std::chrono::steady_clock::time_point> put_off_at{};  // the lane's: when the store first deferred it
    bool unlimited = false;                                             // of an account that limits of an account do not hold for
};

/// The class of an act in a word, as boxoffice_shed_total{class} has it: "payment", "reservation", "catalogue", …
[[nodiscard]] std::string_view write_class(const Act& act);

/// What a batch has changed, for those who act on it.
struct BatchNews {
    std::optional<Instant> earliest_deadline;  // among the holds it made
    std::vector<EventId> changed;              // events with other figures or facts than before; each once
    bool made_effects = false;                 // the outbox has something to take
};

/// Why a lane does not take an act.
inline constexpr std::string_view kQueueFull = "queue_full";
inline constexpr std::string_view kAccountShare = "account_share";  // one account has its share of the catalogue's places already
inline constexpr std::string_view kLaneStopping = "stopping";

/// One hot event turns a lock per request into a queue of waiting threads, each paying its own disk sync. A lane turns
/// that around: requests queue up as typed acts, and one thread takes everything that waits, executes it in one
/// transaction with one sync, and only then answers each. The busier it gets, the more a sync serves.
///
/// Where the store takes several writers there are several lanes: acts of one event go through one of them, so that they meet in
/// a transaction and not at a row's lock.
///
/// Paying goes ahead of reserving, reserving ahead of the rest, the catalogue last; each class has places of its own to wait in,
/// so that a crowd of buyers keeps no one from paying. What is on costs most, by its words: a batch takes only so many bytes of
/// it. A failure rolls the batch back and replays its acts one by one, so that a poisoned act hurts only itself.
///
/// An act whose row another session keeps (Deferred::blocked) waits beside the queue and is brought again; the others of its lane
/// go on. It hears `busy` after `blocked_most`.
///
/// Lanes that hand work to each other all stop() before the first is destroyed: a job may be done, and its asker gone, before
/// submit() has returned to the thread that brought it.
class WriteLane
{
public:
    struct Options {
        std::size_t depth_max = 8192;  // of a class; beyond it submit() refuses: half a second's work at 16 000 acts/s
        std::size_t batch_max = 512;   // acts per transaction: beyond a few hundred the sync no longer dominates
        /// Where a transaction costs several round trips: a small batch waits so long for those who will be there in a moment, as
        /// the last two batches show, instead of making them wait for a transaction of its own. 0: never.
        Micros gather{0};
        /// After a failure acts are executed one by one, and each may wait for a row that another session does not release. For
        /// so long the lane waits with them; those that are left then are told to try again.
        Micros replay_most = std::chrono::seconds(20);
        /// So long an act waits for a row that another session keeps; longer than a node that vanished keeps its rows.
        Micros blocked_most = std::chrono::seconds(15);
        unsigned lanes = 1;  // threads, each with a queue and a transaction of its own; an engine with one writer has one
    };
    WriteLane(Store& store, Options options, Metrics& metrics);
    ~WriteLane();  // stop()
    WriteLane(const WriteLane&) = delete;
    WriteLane& operator=(const WriteLane&) = delete;

    /// False when the lane is full or stopping: the job was not taken and `done` will not be called. Any thread.
    [[nodiscard]] bool submit(std::unique_ptr<LaneJob> job) { return offer(std::move(job)).empty(); }
    /// The same, and says why not in one of the words above; empty when the job was taken.
    [[nodiscard]] std::string_view offer(std::unique_ptr<LaneJob> job);

    /// `listener` hears of every batch after its commit, on the lane's thread; it must not block. Any thread, any
    /// time: a late one hears of what follows.
    void on_batch(std::function<void(const BatchNews&)> listener);

    /// Carries out what is queued, then joins. Idempotent.
    void stop();

    [[nodiscard]] std::size_t depth() const;
    [[nodiscard]] std::size_t parked() const;  // acts that the store has put off: see Deferred
    [[nodiscard]] bool full() const;           // submit() would refuse a payment or a reservation, whichever lane it belongs to
    /// Why the store could not write when it was last asked to (storage_full, storage_failed); for some seconds only, since
    /// nothing but the next act can show whether it can again. Any thread.
    [[nodiscard]] std::optional<Code> trouble() const;

private:
    class Self;
    std::unique_ptr<Self> self_;
};

/// A bounded queue, in which clients take turns, and the threads that execute what is in it: reads, searches, passwords,
/// registrations and health checks have one of these each, so that none of them can occupy the threads of another. Like write
/// lanes, they all stop() before the first is destroyed.
class WorkLane
{
public:
    struct Options {
        std::string name;  // at most 15 bytes; names the threads and the metrics
        unsigned threads = 2;
        std::size_t depth_max = 4096;
        int nice = 0;  // above 0 for work that must not stand in front of a sale
        /// What has waited for so long is dropped, and while it runs StillWanted says no from then on. None: it waits for ever.
        std::optional<Micros> patience{};
    };
    WorkLane(Options options, Metrics& metrics);
    ~WorkLane();
    WorkLane(const WorkLane&) = delete;
    WorkLane& operator=(const WorkLane&) = delete;

    /// False when full or stopping: then neither of the work's functions is called. Any thread.
    [[nodiscard]] bool submit(LaneWork work);
    /// Work of no particular client: all of it counts as one client's.
    [[nodiscard]] bool submit(std::function<void()> work);
    /// Drops what is queued, lets what is running finish, and joins. By then no client waits for an answer any more, and a queue
    /// of passwords would take a minute. Idempotent.
    void stop();
    [[nodiscard]] std::size_t depth() const;
    [[nodiscard]] const std::string& name() const;

private:
    class Self;
    std::unique_ptr<Self> self_;
};

}  // namespace boxoffice
