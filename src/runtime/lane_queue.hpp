#pragma once
#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/lane_acts.hpp"
#include "runtime/lanes.hpp"

namespace boxoffice
{

/// What waits in a lane: a queue for each class of acts, and what a batch takes of them. Its owner's lock protects it.
class LaneQueue
{
public:
    using Batch = std::vector<std::unique_ptr<LaneJob>>;

    LaneQueue(std::size_t depth_max, std::size_t batch_max) : depth_max_(depth_max), batch_max_(batch_max) {}

    [[nodiscard]] std::size_t depth() const { return depth_; }
    /// It would refuse a payment or a reservation.
    [[nodiscard]] bool full() const;

    /// Empty, or why not: then the job is still the caller's.
    [[nodiscard]] std::string_view offer(std::unique_ptr<LaneJob>& job);

    /// A batch of what waits, most urgent first.
    [[nodiscard]] Batch take();
    /// How many the next batch may well have, as the last two show.
    [[nodiscard]] std::size_t crowd() const;

private:
    void take_catalogue(Batch& batch);

    const std::size_t depth_max_;
    const std::size_t batch_max_;
    std::array<std::deque<std::unique_ptr<LaneJob>>, kUrgencies> queues_;  // by class
    std::unordered_map<UserId, std::size_t> publishing_;                   // acts of the catalogue that wait, by whose they are
    std::size_t depth_ = 0;
    std::array<std::size_t, 2> sizes_{};  // of the last two batches
};

}  // namespace boxoffice
