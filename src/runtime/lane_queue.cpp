#include "runtime/lane_queue.hpp"

#include <algorithm>
#include <utility>

namespace boxoffice
{

namespace
{

/// Of every batch, one in this many places is kept for each less urgent kind that waits, so that nothing starves.
constexpr std::size_t kShareKept = 16;

/// What a batch takes of the catalogue, about in bytes of text. Three of the longest events make a transaction some milliseconds
/// longer, which is less than a slow sync; where the batch is still empty, the first waits for a few times as much.
constexpr std::size_t kWeightBesideOthers = std::size_t{16} * 1024;
constexpr std::size_t kWeightAlone = std::size_t{64} * 1024;

/// One account may have so great a part of the catalogue's places, so that others find some.
constexpr std::size_t kPublisherShare = 8;

}  // namespace

bool LaneQueue::full() const
{
    const auto is_full = [&](WriteClass cls) { return queues_[static_cast<std::size_t>(cls)].size() >= depth_max_; };
    return is_full(WriteClass::payment) || is_full(WriteClass::reservation);
}

std::size_t LaneQueue::crowd() const { return std::min((sizes_[0] + sizes_[1]) / 2, batch_max_); }

std::string_view LaneQueue::offer(std::unique_ptr<LaneJob>& job)
{
    const WriteClass cls = class_of(job->act);
    auto& queue = queues_[static_cast<std::size_t>(cls)];
    const std::size_t places = places_of(cls, depth_max_);
    if (queue.size() >= places) return kQueueFull;
    if (cls == WriteClass::catalogue) {
        std::size_t& waiting = publishing_[publisher_of(job->act)];
        if (!job->unlimited && waiting >= std::max<std::size_t>(1, places / kPublisherShare)) return kAccountShare;
        ++waiting;
    }
    queue.push_back(std::move(job));
    ++depth_;
    return {};
}

LaneQueue::Batch LaneQueue::take()
{
    Batch batch;
    batch.reserve(std::min(depth_, batch_max_));
    for (std::size_t urgency = 0; urgency < kUrgencies; ++urgency) {
        std::size_t kept = 0;
        for (std::size_t later = urgency + 1; later < kUrgencies; ++later) {
            kept += std::min(queues_[later].size(), batch_max_ / kShareKept);
        }
        auto& queue = queues_[urgency];
        if (urgency == static_cast<std::size_t>(WriteClass::catalogue)) {
            take_catalogue(batch);
            continue;
        }
        while (!queue.empty() && batch.size() + kept < batch_max_) {
            batch.push_back(std::move(queue.front()));
            queue.pop_front();
        }
    }
    depth_ -= batch.size();
    sizes_ = {batch.size(), sizes_[0]};
    return batch;
}

/// By weight, and one at least: all others in the batch wait for it.
void LaneQueue::take_catalogue(Batch& batch)
{
    auto& queue = queues_[static_cast<std::size_t>(WriteClass::catalogue)];
    const std::size_t most = batch.empty() ? kWeightAlone : kWeightBesideOthers;
    std::size_t weight = 0;
    while (!queue.empty() && batch.size() < batch_max_) {
        const std::size_t more = weight_of(queue.front()->act);
        if (weight > 0 && weight + more > most) return;
        weight += more;
        const auto publishing = publishing_.find(publisher_of(queue.front()->act));
        if (--publishing->second == 0) publishing_.erase(publishing);
        batch.push_back(std::move(queue.front()));
        queue.pop_front();
    }
}

}  // namespace boxoffice
