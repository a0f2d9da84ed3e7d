#include <vector>

#include "core/search.hpp"
#include "sqlite/changes.hpp"
#include "sqlite/writer.hpp"
#include "text/text.hpp"

/// What searches and logins compare, for rows that an earlier version wrote.
namespace boxoffice::sqlite
{

namespace
{

struct Texts {
    EventId event;
    std::string words;
};

std::vector<Texts> read_texts(Rows rows)
{
    std::vector<Texts> all;
    for (std::size_t bytes = 0; bytes < kReindexedBytesAtOnce && rows.next();) {
        bytes += rows.text(1).size() + rows.text(2).size() + rows.text(3).size();
        all.push_back({EventId{rows.integer(0)}, words_of_event(rows.text(1), rows.text(2), rows.text(3))});
    }
    return all;
}

std::optional<UserId> first_of(Rows rows)
{
    if (!rows.next()) return std::nullopt;
    return UserId{rows.integer(0)};
}

}  // namespace

std::size_t Writer::reindex_events(std::size_t most)
{
    const auto limit = static_cast<std::int64_t>(most);
    std::vector<Texts> all = read_texts(
        db_.query("SELECT id, title, description, venue_address FROM events WHERE removed_at IS NULL AND words_version IS NULL "
                  "ORDER BY id LIMIT ?1",
                  limit));
    if (all.empty()) {
        all = read_texts(
            db_.query("SELECT id, title, description, venue_address FROM events WHERE removed_at IS NULL AND words_version < ?1 "
                      "ORDER BY words_version, id LIMIT ?2",
                      std::int64_t{text::words_version()}, limit));
    }
    for (const Texts& texts : all) {
        index_words(db_, texts.event, texts.words);
        db_.execute("UPDATE events SET words_version = ?2 WHERE id = ?1", texts.event, std::int64_t{text::words_version()});
    }
    if (!all.empty()) catalogue_changed_ = true;  // what was counted before may be found by more words now
    return all.size();
}

std::size_t Writer::reindex_users(std::size_t most)
{
    struct Unkeyed {
        UserId user;
        std::string key;
    };
    std::vector<Unkeyed> all;
    {
        Rows rows = db_.query(
            // The bound that every id keeps makes SQLite walk the index and not the table.
            "SELECT id, email FROM users INDEXED BY users_without_key WHERE id > 0 AND email_key IS NULL AND mailbox_of IS NULL "
            "AND length(CAST(email AS BLOB)) > length(email) ORDER BY id LIMIT ?1",
            static_cast<std::int64_t>(most));
        while (rows.next()) all.push_back({UserId{rows.integer(0)}, text::address_key(rows.text(1))});
    }
    for (const Unkeyed& one : all) {
        // An address in ASCII is its own key. An account that has the key by another spelling has registered since.
        const auto keeper = first_of(db_.query("SELECT id FROM users WHERE email_key = ?1", one.key));
        const auto in_ascii = first_of(db_.query("SELECT id FROM users WHERE email_folded = ?1 AND id <> ?2", one.key, one.user));
        const auto owner = keeper ? keeper : in_ascii && *in_ascii < one.user ? in_ascii : std::nullopt;
        if (owner) {
            db_.execute("UPDATE users SET mailbox_of = ?2 WHERE id = ?1", one.user, *owner);
            continue;
        }
        db_.execute("UPDATE users SET email_key = ?2 WHERE id = ?1", one.user, one.key);
        if (in_ascii) db_.execute("UPDATE users SET mailbox_of = ?2 WHERE id = ?1", *in_ascii, one.user);
    }
    return all.size();
}

Outcome Writer::act(const Reindex& act)
{
    const std::size_t events = reindex_events(act.most);
    const std::size_t users = reindex_users(act.most);
    if (events == 0) lacks_words_.store(false, std::memory_order_release);
    return Done{events > 0 || users == act.most};
}

}  // namespace boxoffice::sqlite
