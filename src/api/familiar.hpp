#pragma once
#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

namespace boxoffice::http
{

/// From where accounts have been signed in to: the newest `most` pairs of an account and a client's address. Kept in this process
/// only, and lost with it: all it decides is whose turn comes first while an account is being guessed at. Any thread.
class FamiliarSources
{
public:
    explicit FamiliarSources(std::size_t most = 16 * 1024) : most_(most) {}

    void remember(std::string source)
    {
        const std::lock_guard lock(mutex_);
        if (const auto known = at_.find(source); known != at_.end()) {
            newest_first_.splice(newest_first_.begin(), newest_first_, known->second);
            return;
        }
        newest_first_.push_front(source);
        at_.emplace(std::move(source), newest_first_.begin());
        if (newest_first_.size() <= most_) return;
        at_.erase(newest_first_.back());
        newest_first_.pop_back();
    }

    [[nodiscard]] bool knows(const std::string& source) const
    {
        const std::lock_guard lock(mutex_);
        return at_.contains(source);
    }

private:
    const std::size_t most_;
    mutable std::mutex mutex_;  // protects what follows
    std::list<std::string> newest_first_;
    std::unordered_map<std::string, std::list<std::string>::iterator> at_;
};

}  // namespace boxoffice::http
