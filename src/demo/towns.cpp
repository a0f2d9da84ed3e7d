#include "demo/towns.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string>

namespace boxoffice::demo
{

namespace
{

constexpr std::size_t kRivalsMax = 14;   // a league's worth
constexpr std::uint64_t kAnywhere = 25;  // one draw in so many disregards size, so that the ends of the map are not empty

[[noreturn]] void refuse(std::string_view line) { throw std::runtime_error("not a line of towns: " + std::string(line)); }

template <class Number>
Number number_of(std::string_view text, std::string_view line)
{
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) refuse(line);
    return number;
}

struct Fields {
    std::array<std::string_view, 6> texts;
    std::size_t count = 0;
};

Fields split(std::string_view line)
{
    Fields fields;
    for (std::string_view rest = line;;) {
        if (fields.count == fields.texts.size()) refuse(line);
        const std::size_t tab = rest.find('\t');
        fields.texts[fields.count++] = rest.substr(0, tab);
        if (tab == std::string_view::npos) return fields;
        rest.remove_prefix(tab + 1);
    }
}

std::int64_t grid(std::string_view text, std::string_view line)
{
    return static_cast<std::int64_t>(std::lround(number_of<double>(text, line) * 1e5));
}

}  // namespace

Atlas::Atlas(std::string_view tsv)
{
    std::unordered_map<std::string_view, std::string_view> country_names;
    std::uint64_t sum = 0;
    while (!tsv.empty()) {
        const std::size_t end = tsv.find('\n');
        const std::string_view line = tsv.substr(0, end);
        tsv.remove_prefix(end == std::string_view::npos ? tsv.size() : end + 1);
        if (line.empty()) continue;
        const auto [texts, count] = split(line);
        if (count == 2) {
            country_names[texts[0]] = texts[1];
            continue;
        }
        if (count != texts.size() || !country_names.contains(texts[1])) refuse(line);
        const Town town{.name = texts[0],
                        .country = texts[1],
                        .country_name = country_names[texts[1]],
                        .center = {grid(texts[2], line), grid(texts[3], line)},
                        .population = std::max<std::int64_t>(1, number_of<std::int64_t>(texts[4], line)),
                        .zone = texts[5]};
        std::vector<std::size_t>& largest = largest_by_country_[town.country];
        if (largest.size() < kRivalsMax) largest.push_back(towns_.size());
        // population^0.75 from square roots, which IEEE rounds alike everywhere, as pow() is not.
        const double root = std::sqrt(static_cast<double>(town.population));
        sum += static_cast<std::uint64_t>(root * std::sqrt(root)) + 1;
        towns_.push_back(town);
        weights_until_.push_back(sum);
    }
    if (towns_.empty()) throw std::runtime_error("there are no towns to choose from");
}

std::size_t Atlas::draw(Dice& dice) const
{
    if (dice.once_in(kAnywhere)) return static_cast<std::size_t>(dice.below(towns_.size()));
    const auto found = std::upper_bound(weights_until_.begin(), weights_until_.end(), dice.below(weights_until_.back()));
    return static_cast<std::size_t>(found - weights_until_.begin());
}

std::size_t Atlas::draw_rival(std::size_t town, Dice& dice) const
{
    const std::vector<std::size_t>& largest = largest_by_country_.at(towns_[town].country);
    const auto at = static_cast<std::size_t>(dice.below(largest.size()));
    if (largest[at] != town) return largest[at];
    return largest[(at + 1) % largest.size()];
}

GridPoint draw_point_near(const Town& town, Dice& dice)
{
    constexpr std::int64_t kPole = 90'00000;
    constexpr std::int64_t kHalfTurn = 180'00000;
    constexpr std::int64_t kGridPerKm = 898;  // of latitude
    const std::int64_t spread_m =
        800 + std::min<std::int64_t>(6'000, static_cast<std::int64_t>(std::sqrt(static_cast<double>(town.population)) * 1.5));
    const auto offset = [&] { return dice.normal() * spread_m / Dice::kDeviation * kGridPerKm / 1'000; };
    const std::int64_t north = offset();
    const std::int64_t east = offset();
    // Bhaskara's cosine, (180² - 4x²) / (180² + x²) with x in degrees: right to 0.002, and whole numbers only.
    const std::int64_t millidegrees = town.center.latitude_e5 / 100;
    const std::int64_t square = millidegrees * millidegrees;
    constexpr std::int64_t kSquare = 180'000LL * 180'000LL;
    const std::int64_t cosine_of = std::max(kSquare - 4 * square, kSquare / 100);
    GridPoint point{std::clamp(town.center.latitude_e5 + north, -kPole, kPole),
                    town.center.longitude_e5 + east * (kSquare + square) / cosine_of};
    if (point.longitude_e5 > kHalfTurn) point.longitude_e5 -= 2 * kHalfTurn;
    if (point.longitude_e5 < -kHalfTurn) point.longitude_e5 += 2 * kHalfTurn;
    return point;
}

}  // namespace boxoffice::demo
