#pragma once
#include <atomic>
#include <cstdint>
#include <functional>

#include "core/ports.hpp"

namespace boxoffice
{

/// The machine's clock, made fit to judge deadlines by. A machine's clock is set back by an operator, a hypervisor or a
/// time daemon, and every hold between the two readings would come back to life; it may also start out years behind
/// and leap forward a second later.
///
/// So time is carried at the pace of the steady clock from the latest instant ever believed: when the system clock is ahead of
/// the carried time it is believed at once; when it is behind, the carried time goes on at its own pace until the system clock
/// has caught up. It never runs backwards and never stands still.
///
/// Any thread; about the cost of reading two clocks.
class RealClock : public Clock
{
public:
    /// The time passed since the source's own epoch.
    using Source = std::function<Micros()>;

    /// Over CLOCK_REALTIME and CLOCK_MONOTONIC.
    RealClock();
    /// `system` counts from 1970 and may jump; `steady` never runs backwards. Both are called from any thread.
    RealClock(Source system, Source steady);

    [[nodiscard]] Instant now() const override;

    /// From here on now() is never before `floor`. Called with the latest instant a store has written before the first act, so
    /// that a restart after a clock was set back resurrects nothing.
    void not_before(Instant floor);

    /// How far now() is ahead of the system clock; 0 unless that was set back, or a store has later times.
    [[nodiscard]] Micros ahead() const { return now() - Instant(system_()); }

private:
    Source system_;
    Source steady_;
    mutable std::atomic<std::int64_t> offset_;  // microseconds to add to `steady_`; only ever grows
};

}  // namespace boxoffice
