#pragma once
#include <array>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/ports.hpp"

namespace boxoffice
{

/// The buckets of this process alone. A bucket that has filled up again is as good as none and is forgotten, a few of them with
/// every take; so memory follows those who ask now. Where more ask than `buckets_max`, the one nearest to a full bucket is
/// forgotten early.
class LocalRates final : public RateLimits
{
public:
    explicit LocalRates(std::size_t buckets_max = 256 * 1024);  // about 40 MB when all are there

    void take(std::string key, const RatePolicy& policy, Instant now, std::function<void(RateAnswer)> done) override;
    [[nodiscard]] std::size_t size() const;  // buckets remembered now

private:
    struct Entry {
        Bucket bucket;
        Instant full_at;
    };
    struct alignas(64) Shard {
        mutable std::mutex mutex;
        std::unordered_map<std::string, Entry> entries;
        std::size_t looked_at = 0;  // of the map's chains: where the next look for full buckets goes on
    };

    static void forget_full(Shard& shard, Instant now);
    static void forget_nearest(Shard& shard);

    std::array<Shard, 16> shards_;
    std::size_t shard_max_;
};

}  // namespace boxoffice
