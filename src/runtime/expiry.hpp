#pragma once
#include <cstddef>
#include <memory>

#include "core/ports.hpp"
#include "runtime/lanes.hpp"
#include "runtime/metrics.hpp"

namespace boxoffice
{

/// A hold is dead at its deadline, whether or not this worker has run; it gives the seats back. It sleeps until the next
/// deadline, not for a tick, then sends bounded batches through the write lane, so that counters and lists follow within
/// milliseconds. Once a minute it also has idempotency answers forgotten that are older than a day, and every ten seconds the
/// words of events made that have none of this version.
class Expiry
{
public:
    struct Options {
        std::size_t at_once = 500;  // holds per batch: a few milliseconds of the write lane, between which sales go on
    };
    Expiry(Store& store, WriteLane& writes, const Clock& clock, Metrics& metrics, Options options);
    ~Expiry();  // stop()
    Expiry(const Expiry&) = delete;
    Expiry& operator=(const Expiry&) = delete;

    /// Registers with the lane and starts the thread.
    void start();
    /// Looks for the next deadline now: another node may have made a hold. Any thread.
    void look();
    /// Call before the lane is stopped. Idempotent.
    void stop();

private:
    class Self;
    std::unique_ptr<Self> self_;
};

}  // namespace boxoffice
