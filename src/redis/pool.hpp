#pragma once
#include <mutex>

#include "redis/link.hpp"

namespace boxoffice::redis
{

/// Idle links: one for each caller at a time. While Redis is unavailable it is asked again after a
/// growing pause only; in between borrow() fails at once. Any thread.
class Pool
{
public:
    explicit Pool(const RedisOptions& options) : address_(address_of(options)), timeout_(options.timeout) {}

    /// A link of one's own until it goes out of scope.
    class Lease
    {
    public:
        Lease(Pool& pool, std::unique_ptr<Link> link) : pool_(pool), link_(std::move(link)) {}
        ~Lease() { pool_.give_back(std::move(link_)); }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        Link* operator->() const { return link_.get(); }
        Link& operator*() const { return *link_; }

    private:
        Pool& pool_;
        std::unique_ptr<Link> link_;
    };
    [[nodiscard]] Lease borrow();  // throws LinkFailure
    /// Until Redis is asked again; 0 when it is not known to be unavailable.
    [[nodiscard]] Micros retry_in();

private:
    using Steady = std::chrono::steady_clock;
    [[nodiscard]] std::unique_ptr<Link> find_idle();
    void give_back(std::unique_ptr<Link> link);

    Address address_;
    Micros timeout_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Link>> idle_;
    Pause pause_;
    Steady::time_point try_at_{};
};

}  // namespace boxoffice::redis
