#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "runtime/log_throttle.hpp"
#include "runtime/metrics.hpp"

namespace boxoffice
{

/// Who was refused: the client's address as limits count it, and its account; empty and 0 where they are not known.
struct RefusedClient {
    std::string_view address;
    std::int64_t account = 0;
};

/// Tells the operator what was refused to one client so that the others are served: counts each refusal under
/// boxoffice_shed_total{class,reason} and logs one of them a second for each class and reason, with the client as an example and
/// the number of those not logged. `cls` and `reason` are words of a fixed set in the code, never a client's text. Any thread.
class Shedding
{
public:
    explicit Shedding(Metrics& metrics) : metrics_(metrics) {}

    void refused(std::string_view cls, std::string_view reason, const RefusedClient& client);

private:
    Metrics& metrics_;
    std::mutex mutex_;  // protects the map; a LogThrottle protects itself
    std::map<std::string, std::unique_ptr<LogThrottle>, std::less<>> logs_;
};

}  // namespace boxoffice
