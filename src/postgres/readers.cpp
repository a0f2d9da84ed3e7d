#include "postgres/readers.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace boxoffice::postgres
{

namespace
{

constexpr std::chrono::milliseconds kBackoffFirst{50};
constexpr std::chrono::milliseconds kBackoffMax{200};
/// A reader sits in front of a page and can ask again: less patience than with a sale.
constexpr std::chrono::seconds kUnavailableMax{1};

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
    Pipeline pipeline;
    pipeline.add(sql, std::move(params));
    std::vector<Rows> rows = execute(std::move(pipeline));
    return std::move(rows.front());
}

std::vector<Rows> Readers::execute(Pipeline pipeline)
{
    Waiting mine;
    mine.pipeline = std::move(pipeline);
    std::unique_lock lock(mutex_);
    if (why_unavailable_ && (probing_ || free_.empty())) {
        const auto why = why_unavailable_;
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
        const Attempt attempt = why_unavailable_ && !probing_ ? Attempt::probe : Attempt::ordinary;
        if (attempt == Attempt::probe) probing_ = true;
        lock.unlock();
        try {
            carry(*db, group, attempt);
        } catch (...) {
            // No memory to deal with a failure, say: they are told, and the connection goes back all the same.
            for (Waiting* const one : group) one->exception = std::current_exception();
        }
        lock.lock();
        if (attempt == Attempt::probe) probing_ = false;
        free_.push_back(db);
        for (Waiting* const one : group) one->answer();
        if (why_unavailable_) refuse_those_waiting();
        // The next in line takes over the connection.
        if (!waiting_.empty()) waiting_.front()->answered.notify_one();
    }
    lock.unlock();
    if (mine.unavailable) throw Gone(*mine.unavailable);
    if (mine.exception) std::rethrow_exception(mine.exception);
    return std::move(mine.rows);
}

void Readers::refuse_those_waiting()
{
    for (Waiting* const one : waiting_) {
        one->unavailable = why_unavailable_;
        one->answer();
    }
    waiting_.clear();
}

void Readers::carry_together(Connection& db, const Group& group)
{
    Pipeline all;
    for (const Waiting* const one : group) all.append(one->pipeline);
    std::vector<Rows> rows = db.execute(all);
    mark_alive();
    auto next = rows.begin();
    for (Waiting* const one : group) {
        one->rows.clear();
        for (std::size_t i = 0; i < one->pipeline.size(); ++i) one->rows.push_back(std::move(*next++));
    }
}

void Readers::mark_alive()
{
    const std::lock_guard lock(mutex_);
    last_alive_at_ = Steady::now();
    unavailable_since_.reset();
    why_unavailable_ = nullptr;
}

Readers::Group Readers::give_up(const Group& group, Steady::time_point silent, const Gone& why)
{
    const auto told = std::make_shared<const std::string>(why.what());
    const std::lock_guard lock(mutex_);
    const auto now = Steady::now();
    // Another session may have heard from it meanwhile: then it is this one that was lost, and not the server.
    if (!unavailable_since_) unavailable_since_ = std::max(silent, last_alive_at_);
    if (now - *unavailable_since_ >= kUnavailableMax) why_unavailable_ = told;
    Group left;
    for (Waiting* const one : group) {
        if (now - std::min(one->since, *unavailable_since_) < kUnavailableMax)
            left.push_back(one);
        else
            one->unavailable = told;
    }
    return left;
}

bool Readers::give_up_if_known(const Group& group)
{
    const std::lock_guard lock(mutex_);
    for (Waiting* const one : group) one->unavailable = why_unavailable_;
    return why_unavailable_ != nullptr;
}

void Readers::carry(Connection& db, Group group, Attempt attempt)
{
    auto backoff = kBackoffFirst;
    // An old session may have been lost without a word, and would take longer to notice than a new one to make.
    if (attempt == Attempt::probe) db.drop();
    while (!group.empty()) {
        if (attempt == Attempt::ordinary && give_up_if_known(group)) return;
        // Who is not let in has heard nothing since the attempt began. An old session that breaks was there until it broke, as
        // far as can be known: the query under way may have been a slow one.
        const auto began = db.connected() ? Steady::time_point::max() : Steady::now();
        try {
            return carry_together(db, group);
        } catch (const Gone& why) {
            group = give_up(group, std::min(began, Steady::now()), why);
            if (group.empty()) return;
            std::this_thread::sleep_for(backoff);
            backoff = std::min(backoff * 2, kBackoffMax);
        } catch (...) {
            mark_alive();
            if (group.size() == 1) {
                group.front()->exception = std::current_exception();
                return;
            }
            // One of them is at fault: each for itself finds out which.
            for (Waiting* const one : group) carry(db, {one}, Attempt::ordinary);
            return;
        }
    }
}

}  // namespace boxoffice::postgres
