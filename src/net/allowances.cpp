#include "net/allowances.hpp"

#include <algorithm>

namespace boxoffice::http
{

namespace
{

constexpr std::size_t kKeptForSignedIn = 8;  // one place of so many: buyers in the middle of something are few beside visitors
constexpr std::size_t kTurnedAway = 16;      // one beside so many places, so that who is refused can mostly read why
constexpr std::size_t kMemoryOfOne = 8;      // one client may have one part of so many, so that a few cannot have it all

[[nodiscard]] ShareLimits clients_of(const ServerOptions& options)
{
    return options.client_limits ? options.client_connections : ShareLimits{};
}

[[nodiscard]] ShareLimits memory(std::size_t bytes, const ServerOptions& options)
{
    ShareLimits limits{.total = bytes};
    if (!options.client_limits) return limits;
    limits.per_address = limits.per_64 = std::max<std::size_t>(1, bytes / kMemoryOfOne);
    limits.per_48 = 2 * limits.per_64;
    return limits;
}

}  // namespace

std::size_t turned_away_at_once(std::size_t connections_max) { return std::max<std::size_t>(16, connections_max / kTurnedAway); }

Allowances::Allowances(const ServerOptions& options, Shedding* hears)
    : connections_max(options.connections_max),
      anonymous_max(options.connections_max - options.connections_max / kKeptForSignedIn),
      turned_away_max(turned_away_at_once(options.connections_max)),
      proxies(options.trusted_proxies),
      connections(clients_of(options)),
      unsent(memory(options.unsent_bytes_max, options)),
      received(memory(options.received_bytes_max, options)),
      shedding(hears)
{
}

void Allowances::refused(std::string_view cls, std::string_view reason, const Address& client) const
{
    if (shedding == nullptr) return;
    const std::string address = client_group(address_text(client));
    shedding->refused(cls, reason, {address});
}

}  // namespace boxoffice::http
