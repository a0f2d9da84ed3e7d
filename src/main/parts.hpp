#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "api/api.hpp"
#include "cli/config.hpp"
#include "core/core.hpp"
#include "net/net.hpp"
#include "postgres/postgres.hpp"
#include "redis/redis.hpp"
#include "runtime/arrivals.hpp"
#include "runtime/expiry.hpp"
#include "runtime/jobs.hpp"
#include "runtime/lanes.hpp"
#include "runtime/log.hpp"
#include "runtime/metrics.hpp"
#include "runtime/rate_limits.hpp"
#include "runtime/shedding.hpp"

/// What serve and worker are made of alike.
namespace boxoffice
{

/// Whether messages are sent from this process, and not left to others.
[[nodiscard]] inline bool can_mail(const cli::Config& config)
{
    return config.mail == cli::MailWay::smtp || config.mail == cli::MailWay::file;
}
[[nodiscard]] inline bool is_shared(const cli::Config& config) { return !config.postgres_url.empty(); }
[[nodiscard]] PostgresOptions postgres_options(const cli::Config& config);
[[nodiscard]] RedisOptions redis_options(const cli::Config& config);
[[nodiscard]] http::ServerOptions server_options(const cli::Config& config);
/// Live feeds have at most three quarters of the connections, so that they never take the last place of an ordinary request.
[[nodiscard]] http::ShareLimits feed_limits(const cli::Config& config, std::size_t connections_max);
[[nodiscard]] Instant system_now();

/// Holds the log open, and writes out what is queued on whatever way the scope is left.
struct OpenLog {
    explicit OpenLog(const cli::Config& config);
    OpenLog(const OpenLog&) = delete;
    OpenLog& operator=(const OpenLog&) = delete;
    ~OpenLog();
};

/// The store that the configuration names, migrated, and the clock that all its users judge by.
struct OpenStore {
    explicit OpenStore(const cli::Config& config);
    OpenStore(const OpenStore&) = delete;
    OpenStore& operator=(const OpenStore&) = delete;
    ~OpenStore() = default;

    std::unique_ptr<Zones> zones;
    bool has_housekeeping;   // an embedded store; a shared one's server does that by itself
    LocalArrivals arrivals;  // the store asks it
    std::unique_ptr<Store> store;
    std::unique_ptr<Clock> clock;   // asks the store, so it goes first
    std::function<Micros()> ahead;  // how far the clock is ahead of the one that it is carried by; of the clock's life

    /// What a readiness check looks at beside whether the store can be read and written.
    [[nodiscard]] std::vector<http::OtherPart> others() const;
};

/// What nodes share beside the store; all null without Redis.
struct Shared {
    Shared(const cli::Config& config, Store& store);

    LocalRates alone;
    std::unique_ptr<JobStream> jobs;
    std::unique_ptr<ChangeBus> bus;  // without Redis: one that carries nothing, so that each node polls
    std::unique_ptr<RateLimits> rates;
    std::unique_ptr<RedisWatch> watch;

    [[nodiscard]] std::vector<http::OtherPart> others(const cli::Config& config, Store& store) const;
};

/// All parts that sales go on without for a while.
[[nodiscard]] std::vector<http::OtherPart> others_of(const cli::Config& config, const OpenStore& open, const Shared& shared);

/// What a worker does: lapses due holds and executes the outbox's jobs.
class Work
{
public:
    Work(const cli::Config& config, const OpenStore& open, WriteLane& writes, Metrics& metrics, Shedding& shedding,
         JobStream* stream);
    ~Work();  // stop()
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;

    /// Call before the first submit to the lane.
    void start();
    /// Waits for messages that are on their way: as long as a mailer takes over one. Call before the lane is stopped. Idempotent.
    void stop();

private:
    Store& store_;
    bool shared_;
    std::atomic<bool> stopping_{false};
    std::unique_ptr<Mailer> mailer_;
    JobRunner::Job job_;
    Expiry expiry_;
    JobRunner jobs_;
};

/// Gauges that any process over a store has.
void measure_store(Metrics& metrics, const OpenStore& open, const WriteLane& writes, const WorkLane& reads);

}  // namespace boxoffice
