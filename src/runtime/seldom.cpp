#include "runtime/seldom.hpp"

#include <utility>

namespace boxoffice
{

std::optional<std::int64_t> Seldom::due()
{
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (last_ && now - *last_ < every_) {
        ++kept_back_;
        return std::nullopt;
    }
    last_ = now;
    return std::exchange(kept_back_, 0);
}

}  // namespace boxoffice
