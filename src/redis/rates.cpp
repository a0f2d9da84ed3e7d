#include <fmt/format.h>
#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "redis/bucket_script.hpp"
#include "redis/link.hpp"

namespace boxoffice
{

namespace redis
{

namespace
{

constexpr std::size_t kPipelineMax = 512;
constexpr std::size_t kWaitingMost = 20'000;
/// The caller waits for the answer before anything else is done for it.
constexpr Micros kPatience = std::chrono::milliseconds(200);
constexpr Micros kTryAgain = std::chrono::seconds(1);

struct Take {
    std::string key;
    RatePolicy policy;
    Instant now;
    std::function<void(RateAnswer)> done;
};

/// One thread sends everything that waits as one pipeline. No caller waits for a connection, not even the first: making one may
/// take seconds, in which a name is looked for that is not there any more. Until there is one, the node decides alone.
class RedisRates final : public RateLimits
{
public:
    RedisRates(const RedisOptions& options, RateLimits& alone)
        : alone_(alone), link_(address_of(options), std::min(options.timeout, kPatience)), thread_([this] { run(); })
    {
    }

    ~RedisRates() override
    {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }

    RedisRates(const RedisRates&) = delete;
    RedisRates& operator=(const RedisRates&) = delete;

    void take(std::string key, const RatePolicy& policy, Instant now, std::function<void(RateAnswer)> done) override
    {
        if (!policy.limits()) {
            done(RateAnswer{});
            return;
        }
        {
            const std::lock_guard lock(mutex_);
            if (!unavailable_ && waiting_.size() < kWaitingMost) {
                waiting_.push_back({std::move(key), policy, now, std::move(done)});
                if (waiting_.size() == 1) wake_.notify_one();
                return;
            }
        }
        alone_.take(std::move(key), policy, now, std::move(done));
    }

private:
    void run()
    {
        pthread_setname_np(pthread_self(), "rates");
        for (;;) {
            if (!connect()) {
                if (wait_to_try_again()) return;
                continue;
            }
            std::deque<Take> pipeline = next_pipeline();
            if (pipeline.empty()) return;
            execute(pipeline);
        }
    }

    bool connect()
    {
        try {
            if (link_.still_stands()) return true;
            go_alone();
            link_.open();
            const Reply reply = link_.ask({"SCRIPT", "LOAD", std::string(kBucketScript)}, kPatience);
            if (reply->type != REDIS_REPLY_STRING) throw LinkFailure("Redis: " + std::string(text_of(*reply)));
            digest_ = text_of(*reply);
            prove_of_use();
            const std::lock_guard lock(mutex_);
            unavailable_ = false;
            return true;
        } catch (const LinkFailure&) {
            link_.close();
            return false;
        }
    }

    /// A Redis that is full, or only reads, takes no token and refuses whatever is asked of it: it is as good as unavailable, and
    /// this is found out here, once a second, and not by those who ask.
    void prove_of_use()
    {
        const Take probe{"probe", {.per_minute = 60, .burst = 1}, Instant{}, nullptr};
        const Reply reply = link_.ask(command_of(probe, "EVALSHA", digest_), kPatience);
        if (is_error(*reply)) throw LinkFailure("Redis: " + std::string(text_of(*reply)));
    }

    void go_alone()
    {
        std::deque<Take> left;
        {
            const std::lock_guard lock(mutex_);
            unavailable_ = true;
            left.swap(waiting_);
        }
        for (Take& take : left) answer_alone(take);
    }

    /// Returns whether it is the end.
    bool wait_to_try_again()
    {
        std::unique_lock lock(mutex_);
        return wake_.wait_for(lock, kTryAgain, [this] { return stopping_; });
    }

    /// Waits for callers; none is left when it is the end.
    std::deque<Take> next_pipeline()
    {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        std::deque<Take> pipeline;
        while (!waiting_.empty() && pipeline.size() < kPipelineMax) {
            pipeline.push_back(std::move(waiting_.front()));
            waiting_.pop_front();
        }
        return pipeline;
    }

    static Command command_of(const Take& take, std::string_view how, std::string_view script)
    {
        return {std::string(how),
                std::string(script),
                "1",
                "boxoffice:rate:" + take.key,
                fmt::format("{}", take.policy.per_minute),  // the shortest text that is read as the same number
                fmt::format("{}", take.policy.burst),
                std::to_string(take.now.time_since_epoch().count()),
                fmt::format("{}", take.policy.price)};
    }

    void execute(std::deque<Take>& pipeline)
    {
        try {
            if (!link_.still_stands()) throw LinkFailure("Redis: the idle connection was closed");
            std::vector<Command> commands;
            commands.reserve(pipeline.size());
            for (const Take& take : pipeline) commands.push_back(command_of(take, "EVALSHA", digest_));
            const auto replies = link_.exchange(commands, kPatience);
            for (std::size_t i = 0; i < pipeline.size(); ++i) answer(pipeline[i], *replies[i]);
        } catch (const LinkFailure&) {
            link_.close();
            for (Take& take : pipeline) answer_alone(take);
        }
    }

    void answer(Take& take, const redisReply& reply)
    {
        if (is_error(reply, "NOSCRIPT")) {  // Redis was told to forget its scripts; EVAL has it remember this one
            const Reply again = link_.ask(command_of(take, "EVAL", kBucketScript), kPatience);
            answer(take, *again);
            return;
        }
        const auto parts = parts_of(reply);
        if (parts.size() != 4) throw LinkFailure("Redis: " + std::string(text_of(reply)));
        const auto done = std::move(take.done);
        take.done = nullptr;
        done({parts[0]->integer == 1, parts[1]->integer, Micros(parts[2]->integer), Micros(parts[3]->integer)});
    }

    void answer_alone(Take& take)
    {
        if (take.done) alone_.take(std::move(take.key), take.policy, take.now, std::move(take.done));
    }

    RateLimits& alone_;
    Link link_;           // the thread's
    std::string digest_;  // of the script, as Redis calls it; the thread's
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Take> waiting_;
    bool unavailable_ = true;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace

}  // namespace redis

std::unique_ptr<RateLimits> make_redis_rates(const RedisOptions& options, RateLimits& alone)
{
    return std::make_unique<redis::RedisRates>(options, alone);
}

}  // namespace boxoffice
