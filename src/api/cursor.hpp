#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/queries.hpp"

/// Cursors on their way through clients: text that means nothing to them, safe in a URL. A list understands its own only.
namespace boxoffice::http
{

[[nodiscard]] std::string write_cursor(const Cursor<EventKey>& cursor);
[[nodiscard]] std::string write_cursor(const Cursor<TicketId>& cursor);
[[nodiscard]] std::string write_cursor(const Cursor<DistanceKey>& cursor);

/// False, and `cursor` as it was, for what no write_cursor() of this list has written.
[[nodiscard]] bool read_cursor(std::string_view text, Cursor<EventKey>& cursor);
[[nodiscard]] bool read_cursor(std::string_view text, Cursor<TicketId>& cursor);
[[nodiscard]] bool read_cursor(std::string_view text, Cursor<DistanceKey>& cursor);

}  // namespace boxoffice::http
