#pragma once
#include <cstdint>
#include <optional>

#include "core/instant.hpp"

namespace boxoffice
{

/// After a restore every id that the store gives is higher than this: than `highest`, which it has, and than any that it may have
/// given in the life that was lost. What it gave in that one is unknown, but not how much time there was to give it: no store
/// gives a hundred thousand ids a second on average, so none has come further since 2020, when there was no boxoffice yet.
/// That holds again for the ids given afterwards, so a store may be restored as often as one likes, and from whichever backup.
/// In 2^53, which JSON's readers keep exactly, there are ids until the year 4874.
[[nodiscard]] std::int64_t ids_after_restore(std::int64_t highest, Instant now);

/// The number of the life that begins with a restore: another one than any before, also where one backup is restored twice.
[[nodiscard]] std::int64_t generation_after(std::int64_t generation, Instant now);

/// What became of `doctor --accept-clock`.
struct AcceptedClock {
    std::optional<Instant> latest;  // time that the store had written
    bool done = false;              // false: it was not ahead
    std::int64_t holds = 0;         // that have got a deadline of the clock that is right
};

}  // namespace boxoffice
