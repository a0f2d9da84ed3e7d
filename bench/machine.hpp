#pragma once
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

/// What the figures were measured on, and what a process has used so far.
namespace boxoffice::bench
{

[[nodiscard]] std::int64_t steady_ns();  // a clock that only goes on
[[nodiscard]] std::int64_t wall_us();    // microseconds since 1970: what the server's deadlines are in

[[nodiscard]] double own_cpu_seconds();
[[nodiscard]] double cpu_seconds(pid_t process);

struct Resident {
    double now_mb = 0;
    double peak_mb = 0;
};
[[nodiscard]] Resident resident(pid_t process);

/// Each thread's name and where in the kernel it waits: why a server does not stop.
[[nodiscard]] std::string threads_of(pid_t process);

/// One paragraph: cores, processor, memory, kernel, file system of `folder` and how long it takes to sync 4 KiB there.
[[nodiscard]] std::string describe_machine(const std::filesystem::path& folder);

}  // namespace boxoffice::bench
