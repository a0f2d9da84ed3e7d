#pragma once
#include <chrono>
#include <string>
#include <utility>

#include "core/core.hpp"

namespace boxoffice
{

/// An event as an organizer would send it, at a place of no interest.
inline EventDraft draft_of(std::string title, std::int64_t total_tickets, Instant start, Micros length = std::chrono::hours(1))
{
    EventDraft draft;
    draft.title = std::move(title);
    draft.start_time = start;
    draft.end_time = start + length;
    draft.total_tickets = total_tickets;
    draft.venue.address = "x";
    return draft;
}

}  // namespace boxoffice
