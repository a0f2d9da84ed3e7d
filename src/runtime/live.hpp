#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/ports.hpp"
#include "runtime/lanes.hpp"
#include "runtime/metrics.hpp"

namespace boxoffice
{

/// What watchers of an event are told.
struct LiveNews {
    std::optional<Availability> there;  // none: the event is gone, and this is the last that its watchers hear
    std::uint64_t number = 0;           // of this state: another state of the event has a greater one, over restarts too
};

/// Availability as it changes, for every client that watches an event. A sale only marks its event; one thread looks at the
/// marked events that have watchers, at most four times a second each, reads them once, and tells all watchers. So ten thousand
/// watchers cost one read, and no sale waits for them.
class LiveHub
{
public:
    struct Options {
        Micros every = std::chrono::milliseconds(250);  // at most one message an event in this time
        Micros heartbeat = std::chrono::seconds(15);    // proxies close what is silent for longer
        Micros look_anyway = std::chrono::seconds(1);   // while the bus is down, watched events are read this often
    };

    /// News as bytes, shared by all who watch an event.
    using Frame = std::shared_ptr<const std::string>;

    /// One watcher. Called on the hub's thread only; must not block. Destroyed when it is forgotten.
    class Watcher
    {
    public:
        virtual ~Watcher() = default;
        /// How news are said. One watcher of an event is asked for all of them.
        [[nodiscard]] virtual std::string word(const LiveNews& news) const = 0;
        /// False: the watcher is gone and is forgotten. So with still_here().
        [[nodiscard]] virtual bool send(const Frame& frame) = 0;
        /// There has been no news for a while.
        [[nodiscard]] virtual bool still_here() = 0;
    };

    /// `bus` may be null: then only what this process changes is heard of. It outlives the hub, as do the others. Shows
    /// boxoffice_live_watchers.
    LiveHub(Store& store, const Clock& clock, ChangeBus* bus, Metrics& metrics, Options options);
    ~LiveHub();  // stop()
    LiveHub(const LiveHub&) = delete;
    LiveHub& operator=(const LiveHub&) = delete;

    /// Registers with the lane and the bus and starts the thread. Call before the first submit to the lane. What either says
    /// after stop() is not listened to.
    void start(WriteLane& writes);
    /// Forgets all watchers, and from now on at once who comes. Idempotent.
    void stop();

    /// The watcher is told the present state soon (unless it is the one with the number `last_seen`), then every change, and the
    /// end if the event goes. Any thread.
    void watch(EventId event, std::shared_ptr<Watcher> watcher, std::optional<std::uint64_t> last_seen);
    [[nodiscard]] std::size_t watchers() const;
    /// This event has watchers, so it was there a moment ago. Any thread.
    [[nodiscard]] bool watched(EventId event) const;

private:
    class Self;
    std::unique_ptr<Self> self_;
};

}  // namespace boxoffice
