#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/instant.hpp"

namespace boxoffice
{

/// What follows outside the store from a change inside it: mail today, webhooks one day. The numbers are the stored form in
/// both engines and in the job stream: they never change.
enum class EffectKind : std::uint8_t { ticket_paid = 0, hold_expired = 1, event_changed = 2 };

/// Whether the job of such an effect is a message to a person. A node that cannot send mail leaves these to those that can, and
/// over a store where none is ever to be sent they are not written. Both engines have the kinds in an index, as `kind > 1`.
[[nodiscard]] constexpr bool needs_mail(EffectKind kind) { return kind <= EffectKind::hold_expired; }

/// Holds of one person on one event mostly end within seconds of each other and are told of in one message, so its job begins
/// that much later.
inline constexpr Micros kLapsesGatherFor = std::chrono::seconds(5);
[[nodiscard]] constexpr Instant due_at(EffectKind kind, Instant made_at)
{
    return kind == EffectKind::hold_expired ? made_at + kLapsesGatherFor : made_at;
}

/// One row of the outbox, written in the transaction of the change that it follows from. It stays until its job is done, so
/// whatever carries it about in between may lose it.
struct Effect {
    std::int64_t id = 0;
    EffectKind kind = EffectKind::ticket_paid;
    EventId event;
    std::vector<TicketId> tickets;  // at most kTicketsToAnEffect; none for event_changed
    Instant made_at;
    int tries = 0;  // failed so far
};

/// Of one event's holds that expire in one transaction, so many share an outbox row: a hundred thousand at once must not cost a
/// hundred thousand rows more, and one job must not run for minutes.
inline constexpr std::size_t kTicketsToAnEffect = 50;

/// What stands in the outbox.
struct OutboxCounts {
    std::int64_t waiting = 0;
    std::int64_t dead = 0;   // given up after the last try; kept for an operator
    std::string last_why{};  // of the newest dead one, or of the newest failure
};

/// Whose turn it is to send a message that must not go out twice. too_many: no worker's, for the recipient has had enough this
/// hour.
enum class MailTurn : std::uint8_t { yours, already_sent, elsewhere, too_many };

}  // namespace boxoffice
