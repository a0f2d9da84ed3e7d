#include "api/cursor.hpp"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cmath>

namespace boxoffice::http
{

namespace
{

// "e" for events and so on, then "a" or "b" for after and before, then numbers in hexadecimal with points between.
constexpr char kEvents = 'e';
constexpr char kTickets = 't';
constexpr char kDistances = 'n';
constexpr double kMillimetres = 1000;

std::string write(char list, Direction direction, std::initializer_list<std::int64_t> numbers)
{
    std::string text{list, direction == Direction::after ? 'a' : 'b'};
    for (const std::int64_t number : numbers) text += fmt::format(".{:x}", static_cast<std::uint64_t>(number));
    return text;
}

template <std::size_t Count>
struct Parts {
    Direction direction = Direction::after;
    std::array<std::int64_t, Count> numbers{};
};

template <std::size_t Count>
std::optional<Parts<Count>> read(std::string_view text, char list)
{
    if (text.size() < 2 || text[0] != list || (text[1] != 'a' && text[1] != 'b')) return std::nullopt;
    Parts<Count> parts;
    parts.direction = text[1] == 'a' ? Direction::after : Direction::before;
    text.remove_prefix(2);
    for (std::int64_t& number : parts.numbers) {
        if (!text.starts_with('.')) return std::nullopt;
        text.remove_prefix(1);
        std::uint64_t bits = 0;
        const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), bits, 16);
        if (fault != std::errc{}) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        number = static_cast<std::int64_t>(bits);
    }
    if (!text.empty()) return std::nullopt;
    return parts;
}

}  // namespace

std::string write_cursor(const Cursor<EventKey>& cursor)
{
    return write(kEvents, cursor.direction, {cursor.key.start_time.time_since_epoch().count(), cursor.key.id.value});
}

std::string write_cursor(const Cursor<TicketId>& cursor) { return write(kTickets, cursor.direction, {cursor.key.value}); }

std::string write_cursor(const Cursor<DistanceKey>& cursor)
{
    return write(kDistances, cursor.direction, {std::llround(cursor.key.distance_m * kMillimetres), cursor.key.id.value});
}

bool read_cursor(std::string_view text, Cursor<EventKey>& cursor)
{
    const auto parts = read<2>(text, kEvents);
    if (parts) cursor = {{Instant(Micros(parts->numbers[0])), EventId{parts->numbers[1]}}, parts->direction};
    return parts.has_value();
}

bool read_cursor(std::string_view text, Cursor<TicketId>& cursor)
{
    const auto parts = read<1>(text, kTickets);
    if (parts) cursor = {TicketId{parts->numbers[0]}, parts->direction};
    return parts.has_value();
}

bool read_cursor(std::string_view text, Cursor<DistanceKey>& cursor)
{
    const auto parts = read<2>(text, kDistances);
    if (parts) cursor = {{static_cast<double>(parts->numbers[0]) / kMillimetres, EventId{parts->numbers[1]}}, parts->direction};
    return parts.has_value();
}

}  // namespace boxoffice::http
