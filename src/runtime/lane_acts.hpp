#pragma once
#include <cstddef>
#include <cstdint>

#include "runtime/lanes.hpp"

/// What the write lane knows of acts beyond that the store executes them. Private to this module.
namespace boxoffice
{

/// The classes of acts, most urgent first: paying keeps a promise that was already made; then what frees holds and what makes
/// them; then this process's own upkeep, people, and what is on.
enum class WriteClass : std::uint8_t { payment, lapse, reservation, upkeep, people, catalogue };
inline constexpr std::size_t kUrgencies = 6;
[[nodiscard]] WriteClass class_of(const Act& act);

/// How many acts of a class may wait in a lane in which `depth_max` reservations may. Each class has places of its own, so that
/// none can refuse another.
[[nodiscard]] std::size_t places_of(WriteClass cls, std::size_t depth_max);

/// What an act of the catalogue weighs: about the bytes of the text whose words it puts into the index or takes out.
[[nodiscard]] std::size_t weight_of(const Act& act);
/// Whose act of the catalogue it is.
[[nodiscard]] UserId publisher_of(const Act& act);

/// Which of so many lanes an act goes through: acts of an event share one, since they would meet at its counter; those of a
/// ticket, since the event of a ticket is not known here; the rest go wherever.
[[nodiscard]] std::size_t lane_of(const Act& act, std::size_t lanes);

/// Whether this has surely changed something in the store: not so a refusal, a kept answer, a payment (it may be a repeated one)
/// or a look at what is due.
[[nodiscard]] bool has_written(const WriteJob& job);

/// Adds what a finished job has changed.
void gather_news(const LaneJob& job, BatchNews& news);

}  // namespace boxoffice
