#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/for_you.hpp"
#include "core/core.hpp"
#include "http/http.hpp"
#include "runtime/lanes.hpp"
#include "runtime/metrics.hpp"

/// The REST door: routes, decoding, encoding. Speaks in acts and queries, knows no socket and no SQL.
namespace boxoffice::http
{

/// What the routes need; everything outlives the handler.
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
    Micros hold;                              // --hold-seconds
    std::string (*digest)(std::string_view);  // sha256_hex: ETags, fingerprints
    std::string (*random_hex)(std::size_t);   // request ids
    const std::atomic<bool>& draining;        // true from SIGTERM on: /health/ready answers 503
};

/// One row of the table that feeds the router and the test that compares it with api/openapi.yaml.
struct RouteName {
    std::string_view method;   // "GET"
    std::string_view pattern;  // "/api/v1/events/{id}"
};
[[nodiscard]] std::vector<RouteName> route_names();

[[nodiscard]] std::unique_ptr<Handler> make_api(Dependencies dependencies);

}  // namespace boxoffice::http
