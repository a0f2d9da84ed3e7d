#pragma once
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace boxoffice
{

/// Rate limit for what may happen a thousand times in a short while: log lines of a server that is down, of a disk that is
/// full. Any thread.
class LogThrottle
{
public:
    /// Lets `at_once` through in each span of `every`.
    explicit LogThrottle(std::chrono::steady_clock::duration every = std::chrono::minutes(1), int at_once = 1)
        : every_(every), at_once_(at_once)
    {
    }

    /// How many were kept back since the last that was let through; nothing when this one is kept back too.
    [[nodiscard]] std::optional<std::int64_t> due();

private:
    const std::chrono::steady_clock::duration every_;
    const int at_once_;
    std::mutex mutex_;                                            // protects what follows
    std::optional<std::chrono::steady_clock::time_point> began_;  // of the present span
    int let_through_ = 0;                                         // in it
    std::int64_t kept_back_ = 0;
};

}  // namespace boxoffice
