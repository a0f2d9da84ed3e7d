#pragma once
#include <cstdint>
#include <functional>

#include "core/ports.hpp"
#include "demo/demo.hpp"

namespace boxoffice::cli
{

struct DemoTotals {
    std::int64_t people = 0;
    std::int64_t events = 0;
    std::int64_t tickets = 0;
};

/// Called after each batch with how many of the acts are done, and of how many.
using DemoProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// Plays the catalogue into the store through the same acts as the API's: people, events, then each sold ticket reserved and
/// paid. The acts' times are made of the catalogue and `before` alone and lie in the two months before it, so that the same
/// arguments write the same rows, and no row is newer than `before`. People whose address is known already are taken as they
/// are. No other process may use the store meanwhile. Throws StoreFailure, or std::runtime_error when the store refuses an act.
DemoTotals play_catalogue(Store& store, const demo::Catalogue& catalogue, Instant before, const DemoProgress& progress);

}  // namespace boxoffice::cli
