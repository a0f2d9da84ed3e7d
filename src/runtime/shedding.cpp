#include "runtime/shedding.hpp"

#include <chrono>

#include "runtime/log.hpp"

namespace boxoffice
{

namespace
{

/// A flood must not become a flood of log lines: one example a second says who and what, and how many were like it.
constexpr std::chrono::seconds kLogged{1};

}  // namespace

void Shedding::refused(std::string_view cls, std::string_view reason, const RefusedClient& client)
{
    metrics_.shed(cls, reason);
    LogThrottle* log = nullptr;
    {
        const std::string key = std::string(cls) + ' ' + std::string(reason);
        const std::lock_guard lock(mutex_);
        auto& slot = logs_[key];
        if (!slot) slot = std::make_unique<LogThrottle>(kLogged);
        log = slot.get();
    }
    const auto unlogged = log->due();
    if (!unlogged) return;
    log::info(
        "refused",
        {{"class", cls}, {"reason", reason}, {"client", client.address}, {"account", client.account}, {"unlogged", *unlogged}});
}

}  // namespace boxoffice
