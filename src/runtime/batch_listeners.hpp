#pragma once
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/lanes.hpp"

namespace boxoffice
{

/// Those who hear of every batch. Any thread: one who comes late hears of what follows.
class BatchListeners
{
public:
    void add(std::function<void(const BatchNews&)> listener)
    {
        const std::lock_guard lock(mutex_);
        all_.push_back(std::move(listener));
    }
    void notify(const BatchNews& news)
    {
        const std::lock_guard lock(mutex_);
        for (const auto& listener : all_) listener(news);
    }

private:
    std::mutex mutex_;
    std::vector<std::function<void(const BatchNews&)>> all_;
};

}  // namespace boxoffice
