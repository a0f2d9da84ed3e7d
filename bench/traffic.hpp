#pragma once
#include <initializer_list>
#include <string>
#include <vector>

#include "loop.hpp"
#include "options.hpp"
#include "process.hpp"

namespace boxoffice::bench
{

/// The same requests over and over, each connection taking the next one; every answer should have the status `wanted`.
class RoundTraffic : public Traffic
{
public:
    RoundTraffic(std::vector<std::string> requests, int wanted) : requests_(std::move(requests)), wanted_(wanted) {}

    std::optional<std::string_view> next(std::size_t slot) override;
    Verdict answered(std::size_t slot, const Answer& answer) override;

    /// Rests after that many requests.
    void stop_after(std::int64_t count) { left_ = count; }

private:
    std::vector<std::string> requests_;
    int wanted_;
    std::size_t at_ = 0;
    std::int64_t left_ = -1;
};

struct Spent {
    double seconds = 0;
    double server_cpu = 0;
    double own_cpu = 0;
};

/// Warms up, empties the tallies, runs for the measured time and complains on standard error of answers that were not good.
Spent measure(Loop& loop, const ServerProcess& server, const Options& options, std::initializer_list<Tally*> tallies);

/// The last word of every measurement: what was not as wanted, if anything.
void complain_of(const Tally& tally);

[[nodiscard]] Program program_of(const Options& options);
/// The arguments for a server whose accounts are cheap to make.
[[nodiscard]] std::vector<std::string> serve_arguments(double hold_seconds, int bcrypt_cost);

}  // namespace boxoffice::bench
