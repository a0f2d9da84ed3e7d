#include "runtime/fair_queue.hpp"

#include <algorithm>
#include <utility>

namespace boxoffice
{

bool FairQueue::put(LaneWork& work, Steady::time_point deadline, std::vector<std::pair<LaneWork, LaneDrop>>& dropped)
{
    if (entries_.size() >= depth_max_) drop_gone(dropped);
    if (entries_.size() >= depth_max_ && !make_way_for(work.client, dropped)) return false;
    const auto [client_at, new_client] = clients_.try_emplace(work.client);
    Client& client = client_at->second;
    if (new_client) client.turn = turns_.insert(turns_.end(), work.client);
    const auto [account_at, new_account] = client.accounts.try_emplace(work.account);
    Account& account = account_at->second;
    if (new_account) account.turn = client.turns.insert(client.turns.end(), work.account);
    const Number number = next_++;
    const auto at = account.waiting.insert(account.waiting.end(), number);
    ++client.size;
    entries_.emplace_hint(entries_.end(), number, Entry{std::move(work), deadline, at});
    return true;
}

std::optional<std::pair<LaneWork, FairQueue::Steady::time_point>> FairQueue::take()
{
    if (entries_.empty()) return std::nullopt;
    Client& client = clients_.at(turns_.front());
    turns_.splice(turns_.end(), turns_, turns_.begin());
    const Account& account = client.accounts.at(client.turns.front());
    client.turns.splice(client.turns.end(), client.turns, client.turns.begin());
    const auto entry = entries_.find(account.waiting.front());
    const auto deadline = entry->second.deadline;
    return std::pair(remove(entry), deadline);
}

void FairQueue::drop_overdue(Steady::time_point now, std::vector<std::pair<LaneWork, LaneDrop>>& dropped)
{
    while (!entries_.empty() && entries_.begin()->second.deadline <= now)
        dropped.emplace_back(remove(entries_.begin()), LaneDrop::overdue);
}

void FairQueue::drop_gone(std::vector<std::pair<LaneWork, LaneDrop>>& dropped)
{
    for (auto at = entries_.begin(); at != entries_.end();) {
        const auto entry = at++;
        const auto& gone = entry->second.work.gone;
        if (gone && gone->load(std::memory_order_relaxed)) dropped.emplace_back(remove(entry), LaneDrop::gone);
    }
}

bool FairQueue::make_way_for(const std::string& client, std::vector<std::pair<LaneWork, LaneDrop>>& dropped)
{
    const auto most = std::max_element(clients_.begin(), clients_.end(),
                                       [](const auto& a, const auto& b) { return a.second.size < b.second.size; });
    const auto mine = clients_.find(client);
    const std::size_t waiting = mine == clients_.end() ? 0 : mine->second.size;
    // Afterwards no client may have less than the one that made way, or two clients would push each other out in turns.
    if (most == clients_.end() || most->second.size <= waiting + 1) return false;
    const auto& accounts = most->second.accounts;
    const auto fullest = std::max_element(accounts.begin(), accounts.end(), [](const auto& a, const auto& b) {
        return a.second.waiting.size() < b.second.waiting.size();
    });
    dropped.emplace_back(remove(entries_.find(fullest->second.waiting.back())), LaneDrop::crowded_out);
    return true;
}

LaneWork FairQueue::remove(Entries::iterator entry)
{
    LaneWork work = std::move(entry->second.work);
    const auto client_at = clients_.find(work.client);
    Client& client = client_at->second;
    const auto account_at = client.accounts.find(work.account);
    Account& account = account_at->second;
    account.waiting.erase(entry->second.at);
    entries_.erase(entry);
    if (account.waiting.empty()) {
        client.turns.erase(account.turn);
        client.accounts.erase(account_at);
    }
    if (--client.size == 0) {
        turns_.erase(client.turn);
        clients_.erase(client_at);
    }
    return work;
}

}  // namespace boxoffice
