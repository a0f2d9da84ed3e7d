#pragma once
#include <memory>

#include "core/ports.hpp"
#include "runtime/lanes.hpp"
#include "runtime/metrics.hpp"

namespace boxoffice
{

/// A hold is dead at its deadline whether or not anybody tidies; this is who tidies. It sleeps until the next deadline, not
/// for a tick, then sends bounded batches through the write lane, so that counters and lists follow within milliseconds.
/// Once a minute it also has idempotency answers forgotten that are older than a day.
class Expiry
{
public:
    Expiry(Store& store, WriteLane& writes, const Clock& clock, Metrics& metrics);
    ~Expiry();  // stop()
    Expiry(const Expiry&) = delete;
    Expiry& operator=(const Expiry&) = delete;

    /// Registers with the lane and starts the thread. Call before the first submit to the lane.
    void start();
    /// Call before the lane is stopped. Idempotent.
    void stop();

private:
    class Self;
    std::unique_ptr<Self> self_;
};

}  // namespace boxoffice
