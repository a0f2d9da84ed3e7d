#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/config.hpp"

namespace boxoffice::cli
{

/// What was typed, before the values are validated. The only file that knows CLI11 is
/// command_line.cpp, which uses it as a tokenizer: help and checks come from the table in settings.hpp.
struct CommandLine {
    /// None when no command, or no whole one ("migrate" alone), was typed; `family` then says how far it went.
    std::optional<Command> command;
    std::string family;  // "", "migrate", "jobs"
    bool wants_help = false;
    bool add = false;                                        // demo --add
    std::vector<std::int64_t> jobs;                          // jobs retry ID…
    bool all_dead_jobs = false;                              // jobs retry --all-dead
    bool dead_jobs = false;                                  // jobs list --dead
    bool print_config = false;                               // serve and worker --print-config
    bool yes = false;                                        // migrate down --yes
    bool accept_clock = false;                               // doctor --accept-clock
    std::map<std::string, std::string, std::less<>> values;  // by setting, and "config", "backup-to" and "restore-from"
    std::vector<std::string> mistakes;                       // sentences
};

[[nodiscard]] CommandLine read_command_line(std::span<const char* const> arguments);

/// The word(s) of a command: "migrate up".
[[nodiscard]] std::string_view command_words(Command command);

}  // namespace boxoffice::cli
