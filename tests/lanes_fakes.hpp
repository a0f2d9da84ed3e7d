#pragma once
#include <functional>
#include <memory>

#include "runtime/lanes.hpp"

/// What tests of the write lane need: jobs, and a store to derive others from.
namespace boxoffice
{

/// A store that knows nothing.
class EmptyStore : public Store
{
public:
    std::optional<User> find_user(UserId) override { return {}; }
    std::optional<Login> find_login(std::string_view) override { return {}; }
    std::optional<Event> find_event(EventId) override { return {}; }
    std::vector<Event> find_events(std::span<const EventId>) override { return {}; }
    Page<Event> list_events(const EventQuery&) override { return {}; }
    std::optional<TicketView> find_ticket(TicketId) override { return {}; }
    Page<Ticket> list_tickets(const TicketQuery&) override { return {}; }
    Page<NearbyEvent> nearby(const NearbyQuery&) override { return {}; }
    std::vector<Candidate> candidates(const SuggestionQuery&) override { return {}; }
    std::optional<Instant> next_deadline() override { return {}; }
    std::int64_t reserved_count() override { return 0; }
    std::optional<Instant> latest_instant() override { return {}; }
    std::vector<Availability> availability(std::span<const EventId>, Instant) override { return {}; }
    OutboxCounts outbox_counts() override { return {}; }
    void check_ready() override {}
};

inline std::unique_ptr<LaneJob> job(Act act, std::function<void(LaneJob&)> done = [](LaneJob&) {})
{
    auto made = std::make_unique<LaneJob>();
    made->act = std::move(act);
    made->done = std::move(done);
    return made;
}

}  // namespace boxoffice
