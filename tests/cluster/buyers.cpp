#include "cluster/buyers.hpp"

#include <map>
#include <set>
#include <sstream>

namespace cluster
{

using namespace std::chrono_literals;

namespace
{

constexpr Millis kAnswerPatience = 4s;  // then it is asked again elsewhere, while the first may still be under way
constexpr Millis kBeforeRepeat = 20ms;
constexpr Millis kBetweenActs = 8ms;  // the point is the failures, not the load
constexpr auto kClearPatience = 40s;  // an act without a clear answer for longer than any failure of the tests lasts
constexpr auto kProgressPatience = 30s;

blackbox::Ask to_ask(const Buyer& who, const std::string& path, const std::string& body, const std::string& key)
{
    return {"POST",
            "/api/v1" + path,
            {{"Authorization", "Bearer " + who.token}, {"Content-Type", "application/json"}, {"Idempotency-Key", key}},
            body};
}

/// Whether the same key has to be sent again: the server was too busy, or does not know, or is at it.
bool is_unclear(const Answer& answer)
{
    if (answer.status == 503) return true;
    return answer.status == 409 && answer.body.find("\"idempotency_in_progress\"") != std::string::npos;
}

std::string text_of(const Answer& answer)
{
    std::ostringstream text;
    text << answer;
    return text.str();
}

}  // namespace

Buyers::Buyers(Cluster& cluster, int count)
    : cluster_(cluster), nodes_(cluster.addresses()), known_(static_cast<std::size_t>(count))
{
    Person organizer = blackbox::sign_up(cluster.at(0));
    event_ = blackbox::make_event(organizer, {{"total_tickets", 1'000'000}});
    const std::vector<Buyer> people = add_people(cluster, organizer, count);
    for (std::size_t i = 0; i < people.size(); ++i) known_[i].who = people[i];
}

Buyers::~Buyers() { finish(); }

void Buyers::start()
{
    for (std::size_t i = 0; i < known_.size(); ++i) threads_.emplace_back([this, i] { buy(i); });
}

bool Buyers::goes_on()
{
    const std::lock_guard lock(guard_);
    return !finishing_ && surprises_.empty();
}

void Buyers::pause(Millis time)
{
    std::unique_lock lock(guard_);
    changed_.wait_for(lock, time, [this] { return !surprises_.empty(); });
}

void Buyers::surprise(const std::string& what)
{
    const std::lock_guard lock(guard_);
    surprises_.push_back(what);
    changed_.notify_all();
}

bool Buyers::execute(const Buyer& who, Act& act, int status, std::size_t& node)
{
    const auto deadline = std::chrono::steady_clock::now() + kClearPatience;
    for (int tries = 0;; ++tries) {
        blackbox::Client client(nodes_[node++ % nodes_.size()], kAnswerPatience);
        std::string why = "no answer";
        try {
            act.answer = client.send(to_ask(who, act.path, act.body, act.key));
            why = text_of(act.answer);
            if (act.answer.status == status) {
                const std::lock_guard lock(guard_);
                ++answers_;
                repeats_ += tries > 0 ? 1 : 0;
                changed_.notify_all();
                return true;
            }
            if (!is_unclear(act.answer)) {
                surprise(act.path + " try " + std::to_string(tries) + ": " + why);
                return false;
            }
        } catch (const blackbox::NoAnswer& none) {
            if (none.why() == blackbox::NoAnswer::Why::garbled) surprise(none.what());
        }
        if (std::chrono::steady_clock::now() > deadline) {
            surprise(act.path + " has no clear answer after " + std::to_string(tries) + " repeats: " + why);
            return false;
        }
        pause(kBeforeRepeat);
    }
}

void Buyers::buy(std::size_t buyer)
{
    Known& known = known_[buyer];
    std::size_t node = buyer;
    for (int round = 0; goes_on(); ++round) {
        pause(kBetweenActs);
        Act reserve{"/tickets/", Json{{"event_id", event_["id"]}}.dump(), blackbox::fresh_word(), {}};
        if (!execute(known.who, reserve, 201, node)) return;
        const auto id = reserve.answer.json().at("id").get<std::int64_t>();
        known.acts.push_back(std::move(reserve));
        known.tickets.emplace_back(id, "reserved");
        if (round % 3 == 0) continue;
        const std::string key = blackbox::fresh_word();
        Act pay{blackbox::path_of("/tickets/", id, "/pay"), Json{{"payment_reference", key}}.dump(), key, {}};
        if (!execute(known.who, pay, 200, node)) return;
        known.acts.push_back(std::move(pay));
        known.tickets.back().second = "paid";
    }
}

void Buyers::wait_for_answers(int count)
{
    std::unique_lock lock(guard_);
    const int wanted = answers_ + count;
    changed_.wait_for(lock, kProgressPatience, [&] { return answers_ >= wanted || !surprises_.empty(); });
    EXPECT_GE(answers_, wanted) << "the buyers got no further";
}

void Buyers::finish()
{
    {
        const std::lock_guard lock(guard_);
        finishing_ = true;
        changed_.notify_all();
    }
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
}

void Buyers::check_one(const Known& known, std::size_t turn) const
{
    Caller caller(cluster_.at(turn), known.who.token);
    std::map<std::int64_t, std::string> kept;
    for (const Json& ticket : blackbox::walk(caller, "/tickets/user/" + std::to_string(known.who.id) + "?limit=100"))
        kept[ticket["id"].get<std::int64_t>()] = ticket["status"];
    EXPECT_EQ(kept.size(), known.tickets.size()) << "a repeated act had its effect twice, or one was lost";
    for (const auto& [id, status] : known.tickets) {
        const auto found = kept.find(id);
        if (found == kept.end())
            ADD_FAILURE() << "ticket " << id << " was acknowledged and is gone";
        else
            EXPECT_EQ(found->second, status) << "ticket " << id;
    }
    std::vector<blackbox::Client> clients;
    for (const Address& node : nodes_) clients.emplace_back(node);
    for (const Act& act : known.acts) {
        const Answer again = clients[turn++ % clients.size()].send(to_ask(known.who, act.path, act.body, act.key));
        EXPECT_EQ(again.status, act.answer.status) << again;
        EXPECT_EQ(again.body, act.answer.body) << "a repeat has another answer than the first time";
        EXPECT_EQ(again.header("idempotency-replayed"), "true") << again;
        if (again.status != act.answer.status) return;
    }
}

void Buyers::check() const
{
    ASSERT_TRUE(surprises_.empty()) << surprises_[0];
    std::vector<std::thread> checks;
    for (std::size_t i = 0; i < known_.size(); ++i) {
        checks.emplace_back([this, i] {
            try {
                check_one(known_[i], i);
            } catch (const std::exception& accident) {
                ADD_FAILURE() << accident.what();
            }
        });
    }
    for (std::thread& check : checks) check.join();

    std::set<std::int64_t> tickets;
    std::size_t count = 0;
    for (const Known& known : known_) {
        count += known.tickets.size();
        for (const auto& [id, status] : known.tickets) tickets.insert(id);
    }
    EXPECT_EQ(tickets.size(), count) << "one ticket was sold to two";
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        Caller anonymous(nodes_[i]);
        EXPECT_EQ(blackbox::get_event(anonymous, event_["id"])["tickets_sold"], count) << "the counter and the tickets differ";
    }
    cluster_.expect_healthy();
}

}  // namespace cluster
