#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "redis/link.hpp"

namespace boxoffice::redis
{

StopEvent::StopEvent() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

StopEvent::~StopEvent() { ::close(descriptor_); }

void StopEvent::signal() const noexcept { ::eventfd_write(descriptor_, 1); }

bool StopEvent::wait_for(Micros wait) const
{
    const auto deadline = std::chrono::steady_clock::now() + wait;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd stop{descriptor_, POLLIN, 0};
        const int ready = ::poll(&stop, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (ready >= 0 || errno != EINTR) return ready > 0;
    }
}

Micros Pause::next()
{
    const Micros now = next_;
    next_ = std::min(next_ * 2, kMost);
    return now;
}

}  // namespace boxoffice::redis
