#include "core/identity.hpp"

#include <algorithm>
#include <chrono>

namespace boxoffice
{

namespace
{

constexpr Instant kNoStoreBefore = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
constexpr std::int64_t kIdsASecond = 100'000;
/// Where the clock cannot be right.
constexpr std::int64_t kIdsAtLeast = 1'000'000;
constexpr std::int64_t kIdsMost = std::int64_t{1} << 52;

}  // namespace

std::int64_t ids_after_restore(std::int64_t highest, Instant now)
{
    const auto seconds = std::max<std::int64_t>(0, std::chrono::floor<std::chrono::seconds>(now - kNoStoreBefore).count());
    const std::int64_t by_time = std::min(seconds, kIdsMost / kIdsASecond) * kIdsASecond;
    return std::max(by_time, highest + kIdsAtLeast);
}

std::int64_t generation_after(std::int64_t generation, Instant now)
{
    return std::max<std::int64_t>(generation + 1, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
}

}  // namespace boxoffice
