#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/command_line.hpp"
#include "cli/settings.hpp"

namespace boxoffice::cli
{
namespace
{

struct About {
    std::string_view usage;  // after "boxoffice "
    std::string_view line;   // in the list of commands
    std::string_view text;   // at the top of its own help
    std::string_view examples;
};

constexpr std::array<About, 14> kAbout{
    About{"serve [options]", "run the server: the API, its documentation and the storefront",
          "Runs the server: creates or opens the store, then serves the API under /api/v1/, its documentation at\n"
          "/docs and /redoc, and the storefront at /. SIGTERM or Ctrl-C lets requests in flight finish, then stops.\n\n"
          "By default it keeps everything in one folder and needs no other service. With a PostgreSQL store any number of\n"
          "servers sell from the same stock; rate limits, the live feed and jobs are then shared through Redis.",
          "  boxoffice serve\n"
          "  boxoffice serve --data /srv/boxoffice --listen 0.0.0.0:8000 --log-format json\n"
          "  boxoffice serve --database-url postgresql://boxoffice@db/boxoffice --redis-url redis://cache \\\n"
          "    --jwt-secret-file /run/secrets/jwt --work no\n"},
    About{"worker [options]", "run background work (expired holds, mail) for servers that share a store",
          "Runs the background work of a shared store: frees the seats of holds that were not paid in time, and executes\n"
          "jobs such as the mail that confirms a ticket. Start as many as you like, on any machine: each takes what no\n"
          "other has taken; there is no leader. It answers /health, /health/ready and /metrics only.\n\n"
          "boxoffice serve does the same beside selling unless started with --work no; with the embedded store it always\n"
          "does, and no separate worker can run.",
          "  boxoffice worker --database-url postgresql://boxoffice@db/boxoffice --redis-url redis://cache\n"
          "  boxoffice worker --config /etc/boxoffice/worker.toml --listen 0.0.0.0:8001\n"},
    About{"migrate up [options]", "upgrade the store's schema to this version",
          "Applies the migrations that the store does not have yet, each in its own transaction. serve does the same.",
          "  boxoffice migrate up\n"
          "  boxoffice migrate up --data /srv/boxoffice\n"},
    About{"migrate down [options]", "undo the last migration",
          "Undoes the last migration and says which. Data that only that migration can hold is lost: where there is any,\n"
          "it says what, and goes on only with --yes. Take a backup first.",
          "  boxoffice backup before.db && boxoffice migrate down --yes\n"
          "  boxoffice migrate down --database-url sqlite:copy.db\n"},
    About{"migrate status [options]", "list migrations, applied and pending",
          "Lists the migrations that this binary knows, applied and pending.",
          "  boxoffice migrate status\n"
          "  boxoffice migrate status --data /srv/boxoffice\n"},
    About{"demo [options]", "fill the store with a realistic catalogue for trials",
          "Writes events in the world's real towns, with organizers, buyers and tickets sold, for trying things out.\n"
          "The same options give the same rows. Nobody can log in as one of these people.",
          "  boxoffice demo --events 20000 --seed 7\n"
          "  boxoffice demo --data show --events 50 --from 2027-06-01\n"},
    About{"doctor [options]", "examine the store without changing it",
          "Checks the store's integrity, every event's counter against its live tickets, references, migrations, disk and\n"
          "clock, and with --redis-url what waits or died in the job stream, while servers run or not. Exit code 0 when all\n"
          "is well, 1 when something wants attention.",
          "  boxoffice doctor\n"
          "  boxoffice doctor --database-url sqlite:backup.db\n"
          "  boxoffice doctor --accept-clock\n"
          "  boxoffice doctor --database-url postgresql://boxoffice@db/boxoffice --redis-url redis://cache\n"},
    About{"backup FILE [options]", "copy the embedded store to a new file, while it is open or not",
          "Writes a consistent copy of the embedded store to FILE, which must not exist yet, while a server runs or not.\n"
          "A PostgreSQL store is backed up with its own tools: see docs/operating.md.",
          "  boxoffice backup boxoffice-copy.db\n"
          "  boxoffice backup /mnt/backups/monday.db --data /srv/boxoffice\n"},
    About{"restore [FILE] [options]", "restore the store from a backup",
          "Puts the backup FILE in the place of the embedded store, after looking it over, and keeps the old store beside it.\n"
          "With a PostgreSQL store: says to it that a backup was put back with its own tools; then there is no FILE.\n"
          "Either way another life of the store begins: ids go on beyond any that were given after the backup, so that\n"
          "none is used twice, all people have to log in again, and jobs left in Redis are dropped. Stop all servers first.",
          "  boxoffice restore /mnt/backups/monday.db --data /srv/boxoffice\n"
          "  boxoffice restore --database-url postgresql://boxoffice@db/boxoffice\n"},
    About{"copy --from URL --to URL", "copy an embedded store into a shared one",
          "Copies an embedded store into an empty PostgreSQL database, with every id as it was, and compares both row by row.\n"
          "Stop the server first. If it breaks off, the same command goes on where it was.",
          "  boxoffice copy --from sqlite:data/boxoffice.db --to postgresql://boxoffice@db/boxoffice\n"},
    About{"jobs list [options]", "list pending and dead background jobs, such as mail",
          "Lists the jobs of the outbox, while servers run or not: those that are dead (given up) with the reason, the newest\n"
          "first, then those that wait, as they are due.",
          "  boxoffice jobs list --dead\n"
          "  boxoffice jobs list --database-url postgresql://boxoffice@db/boxoffice --limit 1000\n"},
    About{"jobs retry ID…|--all-dead [options]", "retry dead jobs",
          "Has jobs tried again at once, with all tries before them, while servers run or not: what to do once a mail server\n"
          "is well again. A message that went out already does not go out a second time.",
          "  boxoffice jobs retry --all-dead\n"
          "  boxoffice jobs retry 17 18 --data /srv/boxoffice\n"},
    About{"jobs drop ID…|--all-dead [options]", "delete jobs for good",
          "Deletes jobs from the outbox for good, while servers run or not: their messages are never sent.",
          "  boxoffice jobs drop 17\n"
          "  boxoffice jobs drop --all-dead\n"},
    About{"version", "print the version and those of its libraries",
          "Prints the version of boxoffice and of the libraries it runs with.",
          "  boxoffice version\n"
          "  boxoffice --version\n"},
};

constexpr std::size_t kColumn = 28;
constexpr std::size_t kWidth = 100;

/// "  --flag VALUE      words wrapped below each other".
std::string entry(std::string_view left, std::string_view words)
{
    std::string out = fmt::format("  {:<{}}", left, kColumn - 2);
    if (left.size() > kColumn - 4) out += fmt::format("\n{:{}}", "", kColumn);
    std::size_t column = kColumn;
    while (!words.empty()) {
        const std::size_t end = std::min(words.find(' '), words.size());
        if (column > kColumn && column + 1 + end > kWidth) {
            out += fmt::format("\n{:{}}", "", kColumn);
            column = kColumn;
        } else if (column > kColumn) {
            out += ' ';
            ++column;
        }
        out += words.substr(0, end);
        column += end;
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return out + '\n';
}

std::string setting_entry(const Setting& setting, Command command)
{
    std::string fallback(setting.default_words);
    if (fallback.empty()) fallback = setting.show(defaults(command));
    std::erase(fallback, '"');
    std::string words(setting.help);
    if (!fallback.empty()) words += fmt::format(" (default: {})", fallback);
    if (!setting.environment.empty()) words += fmt::format(" [{}]", setting.environment);
    return entry(fmt::format("--{} {}", setting.name, setting.value_name), words);
}

std::string commands_text(std::string_view family)
{
    std::string out = "Commands\n";
    for (const About& about : kAbout) {
        if (!about.usage.starts_with(family)) continue;
        const std::size_t end = std::min({about.usage.find(" ["), about.usage.find(" --"), about.usage.find(" ID")});
        out += entry(about.usage.substr(0, end), about.line);
    }
    return out;
}

std::string general_text()
{
    return fmt::format(
        "boxoffice sells tickets: events, seats held for two minutes while people pay, and never one too many.\n\n"
        "usage: boxoffice COMMAND [options]\n\n"
        "{}\n"
        "Every command has its own --help. Options can also come from the environment (BOXOFFICE_DATA for --data) and\n"
        "from a TOML file (--config FILE, or boxoffice.toml in the data folder); flags go before the environment, the\n"
        "environment before the file.\n\n"
        "Examples\n"
        "  boxoffice serve\n"
        "  boxoffice demo --events 1000 --seed 1\n",
        commands_text(""));
}

}  // namespace

std::string help_text(std::optional<Command> command, std::string_view family)
{
    if (!command && family == "migrate") {
        return fmt::format(
            "Changes the store's schema. No server may have an embedded store open meanwhile.\n\nusage: boxoffice migrate "
            "COMMAND "
            "[options]\n\n"
            "{}\nExamples\n  boxoffice migrate status\n  boxoffice migrate up --data /srv/boxoffice\n",
            commands_text("migrate "));
    }
    if (!command && family == "jobs") {
        return fmt::format(
            "Lists, retries and deletes background jobs. Servers may run meanwhile.\n\nusage: boxoffice jobs COMMAND "
            "[options]\n\n"
            "{}\nExamples\n  boxoffice jobs list --dead\n  boxoffice jobs retry --all-dead\n",
            commands_text("jobs "));
    }
    if (!command) return general_text();

    const About& about = kAbout[static_cast<std::size_t>(*command)];
    std::string out = fmt::format("{}\n\nusage: boxoffice {}\n", about.text, about.usage);
    std::string_view group;
    for (const Setting& setting : settings()) {
        if ((setting.commands & bit(*command)) == 0) continue;
        if (setting.group != group) {
            group = setting.group;
            out += fmt::format("\n{}\n", group);
        }
        out += setting_entry(setting, *command);
    }
    if (command == Command::migrate_down) out += entry("--yes", "undo it though rows are lost by that");
    if (command == Command::doctor) {
        out +=
            entry("--accept-clock",
                  "the system's clock (of a shared store: the database's) is right though the store has later times, from when "
                  "it was ahead: have those mean nothing, and go on by it; stop all servers first");
    }
    if (command == Command::demo) out += entry("--add", "add to a store that has events already");
    if (command == Command::jobs_list) out += entry("--dead", "list only those that were given up");
    if (command == Command::jobs_retry || command == Command::jobs_drop) out += entry("--all-dead", "all that were given up");
    out += "\nMore\n";
    if (command == Command::worker) {
        out += entry("--config FILE", "TOML file of these options [BOXOFFICE_CONFIG]");
    } else if (command != Command::version && command != Command::copy) {
        out += entry("--config FILE",
                     "TOML file of these options (default: DATA/boxoffice.toml, when there is one) [BOXOFFICE_CONFIG]");
    }
    if (command == Command::serve || command == Command::worker)
        out += entry("--print-config", "print the effective configuration as such a file, and stop");
    out += entry("-h, --help", "print this and stop");
    return out + fmt::format("\nExamples\n{}", about.examples);
}

}  // namespace boxoffice::cli
