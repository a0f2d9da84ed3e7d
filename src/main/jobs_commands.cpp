#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <functional>

#include "main/commands.hpp"
#include "main/parts.hpp"
#include "sqlite/sqlite.hpp"

namespace boxoffice
{

namespace
{

std::unique_ptr<JobDesk> desk_of(const cli::Config& config)
{
    if (is_shared(config)) return open_postgres_jobs(postgres_options(config));
    if (!std::filesystem::exists(config.database))
        throw std::runtime_error(
            fmt::format("There is no store at {} yet; boxoffice serve makes one.", config.database.native()));
    return open_sqlite_jobs(config.database);
}

std::string time_text(Instant time)
{
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string kind_text(EffectKind kind)
{
    switch (kind) {
        case EffectKind::ticket_paid:
            return "ticket_paid";
        case EffectKind::hold_expired:
            return "hold_expired";
        case EffectKind::event_changed:
            return "event_changed";
    }
    return fmt::format("kind {}", static_cast<unsigned>(kind));
}

std::string one_line(std::string text)
{
    std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
    return text;
}

void forget_dead_letters(const cli::Config& config, const std::vector<std::int64_t>& jobs)
{
    if (config.redis_url.empty() || jobs.empty()) return;
    try {
        forget_dead_jobs(redis_options(config), jobs);
    } catch (const StreamFailure& failure) {
        fmt::print(stderr, "boxoffice: they still stand in the dead letters of Redis, which are for doctor only: {}\n",
                   failure.what());
    }
}

using Change = std::vector<std::int64_t> (JobDesk::*)(std::span<const std::int64_t>);

int change_jobs(const cli::Config& config, Change change, std::string_view done)
{
    const auto desk = desk_of(config);
    std::vector<std::int64_t> wanted = config.all_dead_jobs ? desk->dead() : config.jobs;
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    std::vector<std::int64_t> changed = (*desk.*change)(wanted);
    std::sort(changed.begin(), changed.end());
    forget_dead_letters(config, changed);
    fmt::print("{} {} {}.\n", done, changed.size(), changed.size() == 1 ? "job" : "jobs");
    if (config.all_dead_jobs) return 0;
    std::vector<std::int64_t> missing;
    std::set_difference(wanted.begin(), wanted.end(), changed.begin(), changed.end(), std::back_inserter(missing));
    if (missing.empty()) return 0;
    fmt::print(stderr, "boxoffice: there is no job {}: done, or never there.\n", fmt::join(missing, ", "));
    return 1;
}

}  // namespace

int list_jobs(const cli::Config& config)
{
    const JobList list = desk_of(config)->list(config.dead_jobs_only, config.jobs_limit);
    constexpr std::string_view kLine = "{:>8}  {:<7}  {:<13}  {:>8}  {:>7}  {:>5}  {:<20}  {:<20}  {}\n";
    if (!list.rows.empty())
        fmt::print(kLine, "ID", "STATE", "KIND", "EVENT", "TICKETS", "TRIES", "MADE", "DUE OR DIED", "LAST ERROR");
    for (const JobRow& row : list.rows) {
        fmt::print(kLine, row.effect.id, row.dead_at ? "dead" : "waiting", kind_text(row.effect.kind), row.effect.event.value,
                   row.effect.tickets.size(), row.effect.tries, time_text(row.effect.made_at),
                   time_text(row.dead_at.value_or(row.due_at)), one_line(row.why));
    }
    const std::int64_t all = list.counts.dead + (config.dead_jobs_only ? 0 : list.counts.waiting);
    if (static_cast<std::int64_t>(list.rows.size()) < all)
        fmt::print("… and {} more: --limit lists more.\n", all - static_cast<std::int64_t>(list.rows.size()));
    fmt::print("{} dead, {} waiting.\n", list.counts.dead, list.counts.waiting);
    return 0;
}

int retry_jobs(const cli::Config& config) { return change_jobs(config, &JobDesk::retry, "To be tried again:"); }

int drop_jobs(const cli::Config& config) { return change_jobs(config, &JobDesk::drop, "Dropped"); }

}  // namespace boxoffice
