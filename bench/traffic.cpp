#include "traffic.hpp"

#include <cstdio>

#include "machine.hpp"

namespace boxoffice::bench
{

std::optional<std::string_view> RoundTraffic::next(std::size_t)
{
    if (left_ == 0) return std::nullopt;
    if (left_ > 0) --left_;
    if (at_ == requests_.size()) at_ = 0;
    return requests_[at_++];
}

Verdict RoundTraffic::answered(std::size_t, const Answer& answer)
{
    return answer.status == wanted_ ? Verdict::good : Verdict::bad;
}

Spent measure(Loop& loop, const ServerProcess& server, const Options& options, std::initializer_list<Tally*> tallies)
{
    if (options.warmup > 0) loop.run_for(options.warmup);
    for (Tally* tally : tallies) *tally = Tally{};
    const std::int64_t started = steady_ns();
    const double server_before = cpu_seconds(server.pid());
    const double own_before = own_cpu_seconds();
    loop.run_for(options.seconds);
    Spent spent;
    spent.seconds = static_cast<double>(steady_ns() - started) / 1e9;
    spent.server_cpu = cpu_seconds(server.pid()) - server_before;
    spent.own_cpu = own_cpu_seconds() - own_before;
    loop.wait_until_idle();
    for (const Tally* tally : tallies) complain_of(*tally);
    return spent;
}

void complain_of(const Tally& tally)
{
    if (tally.bad == 0 && tally.lost == 0) return;
    std::fprintf(stderr, "  not as wanted:");
    for (const auto& [status, count] : tally.bad_by_status) {
        std::fprintf(stderr, " %llu answers with %d,", static_cast<unsigned long long>(count), status);
    }
    std::fprintf(stderr, " %llu connections lost\n", static_cast<unsigned long long>(tally.lost));
}

Program program_of(const Options& options)
{
    Program program;
    program.binary = options.binary;
    program.slow_sync_us = options.slow_sync_us;
    if (options.slow_sync_us > 0) program.preload = options.slow_sync;
    // What is measured is how fast it answers, not how fast it refuses.
    program.settings = {"BOXOFFICE_RATE_LIMIT=off"};
    if (!options.database_url.empty()) {
        program.settings.push_back("BOXOFFICE_DATABASE_URL=" + options.database_url);
        program.settings.emplace_back("BOXOFFICE_JWT_SECRET=of-a-load-generator-and-of-nobody-else");
        if (!options.redis_url.empty()) program.settings.push_back("BOXOFFICE_REDIS_URL=" + options.redis_url);
    }
    return program;
}

std::vector<std::string> serve_arguments(double hold_seconds, int bcrypt_cost)
{
    return {"--hold-seconds", std::to_string(hold_seconds), "--bcrypt-cost", std::to_string(bcrypt_cost)};
}

}  // namespace boxoffice::bench
