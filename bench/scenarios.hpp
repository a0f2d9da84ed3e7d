#pragma once
#include <cstdint>

#include "options.hpp"

/// One function a figure that the project promises; each prints its own table.
namespace boxoffice::bench
{

/// Returns the median of reservations accepted a second.
double run_reserve(const Options& options, unsigned connections);
void run_paced(const Options& options, double rate);
enum class Browse : std::uint8_t { nearby, reads, both };
void run_browse(const Options& options, Browse what);
void run_expiry(const Options& options);
void run_live(const Options& options);
void run_start(const Options& options);
/// False when an attack reached the honest clients.
[[nodiscard]] bool run_hostile(const Options& options);
/// False when a hold was released early or not at all.
[[nodiscard]] bool run_workers(const Options& options);
void run_replay(const Options& options, unsigned connections);
/// False when an acknowledged ticket was lost or the doctor complained.
[[nodiscard]] bool run_crash(const Options& options);

}  // namespace boxoffice::bench
