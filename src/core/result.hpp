#pragma once
#include <boost/system/result.hpp>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/instant.hpp"

namespace boxoffice
{

/// Why an act was refused: a stable word for programs. `api` maps each to a status in one table;
/// nothing in here knows what a status is.
enum class Code : std::uint8_t {
    invalid,          // the input breaks a rule of its own; Error::fields says which
    malformed,        // not even readable: broken JSON, wrong framing
    unauthenticated,  // no token, or one that is not good
    bad_credentials,  // address and password do not belong together
    not_yourself,     // the act names another user than the caller
    not_organizer,    // the event belongs to another account
    not_found,        // does not exist, or is not the caller's to know about
    email_taken,
    below_sold,           // fewer tickets than are already sold
    has_tickets,          // the event has live tickets and cannot be removed
    precondition_failed,  // the event is not at a version that the change was meant for
    sold_out,
    event_over,
    already_paid,
    hold_expired,
    cancelled,
    reference_used,  // the payment reference belongs to another ticket
    idempotency_key_reused,
    idempotency_in_progress,
    rate_limited,    // more than a policy lets through: try again in a moment
    busy,            // a lane is full: try again in a moment
    storage_full,    // the disk is full: reads go on, writes do not
    storage_failed,  // the store is not to be trusted with another write
    shutting_down,
    internal,  // a failure; the log knows more
};

/// One bad field: where it stands (`{"body", "venue", "latitude"}`), what is wrong, and a stable type word.
struct FieldError {
    std::vector<std::string> loc;
    std::string msg;
    std::string type;
};

/// A refusal as a value. `message` is one sentence for the person; `detail` is for the log only and
/// never leaves the process; `fields` is filled when `code` is `invalid`.
struct Error {
    Code code = Code::internal;
    std::string message;
    std::string detail{};
    std::vector<FieldError> fields{};
    std::optional<Micros> retry_after{};  // when `code` is rate_limited: how long it is in vain to try again
};

/// Thrown by Result::value() on an error: always a programming mistake, never an answer.
[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location& where)
{
    throw std::logic_error("a refusal was read as a value: " + error.message + " at " + where.to_string());
}

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace boxoffice
