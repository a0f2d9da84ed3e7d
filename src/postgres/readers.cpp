#include "postgres/readers.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace boxoffice::postgres
{

namespace
{

constexpr std::chrono::milliseconds kAwayPauseFirst{50};
constexpr std::chrono::milliseconds kAwayPauseMax{200};
/// Whoever reads sits in front of a page and can ask again: less patience than with a sale.
constexpr std::chrono::seconds kAwayMax{1};

}  // namespace

Readers::Readers(const PostgresOptions& options, Connection::Purpose purpose, Size size)
    : options_(options), together_max_(size.together_max)
{
    for (unsigned i = 0; i < std::max(1U, size.connections); ++i) {
        all_.push_back(std::make_unique<Connection>(options_, purpose));
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
    if (why_away_ && (probing_ || free_.empty())) {
        const auto why = why_away_;
        lock.unlock();
        throw Gone(*why);
    }
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
        const std::size_t share = std::min(together_max_, waiting_.size() / (free_.size() + 1) + 1);
        while (!waiting_.empty() && group.size() < share) {
            group.push_back(waiting_.front());
            waiting_.pop_front();
        }
        const Errand errand = why_away_ && !probing_ ? Errand::probe : Errand::ordinary;
        if (errand == Errand::probe) probing_ = true;
        lock.unlock();
        try {
            carry(*db, group, errand);
        } catch (...) {
            // No memory to deal with a failure, say: they are told, and the connection goes back all the same.
            for (Waiting* const one : group) one->accident = std::current_exception();
        }
        lock.lock();
        if (errand == Errand::probe) probing_ = false;
        free_.push_back(db);
        for (Waiting* const one : group) one->answer();
        if (why_away_) refuse_those_waiting();
        // The next in line takes over the connection.
        if (!waiting_.empty()) waiting_.front()->answered.notify_one();
    }
    lock.unlock();
    if (mine.away) throw Gone(*mine.away);
    if (mine.accident) std::rethrow_exception(mine.accident);
    return std::move(mine.rows);
}

void Readers::refuse_those_waiting()
{
    for (Waiting* const one : waiting_) {
        one->away = why_away_;
        one->answer();
    }
    waiting_.clear();
}

void Readers::carry_together(Connection& db, const Group& group)
{
    Flight all;
    for (const Waiting* const one : group) all.append(one->flight);
    std::vector<Rows> rows = db.fly(all);
    heard();
    auto next = rows.begin();
    for (Waiting* const one : group) {
        one->rows.clear();
        for (std::size_t i = 0; i < one->flight.size(); ++i) one->rows.push_back(std::move(*next++));
    }
}

void Readers::heard()
{
    const std::lock_guard lock(mutex_);
    heard_at_ = Steady::now();
    away_since_.reset();
    why_away_ = nullptr;
}

Readers::Group Readers::give_up(const Group& group, Steady::time_point silent, const Gone& why)
{
    const auto told = std::make_shared<const std::string>(why.what());
    const std::lock_guard lock(mutex_);
    const auto now = Steady::now();
    // Another session may have heard from it meanwhile: then it is this one that was lost, and not the server.
    if (!away_since_) away_since_ = std::max(silent, heard_at_);
    if (now - *away_since_ >= kAwayMax) why_away_ = told;
    Group left;
    for (Waiting* const one : group) {
        if (now - std::min(one->since, *away_since_) < kAwayMax)
            left.push_back(one);
        else
            one->away = told;
    }
    return left;
}

bool Readers::give_up_if_known(const Group& group)
{
    const std::lock_guard lock(mutex_);
    for (Waiting* const one : group) one->away = why_away_;
    return why_away_ != nullptr;
}

void Readers::carry(Connection& db, Group group, Errand errand)
{
    auto away = kAwayPauseFirst;
    // An old session may have been lost without a word, and would take longer to notice than a new one to make.
    if (errand == Errand::probe) db.drop();
    while (!group.empty()) {
        if (errand == Errand::ordinary && give_up_if_known(group)) return;
        // Who is not let in has heard nothing since the attempt began. An old session that breaks was there until it broke, as
        // far as can be known: the query under way may have been a slow one.
        const auto began = db.connected() ? Steady::time_point::max() : Steady::now();
        try {
            return carry_together(db, group);
        } catch (const Gone& why) {
            group = give_up(group, std::min(began, Steady::now()), why);
            if (group.empty()) return;
            std::this_thread::sleep_for(away);
            away = std::min(away * 2, kAwayPauseMax);
        } catch (...) {
            heard();
            if (group.size() == 1) {
                group.front()->accident = std::current_exception();
                return;
            }
            // One of them is at fault: each for itself finds out which.
            for (Waiting* const one : group) carry(db, {one}, Errand::ordinary);
            return;
        }
    }
}

}  // namespace boxoffice::postgres
