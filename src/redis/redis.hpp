#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "core/core.hpp"

/// What nodes share beside the store: the job stream, the change bus, the rate limits. All of it may be lost or unavailable at
/// any time: sales go on, jobs wait in the outbox, nodes look at the store for themselves, and limits hold for each node alone.
namespace boxoffice
{

struct RedisOptions {
    std::string url;       // redis[s]://[[user:]password@]host[:port][/database][?cacert=…], or unix:///path/to/socket
    std::string consumer;  // names this process among the workers: host and pid
    Micros timeout = std::chrono::milliseconds(1000);   // to connect, and for each exchange
    Micros abandoned_after = std::chrono::seconds(60);  // a delivery not acknowledged by then is another worker's
};

/// Nothing when the URL can be used, or a sentence about what is wrong with it. Connects to nothing.
[[nodiscard]] std::string why_bad_redis_url(std::string_view url);

/// Whose jobs a stream carries: it may hold what another store, or another life of this one, has left.
struct StoreOfJobs {
    /// As it is now; never null. Any thread.
    std::function<std::shared_ptr<const StoreIdentity>()> identity;
    /// Whether its outbox has this effect. Any thread; throws what the store throws.
    std::function<bool(const Effect&)> has_effect;
};

/// None of these need Redis to be there: they connect when they are used and again whenever the connection was lost, with a
/// growing pause between tries.
/// What is not of `store` is taken off the stream and never delivered: entries that name another one, and those of which its
/// outbox knows nothing, or no more.
[[nodiscard]] std::unique_ptr<JobStream> make_redis_jobs(const RedisOptions& options, StoreOfJobs store = {});
[[nodiscard]] std::unique_ptr<ChangeBus> make_redis_change_bus(const RedisOptions& options);
/// `alone` decides while Redis is unavailable, slower than 200 ms, full or only reads; it outlives this.
[[nodiscard]] std::unique_ptr<RateLimits> make_redis_rates(const RedisOptions& options, RateLimits& alone);

/// Whether Redis answers and takes what is written, asked at most once a second; in between the last answer holds.
/// Any thread.
class RedisWatch
{
public:
    explicit RedisWatch(const RedisOptions& options);
    ~RedisWatch();
    RedisWatch(const RedisWatch&) = delete;
    RedisWatch& operator=(const RedisWatch&) = delete;
    [[nodiscard]] bool ok() { return trouble().empty(); }
    /// What is wrong, in Redis' words or ours; empty: nothing.
    [[nodiscard]] std::string trouble();

private:
    class Self;
    std::unique_ptr<Self> self_;
};

/// Takes jobs that are dead no more out of the dead letters, by their ids in the outbox. Throws StreamFailure.
void forget_dead_jobs(const RedisOptions& options, std::span<const std::int64_t> jobs);

/// For `doctor`: reachable, which version, how many jobs wait, how many are dead and why the newest one died.
[[nodiscard]] std::vector<Finding> examine_redis(const RedisOptions& options);

}  // namespace boxoffice
