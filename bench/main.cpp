#include <sys/resource.h>

#include <cstdio>
#include <exception>

#include "machine.hpp"
#include "options.hpp"
#include "process.hpp"
#include "scenarios.hpp"

namespace boxoffice::bench
{
namespace
{

constexpr unsigned kFew = 64;
constexpr unsigned kMany = 512;

/// A socket for each connection on either side: the server inherits the limit.
void allow_many_sockets()
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

void run_paced_at_half(const Options& options, double full_rate)
{
    run_paced(options, options.rate > 0 ? options.rate : full_rate / 2);
}

bool run(const Options& options)
{
    const unsigned connections = options.connections > 0 ? options.connections : kFew;
    if (options.scenario == "reserve") run_reserve(options, connections);
    if (options.scenario == "paced") run_paced_at_half(options, options.rate > 0 ? 0 : run_reserve(options, kFew));
    if (options.scenario == "nearby") run_browse(options, Browse::nearby);
    if (options.scenario == "reads") run_browse(options, Browse::reads);
    if (options.scenario == "expiry") run_expiry(options);
    if (options.scenario == "live") run_live(options);
    if (options.scenario == "start") run_start(options);
    if (options.scenario == "workers") return run_workers(options);
    if (options.scenario == "replay") run_replay(options, connections);
    if (options.scenario == "crash") return run_crash(options);
    if (options.scenario == "hostile") return run_hostile(options);
    if (options.scenario != "all") return true;
    const double full_rate = run_reserve(options, kFew);
    run_reserve(options, kMany);
    run_paced_at_half(options, full_rate);
    run_browse(options, Browse::both);
    run_live(options);
    if (!options.database_url.empty()) return run_workers(options);
    run_expiry(options);
    run_start(options);
    return run_crash(options);
}

}  // namespace
}  // namespace boxoffice::bench

int main(int argc, char** argv)
{
    using namespace boxoffice::bench;
    try {
        const Options options = read_options(argc, argv);
        catch_interrupts();
        allow_many_sockets();
        std::printf(
            "%sruns:    %.1f s each after %.1f s of warm-up, median of %u; hold %.0f s%s\n",
            describe_machine(options.folder).c_str(), options.seconds, options.warmup, options.repeat, options.hold_seconds,
            options.slow_sync_us > 0 ? ("; every sync " + std::to_string(options.slow_sync_us) + " us longer").c_str() : "");
        return run(options) ? 0 : 1;
    } catch (const std::exception& exception) {
        std::fprintf(stderr, "boxoffice_bench: %s\n", exception.what());
        return 1;
    }
}
