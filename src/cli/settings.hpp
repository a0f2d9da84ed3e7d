#pragma once
#include <span>
#include <string>
#include <string_view>

#include "cli/config.hpp"

/// The one table of settings: flags, environment, file, help and --print-config are all made of it.
namespace boxoffice::cli
{

[[nodiscard]] constexpr unsigned bit(Command command) { return 1U << static_cast<unsigned>(command); }

/// A `url` may hold a password and is shown without it; a `secret` is never shown.
enum class Visibility : std::uint8_t { open, url, secret };

struct Setting {
    std::string_view name;        // "hold-seconds": the flag without its dashes, and the key in the file
    std::string_view value_name;  // "SECONDS"
    std::string_view group;       // heading in --help
    std::string_view help;
    std::string_view default_words;  // shown instead of the default's value where that depends on something
    unsigned commands;               // bit() of each that takes it
    std::string_view environment;    // "BOXOFFICE_HOLD_SECONDS"; empty: flag only
    Visibility visibility;
    /// Sets it from text. What it must be, if it is not ("a whole number from 4 to 15"); empty when set.
    std::string (*apply)(Config&, std::string_view);
    /// Its value as TOML; empty when there is none to show.
    std::string (*show)(const Config&);
};

/// Two rows may have one name when they mean different things to different commands.
[[nodiscard]] std::span<const Setting> settings();
/// The row that `command` takes, else any of that name, else none.
[[nodiscard]] const Setting* find_setting(std::string_view name, Command command);

/// The configuration of a command that is told nothing.
[[nodiscard]] Config defaults(Command command);

}  // namespace boxoffice::cli
