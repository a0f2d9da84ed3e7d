#pragma once
#include <cstddef>

#include "runtime/lanes.hpp"

/// What the write lane knows of acts beyond that the store carries them out. Private to this room.
namespace boxoffice
{

/// Paying keeps a promise that was already made, so it goes first (0); then what makes or frees holds; then the rest.
inline constexpr std::size_t kUrgencies = 3;
[[nodiscard]] std::size_t urgency_of(const Act& act);

/// Which of so many lanes an act goes through: acts of an event share one, since they would meet at its counter; those of a
/// ticket, since the event of a ticket is not known here; the rest go wherever.
[[nodiscard]] std::size_t lane_of(const Act& act, std::size_t lanes);

/// Whether this has surely changed something in the store: not so a refusal, a kept answer, a payment (it may be a repeated one)
/// or a look at what is due.
[[nodiscard]] bool has_written(const WriteJob& job);

/// Adds what a finished job has changed.
void gather_news(const LaneJob& job, BatchNews& news);

}  // namespace boxoffice
