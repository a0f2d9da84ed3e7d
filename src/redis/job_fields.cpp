#include "redis/job_fields.hpp"

#include <charconv>

namespace boxoffice::redis
{

namespace
{

/// Enough to see what goes wrong; the outbox has every dead effect anyway.
constexpr std::string_view kDeadMost = "10000";
constexpr std::size_t kWhyMost = 1000;

template <class Number>
bool read_number(std::string_view text, Number& number)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

bool read_tickets(std::string_view text, std::vector<TicketId>& tickets)
{
    while (!text.empty()) {
        const auto comma = text.find(',');
        TicketId ticket;
        if (tickets.size() == kTicketsToAnEffect || !read_number(text.substr(0, comma), ticket.value)) return false;
        tickets.push_back(ticket);
        if (comma == text.npos) return true;
        text.remove_prefix(comma + 1);
        if (text.empty()) return false;
    }
    return true;
}

bool read_kind(std::string_view text, EffectKind& kind)
{
    int number = 0;
    if (!read_number(text, number) || number < 0 || number > static_cast<int>(EffectKind::event_changed)) return false;
    kind = static_cast<EffectKind>(number);
    return true;
}

bool read_made_at(std::string_view text, Instant& made_at)
{
    std::int64_t micros = 0;
    if (!read_number(text, micros)) return false;
    made_at = Instant(Micros(micros));
    return true;
}

std::string joined(const std::vector<TicketId>& tickets)
{
    std::string text;
    for (const TicketId ticket : tickets) text += (text.empty() ? "" : ",") + std::to_string(ticket.value);
    return text;
}

}  // namespace

void append_fields(Command& command, const Effect& effect)
{
    const auto add = [&command](std::string_view name, std::string value) {
        command.emplace_back(name);
        command.push_back(std::move(value));
    };
    add("id", std::to_string(effect.id));
    add("kind", std::to_string(static_cast<int>(effect.kind)));
    add("event", std::to_string(effect.event.value));
    add("tickets", joined(effect.tickets));
    add("made_at", std::to_string(effect.made_at.time_since_epoch().count()));
    add("tries", std::to_string(effect.tries));
}

std::string_view store_in(std::span<redisReply* const> fields)
{
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        if (text_of(*fields[i]) == kStoreField) return text_of(*fields[i + 1]);
    }
    return {};
}

std::optional<Effect> read_fields(std::span<redisReply* const> fields)
{
    constexpr int kAll = 6;
    Effect effect;
    int known = 0;
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        const std::string_view name = text_of(*fields[i]);
        const std::string_view value = text_of(*fields[i + 1]);
        bool good = true;
        ++known;
        if (name == "id") {
            good = read_number(value, effect.id);
        } else if (name == "kind") {
            good = read_kind(value, effect.kind);
        } else if (name == "event") {
            good = read_number(value, effect.event.value);
        } else if (name == "tickets") {
            good = read_tickets(value, effect.tickets);
        } else if (name == "made_at") {
            good = read_made_at(value, effect.made_at);
        } else if (name == "tries") {
            good = read_number(value, effect.tries);
        } else {
            --known;
        }
        if (!good) return std::nullopt;
    }
    if (known != kAll) return std::nullopt;
    return effect;
}

Command burial(std::string_view why)
{
    Command command = {"XADD", std::string(kDeadJobs), "MAXLEN", "~", std::string(kDeadMost), "*", "why"};
    command.emplace_back(why.substr(0, kWhyMost));
    return command;
}

}  // namespace boxoffice::redis
