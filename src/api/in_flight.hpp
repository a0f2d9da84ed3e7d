#pragma once
#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/ids.hpp"

namespace boxoffice::http
{

/// The Idempotency-Keys of requests that have not been answered yet. The store knows a key only once its act is committed; until
/// then, a second request with the same key is told so here. Any thread.
class InFlight
{
public:
    enum class Entry : std::uint8_t { entered, same_is_running, other_is_running };

    /// Entered: the caller must leave() with the same user and key.
    [[nodiscard]] Entry enter(UserId user, std::string_view key, std::string_view fingerprint)
    {
        std::string name = name_of(user, key);
        Shard& shard = shard_of(name);
        const std::lock_guard lock(shard.mutex);
        const auto [at, entered] = shard.fingerprints.try_emplace(std::move(name), fingerprint);
        if (entered) return Entry::entered;
        return at->second == fingerprint ? Entry::same_is_running : Entry::other_is_running;
    }

    void leave(UserId user, std::string_view key)
    {
        const std::string name = name_of(user, key);
        Shard& shard = shard_of(name);
        const std::lock_guard lock(shard.mutex);
        shard.fingerprints.erase(name);
    }

private:
    struct alignas(64) Shard {
        std::mutex mutex;
        std::unordered_map<std::string, std::string> fingerprints;
    };

    static std::string name_of(UserId user, std::string_view key)
    {
        std::string name = std::to_string(user.value);
        name += ' ';
        name += key;
        return name;
    }

    Shard& shard_of(const std::string& name) { return shards_[std::hash<std::string>{}(name) % shards_.size()]; }

    std::array<Shard, 16> shards_;
};

}  // namespace boxoffice::http
