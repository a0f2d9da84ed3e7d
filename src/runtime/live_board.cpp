#include "runtime/live_board.hpp"

#include <algorithm>
#include <utility>

namespace boxoffice
{

void LiveBoard::mark(std::span<const EventId> events)
{
    if (watchers() == 0) return;
    const std::lock_guard lock(mutex_);
    for (const EventId event : events) {
        if (const auto at = watched_.find(event); at != watched_.end()) mark(event, at->second);
    }
}

void LiveBoard::mark(EventId event, Watched& watched)
{
    if (watched.mark == Mark::changed) return;
    watched.mark = Mark::changed;
    changed_.push_back(event);
    if (watched.not_before >= sleeping_until_) return;
    sleeping_until_ = watched.not_before;
    wake_.notify_one();
}

bool LiveBoard::arrive(Arrival arrival)
{
    const std::lock_guard lock(mutex_);
    if (state_ == State::closed) return false;
    watchers_.fetch_add(1, std::memory_order_relaxed);
    arrivals_.push_back(std::move(arrival));
    if (arrivals_.size() == 1) wake_.notify_one();
    return true;
}

bool LiveBoard::watched(EventId event) const
{
    const std::lock_guard lock(mutex_);
    return watched_.contains(event);
}

void LiveBoard::close()
{
    const std::lock_guard lock(mutex_);
    state_ = State::closed;
    wake_.notify_one();
}

bool LiveBoard::wait(Steady::time_point latest)
{
    std::unique_lock lock(mutex_);
    sleeping_until_ = latest;
    for (const EventId event : changed_) sleeping_until_ = std::min(sleeping_until_, watched_.at(event).not_before);
    while (state_ == State::open && arrivals_.empty() && Steady::now() < sleeping_until_) wake_.wait_until(lock, sleeping_until_);
    sleeping_until_ = Steady::time_point::min();
    return state_ == State::open;
}

std::vector<LiveBoard::Arrival> LiveBoard::take_arrivals()
{
    const std::lock_guard lock(mutex_);
    return std::exchange(arrivals_, {});
}

void LiveBoard::begin(EventId event, Steady::time_point not_before)
{
    const std::lock_guard lock(mutex_);
    const auto [at, is_new] = watched_.try_emplace(event);
    if (is_new) at->second.not_before = not_before;
    mark(event, at->second);
}

void LiveBoard::end(EventId event)
{
    const std::lock_guard lock(mutex_);
    watched_.erase(event);
    std::erase(changed_, event);
}

void LiveBoard::mark_all()
{
    const std::lock_guard lock(mutex_);
    for (auto& [event, watched] : watched_) mark(event, watched);
}

std::vector<EventId> LiveBoard::take_marked(Steady::time_point now, Micros every)
{
    const std::lock_guard lock(mutex_);
    const auto first =
        std::partition(changed_.begin(), changed_.end(), [&](EventId event) { return watched_.at(event).not_before > now; });
    std::vector<EventId> taken(first, changed_.end());
    changed_.erase(first, changed_.end());
    for (const EventId event : taken) watched_.at(event) = {Mark::clean, now + every};
    return taken;
}

void LiveBoard::put_back(EventId event, Steady::time_point not_before)
{
    const std::lock_guard lock(mutex_);
    const auto at = watched_.find(event);
    if (at == watched_.end()) return;
    at->second.not_before = not_before;
    mark(event, at->second);
}

}  // namespace boxoffice
