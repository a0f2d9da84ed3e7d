#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

/// How late holds were released: from the server's own word and from outside.
namespace boxoffice::bench
{

/// One look at an event: how many of its seats were taken when the answer came.
struct Look {
    std::int64_t received_us = 0;
    std::int64_t sold = 0;
};

struct OutsideLag {
    std::int64_t early_most = 0;  // seats seen free before that many holds were due; must be 0
    std::int64_t unreleased = 0;  // at the last look
    double p50_ms = 0;
    double p99_ms = 0;
    double max_ms = 0;
};

/// Compares what was seen with the deadlines (ascending) of one event, and adds it up over several. A hold counts as released
/// when the first look says so, so that the lag is an upper bound: it holds the time between two looks and the answer's own way.
class OutsideLags
{
public:
    void add(const std::vector<std::int64_t>& due_us, const std::vector<Look>& looks);
    [[nodiscard]] OutsideLag summary() const;

private:
    std::int64_t due_ = 0;
    std::int64_t early_most_ = 0;
    std::vector<double> lags_ms_;
};

/// The share (0..1] of ascending values that is not above the result; 0 without values.
[[nodiscard]] double percentile(const std::vector<double>& ascending, double share);

/// Upper ends of the buckets of a Prometheus histogram in which the percentiles lie, in milliseconds; infinite past the last.
struct MetricLag {
    std::int64_t count = 0;
    double p50_ms = 0;
    double p99_ms = 0;
    double max_ms = 0;
};
[[nodiscard]] MetricLag lag_from_metrics(std::string_view metrics, std::string_view histogram);

}  // namespace boxoffice::bench
