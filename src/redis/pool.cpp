#include "redis/pool.hpp"

#include <algorithm>

namespace boxoffice::redis
{

namespace
{

constexpr std::size_t kIdleMost = 16;

}  // namespace

Pool::Lease Pool::borrow()
{
    if (auto idle = find_idle()) return {*this, std::move(idle)};
    if (retry_in() > Micros(0)) throw LinkFailure("Redis: unavailable a moment ago; it is not asked again yet");
    auto link = std::make_unique<Link>(address_, timeout_);
    try {
        link->open();
    } catch (const LinkFailure&) {
        give_back(std::move(link));
        throw;
    }
    return {*this, std::move(link)};
}

Micros Pool::retry_in()
{
    const std::lock_guard lock(mutex_);
    return std::max(Micros(0), std::chrono::ceil<Micros>(try_at_ - Steady::now()));
}

std::unique_ptr<Link> Pool::find_idle()
{
    const std::lock_guard lock(mutex_);
    while (!idle_.empty()) {
        std::unique_ptr<Link> link = std::move(idle_.back());
        idle_.pop_back();
        if (link->still_stands()) return link;
    }
    return nullptr;
}

void Pool::give_back(std::unique_ptr<Link> link)
{
    const std::lock_guard lock(mutex_);
    if (link->is_open()) {
        pause_.reset();
        try_at_ = {};
        if (idle_.size() < kIdleMost) idle_.push_back(std::move(link));
    } else if (const auto now = Steady::now(); now >= try_at_) {  // many may fail at once: that is one failure
        try_at_ = now + pause_.next();
    }
}

}  // namespace boxoffice::redis
