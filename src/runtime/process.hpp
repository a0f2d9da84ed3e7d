#pragma once

namespace boxoffice
{

/// What the kernel says about this process, in base units; 0 where it says nothing.
struct ProcessFigures {
    double cpu_seconds = 0;  // user and system
    double resident_bytes = 0;
    double open_files = 0;
    double open_files_max = 0;  // may be infinite
};
[[nodiscard]] ProcessFigures process_figures();

/// Seconds since 1970, to a hundredth.
[[nodiscard]] double process_started_at();

}  // namespace boxoffice
