#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/acts.hpp"
#include "core/fields.hpp"
#include "core/limits.hpp"
#include "core/ports.hpp"

/// The rules: what may be sold, paid, given back or changed, as pure functions over facts that a store gathered under
/// its lock. No I/O, no clock, no SQL. tests/core holds them as text tables.
namespace boxoffice
{

// --- Inventory -----------------------------------------------------------------------------------------------------

/// What a reservation is decided on.
struct ReserveFacts {
    std::int64_t total = 0;
    std::int64_t sold = 0;  // as counted: paid tickets and reserved ones, due or not
    std::int64_t due = 0;   // of these, holds whose time is up at `now`; may be left 0 while sold < total
    Instant end_time;
};

/// Refuses event_over from end_time on, then sold_out when no seat is free even after the due holds lapse.
/// When it says yes and `sold == total`, at least one due hold has to be lapsed in the same transaction.
[[nodiscard]] Result<void> decide_reserve(const ReserveFacts& facts, Instant now);

/// `revive`: the hold was lapsed although the payment arrived before its deadline; decide_revive() says whether there is a seat.
enum class PayPlan : std::uint8_t { mark_paid, already_so, revive };

/// `reference_owner`: the ticket that holds this reference already, if any; `now`: when the payment arrived, which alone says
/// whether it is in time, whatever has become of the hold meanwhile. Order of precedence: paid with this reference
/// -> already_so; already_paid; cancelled; hold_expired; reference_used.
[[nodiscard]] Result<PayPlan> decide_pay(const Ticket& ticket, std::string_view reference,
                                         std::optional<TicketId> reference_owner, Instant now);

/// A payment in time whose hold was lapsed meanwhile takes any seat that is free, if need be that of a due hold, which then has
/// to be lapsed in the same transaction; else hold_expired. Whether the event is over does not matter: nor does it to a hold.
[[nodiscard]] Result<void> decide_revive(const ReserveFacts& facts);

/// `already_free`: the hold was lapsed although the act arrived before its deadline: only the ticket's status changes.
enum class CancelPlan : std::uint8_t { give_back, already_free };

/// Order of precedence: already_paid, cancelled, hold_expired.
[[nodiscard]] Result<CancelPlan> decide_cancel(const Ticket& ticket, Instant now);

/// A hold is dead at expires_at, not after it: a request at that very instant is too late.
[[nodiscard]] inline bool is_due(const Ticket& ticket, Instant now)
{
    return ticket.status == TicketStatus::reserved && now >= ticket.expires_at;
}

/// The ticket as every client sees it at `now`: a hold past its deadline is expired, whether the expiry worker has run or not.
[[nodiscard]] inline Ticket visible_at(Ticket ticket, Instant now)
{
    if (is_due(ticket, now)) ticket.status = TicketStatus::expired;
    return ticket;
}

// --- Events --------------------------------------------------------------------------------------------------------

/// Every way in which a draft breaks the contract, with locations under "body"; empty when it is good. A wall time that a
/// clock change skips, an unknown zone, start >= end, end <= now, lengths, ranges.
[[nodiscard]] std::vector<FieldError> check_draft(const EventDraft& draft, const Zones& zones, Instant now);

/// A new event (id 0) of a draft, or Error invalid with the fields of check_draft().
[[nodiscard]] Result<Event> decide_add_event(const EventDraft& draft, UserId organizer, const Zones& zones, Instant now);

/// Whether an account may add another event at `now`: `nth_newest` is when it added the one that would have to be a day old for
/// that; nothing when it has added fewer. Refuses rate_limited with the time until then.
[[nodiscard]] Result<void> decide_publishing(std::optional<Instant> nth_newest, Instant now);

/// The same event with the patch applied, one version on; as it was, where the patch says nothing new; or not_organizer,
/// precondition_failed, invalid, below_sold in this order. An event already over may be changed in everything but may not be
/// given a new end that has passed too.
[[nodiscard]] Result<Event> decide_change_event(const Event& event, UserId by, const EventPatch& patch, const Zones& zones,
                                                Instant now, const OnlyAt& only_at = {});

/// `live`: tickets paid, or reserved and not yet due at `now`. not_organizer, precondition_failed, then has_tickets.
[[nodiscard]] Result<void> decide_remove_event(const Event& event, UserId by, std::int64_t live, const OnlyAt& only_at = {});

// --- People --------------------------------------------------------------------------------------------------------

namespace fields
{
inline constexpr Mailbox kEmail{kEmailBytesMax};
inline constexpr Secret kPassword{kPasswordBytesMin, kPasswordBytesMax};
inline constexpr Line kName{"A name", kNameCharsMax};
inline constexpr Line kReference{"A payment reference", kReferenceCharsMax};
}  // namespace fields

/// Appends what is wrong with a single value, under {"body", field}.
void check_email(std::string_view email, std::vector<FieldError>& errors);
void check_password(std::string_view password, std::vector<FieldError>& errors);
void check_name(std::string_view name, std::vector<FieldError>& errors);
/// Under the latitude and the longitude of `place`.
void check_point(const GeoPoint& point, const fields::Place& place, std::vector<FieldError>& errors);
void check_reference(std::string_view reference, std::vector<FieldError>& errors);

/// The form in which an address is compared: ASCII letters in lower case.
[[nodiscard]] std::string fold_email(std::string_view email);

/// Unicode characters in well-formed UTF-8.
[[nodiscard]] std::size_t count_chars(std::string_view utf8);

/// The default sentence of a code: "This event is sold out."
[[nodiscard]] std::string_view default_message(Code code);
/// The stable word of a code: "sold_out".
[[nodiscard]] std::string_view code_word(Code code);
/// The word of a status: "reserved".
[[nodiscard]] std::string_view status_word(TicketStatus status);

}  // namespace boxoffice
