#include "demo/dice.hpp"

#include <bit>

namespace boxoffice::demo
{

// xoshiro256** seeded by splitmix64: Blackman and Vigna, https://prng.di.unimi.it/
Dice::Dice(std::uint64_t seed)
{
    for (std::uint64_t& word : state_) {
        seed += 0x9e3779b97f4a7c15;
        std::uint64_t mixed = seed;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        word = mixed ^ (mixed >> 31);
    }
}

std::uint64_t Dice::next()
{
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

std::uint64_t Dice::below(std::uint64_t sides) { return ((next() >> 32) * sides) >> 32; }

std::int64_t Dice::between(std::int64_t least, std::int64_t most)
{
    return least + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least + 1)));
}

std::int64_t Dice::normal()
{
    std::int64_t sum = 0;
    for (int word = 0; word < 3; ++word) {
        const std::uint64_t bits = next();
        for (unsigned shift = 0; shift < 64; shift += 16) sum += static_cast<std::int64_t>((bits >> shift) & 0xffff);
    }
    return sum - 6 * kDeviation;
}

double Dice::log_normal(double median, double octaves)
{
    // 2^(1/2), 2^(1/4), 2^(1/8) …: the power is put together from the bits of its exponent, by multiplications alone.
    static constexpr std::array<double, 10> kRoots = {
        1.4142135623730951, 1.189207115002721,  1.0905077326652577, 1.0442737824274138, 1.0218971486541166,
        1.0108892860517005, 1.0054299011128027, 1.0027112750502025, 1.0013547198921082, 1.0006771306930664};
    const auto exponent = static_cast<std::int64_t>(static_cast<double>(normal()) * octaves) / (kDeviation / 1024);
    const std::int64_t whole = exponent >> 10;
    double result = median;
    for (std::int64_t step = 0; step < whole; ++step) result *= 2;
    for (std::int64_t step = 0; step > whole; --step) result *= 0.5;
    for (std::size_t bit = 0; bit < kRoots.size(); ++bit) {
        if ((exponent >> (9 - bit)) & 1) result *= kRoots[bit];
    }
    return result;
}

std::size_t Dice::weighted(std::span<const unsigned> weights)
{
    std::uint64_t sum = 0;
    for (const unsigned weight : weights) sum += weight;
    std::uint64_t left = below(sum);
    std::size_t index = 0;
    while (left >= weights[index]) left -= weights[index++];
    return index;
}

}  // namespace boxoffice::demo
