#include "crowd.hpp"

#include <sstream>

namespace blackbox
{

Crowd::Crowd(const Address& at, int count) : at_(at), promises_(static_cast<std::size_t>(count))
{
    for (int i = 0; i < count; ++i) people_.push_back(sign_up(at));
    event_ = make_event(people_[0], {{"total_tickets", 1'000'000}});
}

Crowd::~Crowd() { finish(); }

void Crowd::start()
{
    for (std::size_t i = 0; i < people_.size(); ++i) threads_.emplace_back([this, i] { buy(i); });
}

void Crowd::count(int& counter)
{
    const std::lock_guard lock(guard_);
    ++counter;
    changed_.notify_all();
}

bool Crowd::is_good(const Answer& answer, int status)
{
    if (answer.status == status) {
        count(good_);
        return true;
    }
    if (is_problem(answer, 503)) {
        count(refused_);
        return false;
    }
    std::ostringstream text;
    text << answer;
    const std::lock_guard lock(guard_);
    surprises_.push_back(text.str());
    finishing_ = true;
    changed_.notify_all();
    return false;
}

void Crowd::buy(std::size_t buyer)
{
    Promises& promised = promises_[buyer];
    Caller caller = again(people_[buyer]);
    const auto goes_on = [this] {
        const std::lock_guard lock(guard_);
        return !finishing_;
    };
    try {
        for (int round = 0; goes_on(); ++round) {
            const std::string key = fresh_word();
            const Answer reserved = caller.post("/tickets/", Json{{"event_id", event_["id"]}}, {{"Idempotency-Key", key}});
            if (!is_good(reserved, 201)) continue;
            const auto id = reserved.json().at("id").get<std::int64_t>();
            promised.tickets[id] = "reserved";
            promised.last_reserved = id;
            promised.last_key = key;
            promised.last_body = reserved.body;
            if (round % 3 == 0 || !goes_on()) continue;
            promised.tickets[id] = "in doubt";
            const Answer paid = caller.post(path_of("/tickets/", id, "/pay"), Json{{"payment_reference", key}});
            promised.tickets[id] = is_good(paid, 200) ? "paid" : "reserved";
        }
    } catch (const NoAnswer& none) {
        if (none.why() == NoAnswer::Why::cut || none.why() == NoAnswer::Why::garbled) count(cut_);
    }
    count(ended_);
}

void Crowd::wait_for(const int& counter, int wanted)
{
    std::unique_lock lock(guard_);
    const auto enough = [&] { return counter >= wanted || finishing_ || ended_ == static_cast<int>(people_.size()); };
    changed_.wait_for(lock, std::chrono::minutes(1), enough);
    EXPECT_GE(counter, wanted) << "the crowd got no further";
}

void Crowd::wait_for_promises(int count) { wait_for(good_, count); }
void Crowd::wait_for_refusals(int count) { wait_for(refused_, count); }

void Crowd::finish()
{
    {
        const std::lock_guard lock(guard_);
        finishing_ = true;
    }
    join();
}

void Crowd::join()
{
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

void Crowd::check_promises(const Address& to) const
{
    EXPECT_TRUE(surprises_.empty()) << surprises_[0];
    std::size_t live = 0;
    for (std::size_t i = 0; i < people_.size(); ++i) {
        Caller caller(to, people_[i].token());
        std::map<std::int64_t, std::string> kept;
        for (const Json& ticket : walk(caller, "/tickets/user/" + std::to_string(people_[i].id) + "?limit=100")) {
            kept[ticket["id"].get<std::int64_t>()] = ticket["status"];
        }
        live += kept.size();
        for (const auto& [id, status] : promises_[i].tickets) {
            ASSERT_TRUE(kept.contains(id)) << "ticket " << id << " was acknowledged and is gone";
            // A payment whose answer never came may have happened or not; whatever was answered must be so.
            if (status == "paid")
                EXPECT_EQ(kept[id], "paid") << "ticket " << id;
            else
                EXPECT_TRUE(kept[id] == "reserved" || (kept[id] == "paid" && status == "in doubt"))
                    << "ticket " << id << " is " << kept[id];
        }
        if (promises_[i].last_key.empty()) continue;
        const Answer replay =
            caller.post("/tickets/", Json{{"event_id", event_["id"]}}, {{"Idempotency-Key", promises_[i].last_key}});
        EXPECT_TRUE(has_status(replay, 201));
        EXPECT_EQ(replay.header("idempotency-replayed"), "true");
        EXPECT_EQ(replay.body, promises_[i].last_body);
    }
    Caller anonymous(to);
    EXPECT_EQ(get_event(anonymous, event_["id"])["tickets_sold"], live) << "the event's counter and its tickets differ";
}

}  // namespace blackbox
