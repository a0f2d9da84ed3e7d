#include "core/rules.hpp"

namespace boxoffice
{

namespace
{

struct CodeText {
    Code code;
    std::string_view word;
    std::string_view message;
};

constexpr CodeText kCodes[] = {
    {Code::invalid, "invalid", "The request breaks a rule; see errors."},
    {Code::malformed, "malformed", "The request cannot be read."},
    {Code::unauthenticated, "unauthenticated", "Sign in first: this needs a valid bearer token."},
    {Code::bad_credentials, "bad_credentials", "The e-mail address or the password is wrong."},
    {Code::not_yourself, "not_yourself", "You can only do this for yourself."},
    {Code::not_organizer, "not_organizer", "Only the organizer of this event can do this."},
    {Code::not_found, "not_found", "There is no such thing here."},
    {Code::email_taken, "email_taken", "Somebody is already registered with this e-mail address."},
    {Code::below_sold, "below_sold", "More tickets than that are already held or sold."},
    {Code::has_tickets, "has_tickets", "The event has tickets that are held or paid and cannot be removed."},
    {Code::precondition_failed, "precondition_failed", "What this was meant to change has been changed since; read it again."},
    {Code::sold_out, "sold_out", "The event is sold out."},
    {Code::event_over, "event_over", "The event is over."},
    {Code::already_paid, "already_paid", "The ticket is already paid."},
    {Code::hold_expired, "hold_expired", "The ticket was not paid in time and its hold has expired."},
    {Code::cancelled, "cancelled", "The ticket is cancelled."},
    {Code::reference_used, "reference_used", "This payment reference was already used for another ticket."},
    {Code::idempotency_key_reused, "idempotency_key_reused", "This Idempotency-Key was already used for another request."},
    {Code::idempotency_in_progress, "idempotency_in_progress", "The first request with this Idempotency-Key is still running."},
    {Code::rate_limited, "rate_limited", "Too many requests; try again in a moment."},
    {Code::busy, "busy", "The server is busy; try again in a moment."},
    {Code::storage_full, "storage_full", "The server's disk is full; nothing can be changed for now."},
    {Code::storage_failed, "storage_failed", "The server's store has failed; nothing can be changed for now."},
    {Code::shutting_down, "shutting_down", "The server is shutting down; try again in a moment."},
    {Code::internal, "internal", "Something went wrong on our side."},
};

const CodeText& text_of(Code code)
{
    for (const auto& row : kCodes) {
        if (row.code == code) return row;
    }
    return kCodes[std::size(kCodes) - 1];
}

}  // namespace

std::string_view default_message(Code code) { return text_of(code).message; }

std::string_view code_word(Code code) { return text_of(code).word; }

std::string_view status_word(TicketStatus status)
{
    switch (status) {
        case TicketStatus::reserved:
            return "reserved";
        case TicketStatus::paid:
            return "paid";
        case TicketStatus::expired:
            return "expired";
        case TicketStatus::cancelled:
            return "cancelled";
    }
    return "reserved";
}

}  // namespace boxoffice
