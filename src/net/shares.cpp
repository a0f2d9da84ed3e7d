#include "net/shares.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace boxoffice::http
{

namespace
{

constexpr std::size_t kShards = 16;  // as for rates: two clients seldom meet at one mutex

struct Key {
    enum class Kind : std::uint8_t { address, network64, network48, account } kind = Kind::address;
    Address bytes{};
    bool operator==(const Key&) const = default;
};

struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept
    {
        std::array<char, sizeof(Address) + 1> text{};
        std::memcpy(text.data(), key.bytes.bytes.data(), sizeof(Address));
        text.back() = static_cast<char>(key.kind);
        return std::hash<std::string_view>{}(std::string_view(text.data(), text.size()));
    }
};

[[nodiscard]] Address network(Address address, std::size_t bytes)
{
    std::fill(address.bytes.begin() + static_cast<std::ptrdiff_t>(bytes), address.bytes.end(), std::uint8_t{0});
    return address;
}

/// What a client is counted by: one key, or two.
struct Keys {
    std::array<Key, 2> keys{};
    std::array<std::size_t, 2> limits{};
    std::size_t count = 0;

    void add(const Key& key, std::size_t limit)
    {
        if (limit == 0) return;
        keys.at(count) = key;
        limits.at(count++) = limit;
    }
};

[[nodiscard]] Keys keys_of(const Address& client, std::int64_t account, const ShareLimits& limits)
{
    Keys keys;
    if (account != 0) {
        Key key{Key::Kind::account};
        std::memcpy(key.bytes.bytes.data(), &account, sizeof account);
        keys.add(key, limits.per_account);
    } else if (client.is_v4()) {
        keys.add({Key::Kind::address, client}, limits.per_address);
    } else {
        keys.add({Key::Kind::network64, network(client, 8)}, limits.per_64);
        keys.add({Key::Kind::network48, network(client, 6)}, limits.per_48);
    }
    return keys;
}

}  // namespace

class Shares::Counts
{
public:
    explicit Counts(const ShareLimits& limits) : limits_(limits) {}

    [[nodiscard]] Grant change(const Address& client, std::int64_t account, std::size_t from, std::size_t to)
    {
        const bool counts_in_total = account == 0;
        if (to > from && counts_in_total && !enter_total(to - from)) return Grant::all_full;
        const Keys keys = keys_of(client, account, limits_);
        const bool given = keys.count == 0 || change(keys, from, to);
        if (counts_in_total && !given) total_.fetch_sub(to - from, std::memory_order_relaxed);
        if (counts_in_total && given && to < from) total_.fetch_sub(from - to, std::memory_order_relaxed);
        return given ? Grant::given : Grant::client_full;
    }

    [[nodiscard]] std::size_t taken() const { return total_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool is_short() const { return limits_.total != 0 && taken() > limits_.total / 2; }

private:
    struct Shard {
        std::mutex mutex;
        std::unordered_map<Key, std::size_t, KeyHash> taken;
    };

    [[nodiscard]] bool enter_total(std::size_t amount)
    {
        const auto before = total_.fetch_add(amount, std::memory_order_relaxed);
        if (limits_.total == 0 || before + amount <= limits_.total) return true;
        total_.fetch_sub(amount, std::memory_order_relaxed);
        return false;
    }

    /// All keys of a client are in the shard of its last, so that one lock covers both.
    [[nodiscard]] bool change(const Keys& keys, std::size_t from, std::size_t to)
    {
        Shard& shard = shards_.at(KeyHash{}(keys.keys.at(keys.count - 1)) % kShards);
        const std::lock_guard lock(shard.mutex);
        for (std::size_t i = 0; to > from && i < keys.count; ++i) {
            const auto at = shard.taken.find(keys.keys.at(i));
            const auto others = at == shard.taken.end() ? 0 : at->second - from;
            if (others != 0 && others + to > keys.limits.at(i)) return false;
        }
        for (std::size_t i = 0; i < keys.count; ++i) {
            auto& taken = shard.taken[keys.keys.at(i)];
            taken = taken - from + to;
            if (taken == 0) shard.taken.erase(keys.keys.at(i));
        }
        return true;
    }

    const ShareLimits limits_;
    std::atomic<std::size_t> total_{0};
    std::array<Shard, kShards> shards_;
};

Shares::Place::~Place()
{
    if (counts_) (void)counts_->change(client_, account_, amount_, 0);
}

void Shares::Place::swap(Place& other) noexcept
{
    std::swap(counts_, other.counts_);
    std::swap(account_, other.account_);
    std::swap(client_, other.client_);
    std::swap(amount_, other.amount_);
}

Shares::Shares(const ShareLimits& limits) : counts_(std::make_shared<Counts>(limits)) {}

Shares::Grant Shares::take(Place& place, const Address& client, std::size_t amount) const
{
    if (place.amount_ == amount && (amount == 0 || place.client_ == client)) return Grant::given;
    if (place.counts_ && place.client_ == client) {
        const auto grant = counts_->change(client, 0, place.amount_, amount);
        if (grant == Grant::given) place.amount_ = amount;
        return grant;
    }
    Place taken;
    const auto grant = counts_->change(client, 0, 0, amount);
    if (grant != Grant::given) return grant;
    taken.counts_ = counts_;
    taken.client_ = client;
    taken.amount_ = amount;
    place = std::move(taken);
    return grant;
}

Shares::Grant Shares::take_for_account(Place& place, std::int64_t account, std::size_t amount) const
{
    const auto grant = counts_->change({}, account, 0, amount);
    if (grant != Grant::given) return grant;
    Place taken;
    taken.counts_ = counts_;
    taken.account_ = account;
    taken.amount_ = amount;
    place = std::move(taken);
    return grant;
}

std::size_t Shares::taken() const { return counts_->taken(); }
bool Shares::is_short() const { return counts_->is_short(); }

}  // namespace boxoffice::http
