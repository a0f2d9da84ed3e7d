#include "runtime/rate_limits.hpp"

#include <algorithm>
#include <utility>

namespace boxoffice
{

namespace
{

constexpr std::size_t kChainsPerTake = 4;     // a take adds one bucket at most; looking at more than that catches up
constexpr std::size_t kBucketsToChoose = 16;  // to find one that is nearly full, without looking at all

}  // namespace

LocalRates::LocalRates(std::size_t buckets_max) : shard_max_(std::max<std::size_t>(1, buckets_max / shards_.size())) {}

void LocalRates::take(std::string key, const RatePolicy& policy, Instant now, std::function<void(RateAnswer)> done)
{
    if (!policy.limits()) return done(RateAnswer{});
    Shard& shard = shards_[std::hash<std::string>{}(key) % shards_.size()];
    RateAnswer answer;
    {
        const std::lock_guard lock(shard.mutex);
        forget_full(shard, now);
        auto at = shard.entries.find(key);
        if (at == shard.entries.end()) {
            if (shard.entries.size() >= shard_max_) forget_nearest(shard);
            at = shard.entries.emplace(std::move(key), Entry{{policy.burst, now}, now}).first;
        }
        Entry& entry = at->second;
        answer = take_token(entry.bucket, policy, now);
        entry.full_at = entry.bucket.as_of + answer.reset;
    }
    done(answer);
}

std::size_t LocalRates::size() const
{
    std::size_t all = 0;
    for (const Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        all += shard.entries.size();
    }
    return all;
}

void LocalRates::forget_full(Shard& shard, Instant now)
{
    auto& entries = shard.entries;
    const std::size_t chains = entries.bucket_count();
    for (std::size_t looked = 0; looked < std::min(kChainsPerTake, chains) && !entries.empty(); ++looked) {
        const std::size_t chain = shard.looked_at++ % chains;
        for (auto at = entries.begin(chain); at != entries.end(chain);) {
            const auto& [key, entry] = *at;
            ++at;  // before its node may go
            if (entry.full_at <= now) entries.erase(entries.find(key));
        }
    }
}

/// The map is not empty.
void LocalRates::forget_nearest(Shard& shard)
{
    auto& entries = shard.entries;
    const std::size_t chains = entries.bucket_count();
    auto nearest = entries.end();
    std::size_t seen = 0;
    for (std::size_t looked = 0; looked < chains && seen < kBucketsToChoose; ++looked) {
        const std::size_t chain = shard.looked_at++ % chains;
        for (auto at = entries.begin(chain); at != entries.end(chain); ++at, ++seen) {
            if (nearest == entries.end() || at->second.full_at < nearest->second.full_at) nearest = entries.find(at->first);
        }
    }
    entries.erase(nearest);
}

}  // namespace boxoffice
