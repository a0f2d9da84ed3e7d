#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <vector>

#include "postgres/connection.hpp"

namespace boxoffice::postgres
{

/// Rows of an earlier version, with what searches and logins compare.
struct Unindexed {
    struct Words {
        std::string words;         // as they are now
        std::int64_t made_of = 0;  // what they were made of, as the server counts it
    };
    std::map<EventId, Words> events;
    std::size_t bytes = 0;  // of their texts
    struct Mailbox {
        UserId user;
        std::string key;
    };
    std::vector<Mailbox> users;  // oldest first

    [[nodiscard]] bool empty() const { return events.empty() && users.empty(); }
};

/// How a statement and what reads its rows join a pipeline.
using Ask = std::function<void(std::string_view sql, Params params, std::function<void(const Rows&)> read)>;

/// Asks for what Reindex makes: at most `most` rows of a kind, and of events about kReindexedBytesAtOnce of texts.
void ask_unindexed(std::size_t most, Unindexed& found, const Ask& ask);
void reindex(Pipeline& pipeline, const Unindexed& found);

}  // namespace boxoffice::postgres
