#pragma once
#include <atomic>
#include <cstddef>
#include <string_view>

#include "net/client_address.hpp"
#include "net/server.hpp"
#include "net/shares.hpp"

/// What the I/O threads of a server share out among its clients. Private to the socket side of this module.
namespace boxoffice::http
{

struct Allowances {
    Allowances(const ServerOptions& options, Shedding* hears);

    /// From here on the longest idle anonymous connection goes for each that comes, and an anonymous newcomer for whom none does
    /// is let go after its answer: the places above it are for those who show a token.
    [[nodiscard]] bool is_crowded() const { return open.load(std::memory_order_relaxed) >= anonymous_max; }
    void refused(std::string_view cls, std::string_view reason, const Address& client) const;

    const std::size_t connections_max;
    const std::size_t anonymous_max;
    const std::size_t turned_away_max;  // at a time; those beyond are closed without a word
    const TrustedProxies proxies;
    const Shares connections;  // of one client, or its requests in flight through a proxy
    const Shares unsent;       // bytes of answers
    const Shares received;     // bytes of requests
    Shedding* const shedding;
    std::atomic<std::size_t> open{0};
    std::atomic<std::size_t> turned_away{0};
    /// One thread had no connection to close in favour of a newcomer; perhaps another has.
    std::atomic<bool> wanted{false};
};

}  // namespace boxoffice::http
