#pragma once
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/model.hpp"
#include "demo/dice.hpp"

namespace boxoffice::demo
{

/// A place in whole 1e-5 degrees, about a metre: arithmetic on it is exact.
struct GridPoint {
    std::int64_t latitude_e5 = 0;
    std::int64_t longitude_e5 = 0;
};

[[nodiscard]] inline GeoPoint degrees(GridPoint point)
{
    return {static_cast<double>(point.latitude_e5) / 1e5, static_cast<double>(point.longitude_e5) / 1e5};
}

/// The texts point into the file they were read from.
struct Town {
    std::string_view name;
    std::string_view country;  // ISO code
    std::string_view country_name;
    GridPoint center;
    std::int64_t population = 0;
    std::string_view zone;
};

/// The world's towns, and chance among them.
class Atlas
{
public:
    /// Throws std::runtime_error when `tsv` is not in the form of TOWNS.md or names no town.
    explicit Atlas(std::string_view tsv);

    [[nodiscard]] const std::vector<Town>& towns() const { return towns_; }

    /// A town, the likelier the more people live in it, but less than in proportion, so that the world is covered.
    [[nodiscard]] std::size_t draw(Dice& dice) const;

    /// Another of the largest towns of the same country, or the town itself when it is the only one.
    [[nodiscard]] std::size_t draw_rival(std::size_t town, Dice& dice) const;

private:
    std::vector<Town> towns_;
    std::vector<std::uint64_t> weights_until_;  // running sum
    std::unordered_map<std::string_view, std::vector<std::size_t>> largest_by_country_;
};

/// A point some kilometres around the middle of a town, nearer in small ones: right across the antimeridian, never past a pole.
[[nodiscard]] GridPoint draw_point_near(const Town& town, Dice& dice);

}  // namespace boxoffice::demo
