#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "demo/towns.hpp"
#include "demo/words.hpp"

namespace boxoffice::demo
{

struct House {
    std::string name;
    std::string address;  // "The Copper Room, 12 Mill Lane, Suva, Fiji"
    GeoPoint point;
    std::int64_t seats = 0;
};

/// The houses of the catalogue. A town has a few of each sort, and events come back to them.
class Houses
{
public:
    explicit Houses(const Atlas& atlas) : atlas_(atlas) {}

    /// A house for that kind of event, one known already or a new one. Valid until the next call.
    const House& draw(Kind kind, std::size_t town, Dice& dice);

private:
    const Atlas& atlas_;
    std::unordered_map<std::size_t, std::vector<House>> by_town_and_stage_;
};

}  // namespace boxoffice::demo
