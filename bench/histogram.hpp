#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace boxoffice::bench
{

/// Counts of durations in nanoseconds, in buckets that grow with the value (after Gil Tene's HdrHistogram): 128 to each
/// doubling, so that any percentile is right to under one percent from a nanosecond to centuries, at a few
/// instructions a sample and with no memory that grows.
class Histogram
{
public:
    void add(std::int64_t nanoseconds)
    {
        const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0));
        ++counts_[bucket_of(value)];
        ++count_;
        max_ = std::max(max_, value);
    }

    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] double max_ms() const { return static_cast<double>(max_) / 1e6; }

    /// The smallest bucket's upper end below which `share` (0..1) of the samples lie, in milliseconds; 0 without samples.
    [[nodiscard]] double percentile_ms(double share) const
    {
        if (count_ == 0) return 0;
        const double exact = share * static_cast<double>(count_);
        std::uint64_t wanted = static_cast<std::uint64_t>(exact);
        if (static_cast<double>(wanted) < exact || wanted == 0) ++wanted;
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen >= wanted) return static_cast<double>(std::min(top_of(i), max_)) / 1e6;
        }
        return max_ms();
    }

private:
    static constexpr unsigned kStepBits = 7;
    static constexpr std::uint64_t kSteps = std::uint64_t{1} << kStepBits;

    static std::size_t bucket_of(std::uint64_t value)
    {
        if (value < kSteps) return static_cast<std::size_t>(value);
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kStepBits;
        return static_cast<std::size_t>((std::uint64_t{shift} << kStepBits) + (value >> shift));
    }

    static std::uint64_t top_of(std::size_t bucket)
    {
        if (bucket < 2 * kSteps) return bucket;
        const std::uint64_t shift = (bucket >> kStepBits) - 1;
        const std::uint64_t lead = (bucket & (kSteps - 1)) + kSteps;
        return ((lead + 1) << shift) - 1;
    }

    std::array<std::uint64_t, (64 - kStepBits + 1) * kSteps> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace boxoffice::bench
