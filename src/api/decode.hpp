#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "api/resources.hpp"
#include "core/acts.hpp"
#include "core/ports.hpp"
#include "net/net.hpp"

/// Bodies into acts. Every function answers Error malformed for a body that cannot be read and Error invalid with all bad
/// fields at once; none looks at the Content-Type but decode_credentials().
namespace boxoffice::http
{

struct Credentials {
    std::string email;
    std::string password;  // as it was sent
};

/// application/json, application/…+json, or none at all: clients that send JSON and forget to say so are understood.
[[nodiscard]] bool is_json(std::string_view content_type);
[[nodiscard]] bool is_form(std::string_view content_type);

[[nodiscard]] Result<Registration> decode_registration(const Request& request);
/// Error::detail where a login form asks for another grant than the password.
inline constexpr std::string_view kOtherGrant = "another grant";

/// A form with `username` and `password` (RFC 6749, 4.3.2), or JSON with `password` and one of `email` and `username`.
[[nodiscard]] Result<Credentials> decode_credentials(const Request& request);
[[nodiscard]] Result<ChangeUser> decode_user_patch(const Request& request, UserId user, Instant now);
[[nodiscard]] Result<EventDraft> decode_event_draft(const Request& request, const Zones& zones, Instant now);
/// A patch whose fields can all be read is left to the store's rules, which know the rest of the event; when one cannot be read,
/// what the others can be accused of by themselves is listed with it.
[[nodiscard]] Result<EventPatch> decode_event_patch(const Request& request, const Zones& zones, Instant now);
[[nodiscard]] Result<TicketOrder> decode_ticket_order(const Request& request);
[[nodiscard]] Result<std::string> decode_payment_reference(const Request& request);

}  // namespace boxoffice::http
