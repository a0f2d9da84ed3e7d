#include "lag.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace boxoffice::bench
{
namespace
{

double as_number(std::string_view text)
{
    if (text == "+Inf") return std::numeric_limits<double>::infinity();
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

struct Bucket {
    double seconds = 0;
    double below = 0;
};

double bound_ms(const std::vector<Bucket>& buckets, double rank)
{
    for (const Bucket& bucket : buckets) {
        if (bucket.below >= rank) return bucket.seconds * 1000;
    }
    return 0;
}

}  // namespace

double percentile(const std::vector<double>& ascending, double share)
{
    if (ascending.empty()) return 0;
    const double rank = std::ceil(share * static_cast<double>(ascending.size()));
    return ascending[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

void OutsideLags::add(const std::vector<std::int64_t>& due_us, const std::vector<Look>& looks)
{
    const auto all = static_cast<std::int64_t>(due_us.size());
    std::int64_t seen = 0;
    for (const Look& look : looks) {
        const std::int64_t released = all - look.sold;
        const std::int64_t due = std::upper_bound(due_us.begin(), due_us.end(), look.received_us) - due_us.begin();
        early_most_ = std::max(early_most_, released - due);
        for (; seen < released; ++seen)
            lags_ms_.push_back(static_cast<double>(look.received_us - due_us[static_cast<std::size_t>(seen)]) / 1000);
    }
    due_ += all;
}

OutsideLag OutsideLags::summary() const
{
    std::vector<double> lags_ms = lags_ms_;
    std::sort(lags_ms.begin(), lags_ms.end());
    OutsideLag lag;
    lag.early_most = early_most_;
    lag.unreleased = due_ - static_cast<std::int64_t>(lags_ms.size());
    lag.p50_ms = percentile(lags_ms, 0.5);
    lag.p99_ms = percentile(lags_ms, 0.99);
    lag.max_ms = percentile(lags_ms, 1);
    return lag;
}

MetricLag lag_from_metrics(std::string_view metrics, std::string_view histogram)
{
    const std::string prefix = std::string(histogram) + "_bucket{";
    std::vector<Bucket> buckets;
    for (std::size_t at = metrics.find(prefix); at != std::string_view::npos; at = metrics.find(prefix, at + 1)) {
        const std::string_view line = metrics.substr(at, metrics.find('\n', at) - at);
        const std::size_t le = line.find("le=\"");
        const std::size_t labels_end = line.find('}');
        if (le == std::string_view::npos || labels_end == std::string_view::npos) continue;
        const std::string_view bound = line.substr(le + 4, line.find('"', le + 4) - le - 4);
        buckets.push_back({as_number(bound), as_number(line.substr(std::min(labels_end + 2, line.size())))});
    }
    MetricLag lag;
    if (buckets.empty() || buckets.back().below <= 0) return lag;
    const double count = buckets.back().below;
    lag.count = static_cast<std::int64_t>(count);
    lag.p50_ms = bound_ms(buckets, 0.5 * count);
    lag.p99_ms = bound_ms(buckets, 0.99 * count);
    lag.max_ms = bound_ms(buckets, count);
    return lag;
}

}  // namespace boxoffice::bench
