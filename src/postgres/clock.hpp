#pragma once
#include <string_view>

namespace boxoffice::postgres
{

/// The latest time that the store has written, or NULL: of its newest ticket, but for those whose times an operator took for
/// wrong.
inline constexpr std::string_view kLatestInstant =
    "SELECT coalesce((SELECT greatest(t.created_at, t.paid_at) FROM tickets t "
    "WHERE t.id > coalesce((SELECT clock_ticket FROM store_identity), 0) ORDER BY t.id DESC LIMIT 1), "
    "(SELECT clock_accepted_at FROM store_identity))";

}  // namespace boxoffice::postgres
