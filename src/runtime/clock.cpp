#include "runtime/clock.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace boxoffice
{
namespace
{

template <class From>
Micros reading()
{
    return std::chrono::floor<Micros>(From::now().time_since_epoch());
}

// The value after the raise: `value`, or what another thread has raised it to beyond that.
std::int64_t raise_to(std::atomic<std::int64_t>& offset, std::int64_t value)
{
    std::int64_t seen = offset.load(std::memory_order_acquire);
    while (seen < value && !offset.compare_exchange_weak(seen, value, std::memory_order_acq_rel, std::memory_order_acquire)) {}
    return std::max(seen, value);
}

}  // namespace

RealClock::RealClock() : RealClock(&reading<std::chrono::system_clock>, &reading<std::chrono::steady_clock>) {}

RealClock::RealClock(Source system, Source steady) : system_(std::move(system)), steady_(std::move(steady)), offset_(0)
{
    const Micros wall = system_();
    offset_.store((wall - steady_()).count(), std::memory_order_release);
}

Instant RealClock::now() const
{
    // The system clock is read first: a thread put to sleep between the two readings then finds the system clock a little behind
    // and ignores it. The other way round the sleep would be added to the offset for good.
    const Micros wall = system_();
    const Micros carried = steady_();
    return Instant(carried + Micros(raise_to(offset_, (wall - carried).count())));
}

void RealClock::not_before(Instant floor) { raise_to(offset_, (floor.time_since_epoch() - steady_()).count()); }

}  // namespace boxoffice
