#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/for_you.hpp"
#include "core/core.hpp"
#include "net/net.hpp"
#include "runtime/arrivals.hpp"
#include "runtime/lanes.hpp"
#include "runtime/live.hpp"
#include "runtime/metrics.hpp"
#include "runtime/shedding.hpp"

/// The REST API: routes, decoding, encoding. Speaks in acts and queries, knows no socket and no SQL.
namespace boxoffice::http
{

/// Something beside the store that a readiness check looks at.
struct OtherPart {
    std::string name;                    // "redis"
    std::function<bool()> ok;            // quick; any thread
    std::string_view trouble = "away";   // the word of readiness when it is not; must stay valid
    std::function<std::string()> why{};  // or what is wrong with it now
};

/// How often what may be asked.
struct RatePolicies {
    RatePolicy account;       // signed-in requests, by user
    RatePolicy login;         // POST /auth/login, by client address
    RatePolicy registration;  // POST /auth/register, by client address
    RatePolicy search{};      // searches, in units of cost: of the signed-in by user, of others by client address
    RatePolicy guess{};       // wrong passwords, by account and client address
    RatePolicy guesses{};     // wrong passwords for an account, from wherever: beyond it the addresses share one turn
};

/// What the routes need that tell how the process is: /health, /health/ready and /metrics. Everything outlives the handler.
struct WatchDependencies {
    Store& store;
    WriteLane& writes;
    WorkLane& reads;
    const Clock& clock;
    Metrics& metrics;
    std::string (*random_hex)(std::size_t);
    const std::atomic<bool>& draining;
    std::vector<std::string> trusted_proxies{};
    std::vector<OtherPart> others{};
    WorkLane* searches = nullptr;  // none: they share `reads`
    WorkLane* health = nullptr;    // none: they share `reads`
    Shedding* shedding = nullptr;  // none: refusals are neither counted nor logged
};

/// What all routes need; everything outlives the handler.
struct Dependencies {
    Store& store;  // reads only: writes go through `writes`
    WriteLane& writes;
    WorkLane& reads;
    WorkLane& passwords;
    const Clock& clock;
    const Zones& zones;
    const PasswordHasher& hasher;
    const TokenSigner& signer;
    Metrics& metrics;
    LocalArrivals& arrivals;                     // payments and cancellations, from their arrival to their answer
    Micros hold;                                 // --hold-seconds
    std::string (*digest)(std::string_view);     // sha256_hex: ETags, fingerprints
    std::string (*random_hex)(std::size_t);      // request ids
    const std::atomic<bool>& draining;           // true from SIGTERM on: /health/ready answers 503
    LiveHub& live;                               // availability as it changes
    RateLimits* rates = nullptr;                 // none: no client is limited
    RatePolicies policies{};                     // how much
    std::int64_t events_a_day = 0;               // that an account may add, where there are limits; 0: any number
    std::vector<std::string> trusted_proxies{};  // addresses or CIDR blocks whose X-Forwarded-For is believed
    std::vector<std::string> cors_origins{};     // whose pages may read what the API answers, exactly as browsers name them
    ShareLimits feeds{};                         // live feeds open at a time
    Micros feed_age = std::chrono::minutes(15);  // the client of an older one has to come again, so that places come free
    std::vector<OtherPart> others{};             // what the server can do without for a while: "degraded", not "not ready"
    WorkLane* searches = nullptr;                // expensive reads; none: they share `reads`
    WorkLane* health = nullptr;                  // readiness, which waits for no other work; none: it shares `reads`
    WorkLane* registrations = nullptr;           // none: they share `passwords`
    Shedding* shedding = nullptr;                // none: refusals are neither counted nor logged
    std::vector<UserId> trusted_accounts{};      // a shop's own software: no limit that goes by account is theirs

    [[nodiscard]] WatchDependencies watch() const
    {
        return {store, writes, reads, clock, metrics, random_hex, draining, trusted_proxies, others, searches, health, shedding};
    }
};

/// One row of the table that feeds the router and the test that compares it with api/openapi.yaml.
struct RouteName {
    std::string_view method;   // "GET"
    std::string_view pattern;  // "/api/v1/events/{id}"
};
[[nodiscard]] std::vector<RouteName> route_names();

/// Throws std::invalid_argument with a sentence for the operator when one of `trusted_proxies` is no address and no block.
[[nodiscard]] std::unique_ptr<Handler> make_api(Dependencies dependencies);

/// For a process that sells nothing: answers /health, /health/ready and /metrics, and 404 elsewhere. Throws like make_api().
[[nodiscard]] std::unique_ptr<Handler> make_watch(WatchDependencies dependencies);

}  // namespace boxoffice::http
