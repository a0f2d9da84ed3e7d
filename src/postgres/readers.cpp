#include "postgres/readers.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace boxoffice::postgres
{

namespace
{

/// Questions to a flight at most: one slow one makes those behind it wait.
constexpr std::size_t kTogetherMax = 16;
constexpr std::chrono::milliseconds kAwayPauseFirst{50};
constexpr std::chrono::milliseconds kAwayPauseMax{200};
/// Whoever reads sits in front of a page and can ask again: less patience than with a sale.
constexpr std::chrono::seconds kAwayMax{1};

}  // namespace

Readers::Readers(const PostgresOptions& options) : options_(options)
{
    for (unsigned i = 0; i < std::max(1U, options.readers); ++i) {
        all_.push_back(std::make_unique<Connection>(options_, Connection::Purpose::read));
        free_.push_back(all_.back().get());
    }
}

Rows Readers::ask(std::string_view sql, Params params)
{
    Flight flight;
    flight.add(sql, std::move(params));
    std::vector<Rows> rows = fly(std::move(flight));
    return std::move(rows.front());
}

std::vector<Rows> Readers::fly(Flight flight)
{
    Waiting mine;
    mine.flight = std::move(flight);
    std::unique_lock lock(mutex_);
    waiting_.push_back(&mine);
    while (!mine.done) {
        if (free_.empty() || waiting_.empty()) {
            mine.answered.wait(lock);
            continue;
        }
        Connection* const db = free_.back();
        free_.pop_back();
        Group group;
        // What waits is shared out among the connections that are free, so that none idles while another has a queue.
        const std::size_t share = std::min(kTogetherMax, waiting_.size() / (free_.size() + 1) + 1);
        while (!waiting_.empty() && group.size() < share) {
            group.push_back(waiting_.front());
            waiting_.pop_front();
        }
        lock.unlock();
        carry(*db, group);
        lock.lock();
        free_.push_back(db);
        for (Waiting* const one : group) {
            one->done = true;
            one->answered.notify_one();
        }
        // The next in line takes over the connection.
        if (!waiting_.empty()) waiting_.front()->answered.notify_one();
    }
    lock.unlock();
    if (mine.accident) std::rethrow_exception(mine.accident);
    return std::move(mine.rows);
}

void Readers::carry_together(Connection& db, const Group& group)
{
    Flight all;
    for (const Waiting* const one : group) all.append(one->flight);
    std::vector<Rows> rows = db.fly(all);
    away_since_.store(0, std::memory_order_relaxed);
    auto next = rows.begin();
    for (Waiting* const one : group) {
        one->rows.clear();
        for (std::size_t i = 0; i < one->flight.size(); ++i) one->rows.push_back(std::move(*next++));
    }
}

Readers::Group Readers::give_up(const Group& group, const std::exception_ptr& why)
{
    const auto now = Steady::now();
    Steady::rep none = 0;
    away_since_.compare_exchange_strong(none, now.time_since_epoch().count(), std::memory_order_relaxed);
    const Steady::time_point away{Steady::duration(away_since_.load(std::memory_order_relaxed))};
    Group left;
    for (Waiting* const one : group) {
        if (now - std::min(one->since, away) < kAwayMax)
            left.push_back(one);
        else
            one->accident = why;
    }
    return left;
}

void Readers::carry(Connection& db, Group group)
{
    auto away = kAwayPauseFirst;
    while (!group.empty()) {
        try {
            return carry_together(db, group);
        } catch (const Gone&) {
            group = give_up(group, std::current_exception());
            if (group.empty()) return;
            std::this_thread::sleep_for(away);
            away = std::min(away * 2, kAwayPauseMax);
        } catch (...) {
            if (group.size() == 1) {
                group.front()->accident = std::current_exception();
                return;
            }
            // One of them is at fault: each for itself finds out which.
            for (Waiting* const one : group) carry(db, {one});
            return;
        }
    }
}

}  // namespace boxoffice::postgres
