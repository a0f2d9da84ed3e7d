#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "net/client_address.hpp"

/// How much of something scarce one client may have while others want it too: connections, live feeds, bytes of memory.
namespace boxoffice::http
{

/// 0: no limit of that kind. A client that has nothing yet is given what it asks for up to the total: an answer that is larger
/// than a share must still be possible. An IPv4 client is its address; an IPv6 client is counted by its /64, which is one
/// customer, and by its /48, which is one site and has 65 536 of the former.
struct ShareLimits {
    std::size_t total = 0;
    std::size_t per_address = 0;
    std::size_t per_64 = 0;
    std::size_t per_48 = 0;
    std::size_t per_account = 0;
};

/// Counts what is taken, in total and by client. Any thread: the total is an atomic, clients are in shards with a mutex each.
class Shares
{
    class Counts;

public:
    enum class Grant : std::uint8_t { given, client_full, all_full };

    /// What one holder has taken; goes back with it, also when the Shares are gone by then. One thread at a time.
    class Place
    {
    public:
        Place() = default;
        Place(Place&& other) noexcept { swap(other); }
        Place& operator=(Place&& other) noexcept
        {
            Place taken(std::move(other));
            swap(taken);
            return *this;
        }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        ~Place();

        [[nodiscard]] std::size_t amount() const { return amount_; }

    private:
        friend class Shares;
        void swap(Place& other) noexcept;

        std::shared_ptr<Counts> counts_;
        std::int64_t account_ = 0;  // in its place an address
        Address client_{};
        std::size_t amount_ = 0;
    };

    explicit Shares(const ShareLimits& limits);

    /// Sets `place` to hold `amount` for that client instead of what it holds; if that is refused, `place` stays as it is. Less
    /// is always given.
    [[nodiscard]] Grant take(Place& place, const Address& client, std::size_t amount) const;
    /// The same for an account, beside the address that takes it too: counts towards `per_account` only.
    [[nodiscard]] Grant take_for_account(Place& place, std::int64_t account, std::size_t amount) const;

    [[nodiscard]] std::size_t taken() const;  // in total
    /// More than half of the total is taken.
    [[nodiscard]] bool is_short() const;

private:
    std::shared_ptr<Counts> counts_;
};

}  // namespace boxoffice::http
