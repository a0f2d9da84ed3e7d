#include <algorithm>
#include <array>
#include <thread>
#include <unordered_set>

#include "redis/job_fields.hpp"
#include "redis/pool.hpp"

namespace boxoffice
{

namespace redis
{

namespace
{

/// What is trimmed away beyond this is relayed from the outbox once more: the bound is there for a Redis without workers.
constexpr std::string_view kWaitingMost = "200000";
constexpr std::size_t kAddedAtOnce = 1000;
constexpr auto kClaimEvery = std::chrono::seconds(1);
constexpr std::string_view kFirst = "0-0";

std::string millis(Micros time) { return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(time).count()); }

/// A Redis that refuses (it is loading, out of memory, a replica) is as good as unavailable: the link is closed, which tells the
/// pool.
void check(Link& link, const redisReply& reply)
{
    if (!is_error(reply)) return;
    link.close();
    throw LinkFailure("Redis: " + std::string(text_of(reply)));
}

class RedisJobs final : public JobStream
{
public:
    RedisJobs(const RedisOptions& options, StoreOfJobs store)
        : consumer_(options.consumer),
          timeout_(options.timeout),
          abandoned_after_(options.abandoned_after),
          store_(std::move(store)),
          pool_(options)
    {
    }

    void add(std::span<const Effect> effects) override
    {
        if (effects.empty()) return;
        const std::string store = store_name();
        const auto link = pool_.borrow();
        for (; !effects.empty(); effects = effects.subspan(std::min(kAddedAtOnce, effects.size()))) {
            std::vector<Command> pipeline;
            for (const Effect& effect : effects.first(std::min(kAddedAtOnce, effects.size()))) {
                pipeline.push_back({"XADD", std::string(kJobs), "MAXLEN", "~", std::string(kWaitingMost), "*"});
                append_fields(pipeline.back(), effect);
                if (!store.empty()) pipeline.back().insert(pipeline.back().end(), {std::string(kStoreField), store});
            }
            for (const Reply& reply : link->exchange(pipeline)) check(*link, *reply);
        }
    }

    std::vector<StreamedJob> take(std::size_t most, Micros wait) override
    {
        if (most == 0) return {};
        wait = std::max(wait, Micros(0));
        // A caller that takes in a loop is to wait here too while Redis is unavailable, instead of spinning.
        if (const Micros pause = pool_.retry_in(); pause > Micros(0)) std::this_thread::sleep_for(std::min(pause, wait));
        const auto link = pool_.borrow();
        for (;;) {
            std::vector<StreamedJob> jobs;
            bool group_is_there = true;
            if (claim_is_due()) group_is_there = claim(*link, most, jobs);
            if (group_is_there && jobs.empty()) group_is_there = read_new(*link, most, wait, jobs);
            if (group_is_there) return jobs;
            make_group(*link);
        }
    }

    void acknowledge(std::span<const std::string> tokens) override
    {
        if (tokens.empty()) return;
        std::array<Command, 2> pipeline = {Command{"XACK", std::string(kJobs), std::string(kWorkers)},
                                           Command{"XDEL", std::string(kJobs)}};
        for (Command& command : pipeline) command.insert(command.end(), tokens.begin(), tokens.end());
        const auto link = pool_.borrow();
        for (const Reply& reply : link->exchange(pipeline)) check(*link, *reply);
    }

    void dead_letter(const Effect& effect, std::string_view why) override
    {
        Command command = burial(why);
        append_fields(command, effect);
        const auto link = pool_.borrow();
        check(*link, *link->ask(command));
    }

    StreamCounts counts() override
    {
        const std::array<Command, 2> pipeline = {Command{"XLEN", std::string(kJobs)}, Command{"XLEN", std::string(kDeadJobs)}};
        const auto link = pool_.borrow();
        const auto replies = link->exchange(pipeline);
        for (const Reply& reply : replies) check(*link, *reply);
        return {replies[0]->integer, replies[1]->integer};
    }

private:
    using Steady = std::chrono::steady_clock;

    [[nodiscard]] std::string store_name() const
    {
        const auto identity = store_.identity ? store_.identity() : nullptr;
        return identity && !identity->id.empty() ? identity->id + '.' + std::to_string(identity->generation) : std::string();
    }

    /// False for what another store or another life of this one has left, and for what is done already. Nodes of the version
    /// before name no store: so for every entry the outbox has the last word.
    [[nodiscard]] bool is_ours(std::string_view named, const Effect& effect) const
    {
        const std::string own = store_name();
        if (!own.empty() && !named.empty() && named != own) return false;
        return !store_.has_effect || store_.has_effect(effect);
    }

    /// One thread at a time looks for abandoned deliveries, and not more often than they can come.
    bool claim_is_due()
    {
        const std::lock_guard lock(mutex_);
        if (Steady::now() < claim_at_) return false;
        claim_at_ = Steady::now() + kClaimEvery;
        return true;
    }

    /// False: there is no group.
    bool claim(Link& link, std::size_t most, std::vector<StreamedJob>& jobs)
    {
        Command command = {"XAUTOCLAIM", std::string(kJobs), std::string(kWorkers), consumer_, millis(abandoned_after_)};
        {
            const std::lock_guard lock(mutex_);
            command.push_back(claim_from_);
        }
        command.insert(command.end(), {"COUNT", std::to_string(most)});
        const Reply reply = link.ask(command);
        if (is_error(*reply, "NOGROUP")) return false;
        check(link, *reply);
        const auto parts = parts_of(*reply);  // where to go on, the entries, and since Redis 7 those that are gone
        if (parts.size() < 2) throw LinkFailure("Redis: XAUTOCLAIM answers something else");
        read_entries(link, parts_of(*parts[1]), jobs);
        const std::lock_guard lock(mutex_);
        claim_from_ = text_of(*parts[0]);
        if (claim_from_ != kFirst) claim_at_ = {};  // there are more to look at
        return true;
    }

    /// False: there is no group.
    bool read_new(Link& link, std::size_t most, Micros wait, std::vector<StreamedJob>& jobs)
    {
        Command command = {"XREADGROUP", "GROUP", std::string(kWorkers), consumer_, "COUNT", std::to_string(most)};
        if (wait > Micros(0)) command.insert(command.end(), {"BLOCK", millis(wait)});  // BLOCK 0 would wait for ever
        command.insert(command.end(), {"STREAMS", std::string(kJobs), ">"});
        const Reply reply = link.ask(command, timeout_ + wait);
        // A stream that is removed while a client waits for it says UNBLOCKED, as a group does.
        if (is_error(*reply, "NOGROUP") || is_error(*reply, "UNBLOCKED")) return false;
        check(link, *reply);
        for (const redisReply* const stream : parts_of(*reply)) {
            const auto parts = parts_of(*stream);
            if (parts.size() == 2) read_entries(link, parts_of(*parts[1]), jobs);
        }
        return true;
    }

    /// What cannot be read goes to the dead letters: to throw would have it delivered again and again.
    void read_entries(Link& link, std::span<redisReply* const> entries, std::vector<StreamedJob>& jobs) const
    {
        for (const redisReply* const entry : entries) {
            const auto parts = parts_of(*entry);
            if (parts.size() != 2) continue;  // removed from the stream meanwhile
            const std::string token(text_of(*parts[0]));
            if (auto effect = read_fields(parts_of(*parts[1]))) {
                if (is_ours(store_in(parts_of(*parts[1])), *effect))
                    jobs.push_back({token, std::move(*effect)});
                else
                    drop(link, token);
                continue;
            }
            Command dead = burial("it cannot be read");
            for (const redisReply* const field : parts_of(*parts[1])) dead.emplace_back(text_of(*field));
            const std::array<Command, 3> pipeline = {std::move(dead),
                                                     Command{"XACK", std::string(kJobs), std::string(kWorkers), token},
                                                     Command{"XDEL", std::string(kJobs), token}};
            for (const Reply& reply : link.exchange(pipeline)) check(link, *reply);
        }
    }

    static void drop(Link& link, const std::string& token)
    {
        const std::array<Command, 2> pipeline = {Command{"XACK", std::string(kJobs), std::string(kWorkers), token},
                                                 Command{"XDEL", std::string(kJobs), token}};
        for (const Reply& reply : link.exchange(pipeline)) check(link, *reply);
    }

    /// From the stream's beginning: what was added before the group was there is to be done too.
    static void make_group(Link& link)
    {
        const Reply reply = link.ask({"XGROUP", "CREATE", std::string(kJobs), std::string(kWorkers), "0", "MKSTREAM"});
        if (!is_error(*reply, "BUSYGROUP")) check(link, *reply);
    }

    const std::string consumer_;
    const Micros timeout_;
    const Micros abandoned_after_;
    const StoreOfJobs store_;
    Pool pool_;
    std::mutex mutex_;
    Steady::time_point claim_at_{};
    std::string claim_from_{kFirst};
};

}  // namespace

}  // namespace redis

void forget_dead_jobs(const RedisOptions& options, std::span<const std::int64_t> jobs)
{
    constexpr std::string_view kAtOnce = "1000";
    const std::unordered_set<std::int64_t> wanted(jobs.begin(), jobs.end());
    redis::Link link(redis::address_of(options), options.timeout);
    link.open();
    // There are some ten thousand at most: each is looked at.
    for (std::string from = "-";;) {
        const redis::Reply reply = link.ask({"XRANGE", std::string(redis::kDeadJobs), from, "+", "COUNT", std::string(kAtOnce)});
        redis::check(link, *reply);
        redis::Command gone = {"XDEL", std::string(redis::kDeadJobs)};
        for (const redisReply* const entry : redis::parts_of(*reply)) {
            const auto parts = redis::parts_of(*entry);
            if (parts.size() != 2) continue;
            from = "(" + std::string(redis::text_of(*parts[0]));
            const auto effect = redis::read_fields(redis::parts_of(*parts[1]));
            if (effect && wanted.contains(effect->id)) gone.emplace_back(redis::text_of(*parts[0]));
        }
        if (redis::parts_of(*reply).empty()) return;
        if (gone.size() > 2) redis::check(link, *link.ask(gone));
    }
}

std::unique_ptr<JobStream> make_redis_jobs(const RedisOptions& options, StoreOfJobs store)
{
    return std::make_unique<redis::RedisJobs>(options, std::move(store));
}

}  // namespace boxoffice
