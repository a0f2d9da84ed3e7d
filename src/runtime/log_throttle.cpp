#include "runtime/log_throttle.hpp"

#include <utility>

namespace boxoffice
{

std::optional<std::int64_t> LogThrottle::due()
{
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (!began_ || now - *began_ >= every_) {
        began_ = now;
        let_through_ = 0;
    }
    if (let_through_ >= at_once_) {
        ++kept_back_;
        return std::nullopt;
    }
    ++let_through_;
    return std::exchange(kept_back_, 0);
}

}  // namespace boxoffice
