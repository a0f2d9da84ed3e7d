#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace boxoffice::demo
{

/// Chance that falls alike on every machine: std::*_distribution and libm differ between libraries, so everything here is
/// made of integers and of single IEEE multiplications. Two draws never stand in one expression whose order C++ leaves
/// open. Not for secrets.
class Dice
{
public:
    explicit Dice(std::uint64_t seed);

    /// 0 .. sides - 1; sides 1 .. 2^32.
    std::uint64_t below(std::uint64_t sides);
    /// least .. most, both included.
    std::int64_t between(std::int64_t least, std::int64_t most);
    /// Once in `times`.
    bool once_in(std::uint64_t times) { return below(times) == 0; }
    /// Bell-shaped around 0 with a standard deviation of kDeviation, at most 6 of them away: the sum of twelve dice.
    std::int64_t normal();
    static constexpr std::int64_t kDeviation = 65'536;
    /// median * 2^(octaves * z) for a normal z.
    double log_normal(double median, double octaves);

    template <class Sequence>
    decltype(auto) pick(const Sequence& sequence)
    {
        return sequence[static_cast<std::size_t>(below(std::size(sequence)))];
    }

    /// An index, each as likely as its weight says. Not all weights are 0.
    std::size_t weighted(std::span<const unsigned> weights);

    /// Fisher and Yates.
    template <class T>
    void shuffle(std::span<T> items)
    {
        for (std::size_t left = items.size(); left > 1; --left) {
            std::swap(items[left - 1], items[static_cast<std::size_t>(below(left))]);
        }
    }

private:
    std::uint64_t next();

    std::array<std::uint64_t, 4> state_;
};

}  // namespace boxoffice::demo
