#pragma once
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/ports.hpp"

namespace boxoffice
{

/// The payments and cancellations of this process: each is entered when it arrives and leaves when it has its answer.
class LocalArrivals final : public Arrivals
{
public:
    /// One of them; leaves with the object, which must not outlive the register.
    class Entry
    {
    public:
        Entry() = default;
        Entry(LocalArrivals& arrivals, TicketId ticket, Instant at) : arrivals_(&arrivals), ticket_(ticket), at_(at) {}
        ~Entry() { leave(); }
        Entry(Entry&& other) noexcept : arrivals_(std::exchange(other.arrivals_, nullptr)), ticket_(other.ticket_), at_(other.at_)
        {
        }
        Entry& operator=(Entry&& other) noexcept
        {
            if (this == &other) return *this;
            leave();
            arrivals_ = std::exchange(other.arrivals_, nullptr);
            ticket_ = other.ticket_;
            at_ = other.at_;
            return *this;
        }
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        void leave()
        {
            if (auto* const from = std::exchange(arrivals_, nullptr)) from->leave(ticket_, at_);
        }
        [[nodiscard]] Instant at() const { return at_; }

    private:
        LocalArrivals* arrivals_ = nullptr;
        TicketId ticket_;
        Instant at_;
    };

    /// Enters one that arrives now. The clock is read under the lock: a caller that asked in_time() before has a time that is no
    /// later.
    [[nodiscard]] Entry enter(TicketId ticket, const Clock& clock);

    [[nodiscard]] bool in_time(TicketId ticket, Instant deadline) const override;
    [[nodiscard]] std::size_t tickets() const override;

private:
    void leave(TicketId ticket, Instant at);

    mutable std::mutex mutex_;  // protects what follows
    std::unordered_map<TicketId, std::multiset<Instant>> waiting_;
};

}  // namespace boxoffice
