#include "runtime/arrivals.hpp"

namespace boxoffice
{

LocalArrivals::Entry LocalArrivals::enter(TicketId ticket, const Clock& clock)
{
    const std::lock_guard lock(mutex_);
    const Instant now = clock.now();
    waiting_[ticket].insert(now);
    return {*this, ticket, now};
}

void LocalArrivals::leave(TicketId ticket, Instant at)
{
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(ticket);
    auto& times = found->second;
    times.erase(times.find(at));
    if (times.empty()) waiting_.erase(found);
}

bool LocalArrivals::in_time(TicketId ticket, Instant deadline) const
{
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(ticket);
    return found != waiting_.end() && *found->second.begin() < deadline;
}

std::size_t LocalArrivals::tickets() const
{
    const std::lock_guard lock(mutex_);
    return waiting_.size();
}

}  // namespace boxoffice
