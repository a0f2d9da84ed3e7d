#pragma once
#include "cli/config.hpp"

/// The commands, each to its exit code. They throw with a sentence for the operator.
namespace boxoffice
{

// serve.cpp, worker.cpp
[[nodiscard]] int serve(const cli::Config& config);
[[nodiscard]] int work(const cli::Config& config);

// store_commands.cpp
[[nodiscard]] int migrate_up(const cli::Config& config);
[[nodiscard]] int migrate_down(const cli::Config& config);
[[nodiscard]] int migrate_status(const cli::Config& config);
[[nodiscard]] int play_demo(const cli::Config& config);
[[nodiscard]] int doctor(const cli::Config& config);
[[nodiscard]] int backup(const cli::Config& config);
[[nodiscard]] int restore(const cli::Config& config);
[[nodiscard]] int copy(const cli::Config& config);
[[nodiscard]] int print_version();

// jobs_commands.cpp
[[nodiscard]] int list_jobs(const cli::Config& config);
[[nodiscard]] int retry_jobs(const cli::Config& config);
[[nodiscard]] int drop_jobs(const cli::Config& config);

}  // namespace boxoffice
