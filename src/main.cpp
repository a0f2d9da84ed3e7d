/// Reads the configuration and runs the command; main/ holds the commands, and is the only module that names every adapter.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>
#include <span>

#include "cli/config.hpp"
#include "mail/mail.hpp"
#include "main/commands.hpp"
#include "postgres/postgres.hpp"
#include "redis/redis.hpp"
#include "security/security.hpp"
#include "sqlite/sqlite.hpp"

namespace
{

using namespace boxoffice;
using cli::Command;

constexpr cli::Checks kChecks{.why_weak = why_weak,
                              .why_bad_postgres_url = why_bad_postgres_url,
                              .why_bad_redis_url = why_bad_redis_url,
                              .why_bad_smtp_url = why_bad_smtp_url,
                              .why_bad_mail_from = why_bad_mail_from,
                              .hide_password = hide_password};

int run(const cli::Config& config)
{
    switch (config.command) {
        case Command::serve:
            return serve(config);
        case Command::worker:
            return work(config);
        case Command::migrate_up:
            return migrate_up(config);
        case Command::migrate_down:
            return migrate_down(config);
        case Command::migrate_status:
            return migrate_status(config);
        case Command::demo:
            return play_demo(config);
        case Command::doctor:
            return doctor(config);
        case Command::backup:
            return backup(config);
        case Command::restore:
            return restore(config);
        case Command::copy:
            return copy(config);
        case Command::jobs_list:
            return list_jobs(config);
        case Command::jobs_retry:
            return retry_jobs(config);
        case Command::jobs_drop:
            return drop_jobs(config);
        case Command::version:
            return print_version();
    }
    return 2;
}

}  // namespace

int main(int argc, char** argv)
{
    ::umask(0077);  // the store holds addresses, the data folder a secret: readable by their owner only
    try {
        const std::span<const char* const> arguments(argv, static_cast<std::size_t>(argc));
        const auto read = cli::read_config(arguments.subspan(arguments.empty() ? 0 : 1), kChecks);
        if (const auto* const stop = std::get_if<cli::Stop>(&read)) {
            std::fputs(stop->out.c_str(), stdout);
            std::fputs(stop->err.c_str(), stderr);
            return stop->code;
        }
        const auto& config = std::get<cli::Config>(read);
        try {
            return run(config);
        } catch (const StoreFailure& failure) {
            throw std::runtime_error(explain_sqlite(failure, config.database));
        }
    } catch (const std::exception& exception) {
        fmt::print(stderr, "boxoffice: {}\n", exception.what());
        return 1;
    }
}
