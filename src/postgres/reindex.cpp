#include "postgres/reindex.hpp"

#include <set>

#include "core/search.hpp"
#include "postgres/words.hpp"
#include "text/text.hpp"

/// What searches and logins compare, for rows that an earlier version wrote.
namespace boxoffice::postgres
{

namespace
{

// What another session keeps locked is passed by and comes round again: neither a start nor what else a lane has to do waits for
// it.
constexpr std::string_view kUnindexed =
    "SELECT id, title, description, venue_address, " BOXOFFICE_PG_WORDS_OF
    " FROM events WHERE removed_at IS NULL AND words_of IS DISTINCT FROM " BOXOFFICE_PG_WORDS_OF
    " ORDER BY id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED";
constexpr std::string_view kIndexedBefore =
    "SELECT id, title, description, venue_address, " BOXOFFICE_PG_WORDS_OF
    " FROM events WHERE removed_at IS NULL AND words_version < $2 ORDER BY words_version, id LIMIT $1 "
    "FOR NO KEY UPDATE SKIP LOCKED";
constexpr std::string_view kUnkeyed =
    "SELECT id, email FROM users WHERE email_key IS NULL AND mailbox_of IS NULL AND octet_length(email) > char_length(email) "
    "ORDER BY id LIMIT $1";
constexpr std::string_view kReindexEvents =
    "UPDATE events e SET tokens = " BOXOFFICE_PG_TOKENS("u.words") ", words_version = $4, words_of = u.made_of "
    "FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS u(id, words, made_of) WHERE e.id = u.id";
// An address in ASCII is its own key. An account that has the key by another spelling has registered since.
constexpr std::string_view kKeyUsers =
    "UPDATE users u SET email_key = CASE WHEN w.owner IS NULL THEN w.key END, mailbox_of = w.owner "
    "FROM (SELECT c.id, c.key, coalesce((SELECT o.id FROM users o WHERE o.email_key = c.key), "
    "(SELECT o.id FROM users o WHERE o.email_folded = c.key AND o.id < c.id)) AS owner "
    "FROM unnest($1::bigint[], $2::text[]) AS c(id, key)) w "
    "WHERE u.id = w.id AND u.email_key IS NULL AND u.mailbox_of IS NULL";
constexpr std::string_view kLeaveYounger =
    "UPDATE users u SET mailbox_of = w.id FROM unnest($1::bigint[], $2::text[]) AS w(id, key) WHERE u.email_folded = w.key AND "
    "u.id > w.id AND u.email_key IS NULL AND u.mailbox_of IS NULL";

}  // namespace

void ask_unindexed(std::size_t most, Unindexed& found, const Ask& ask)
{
    if (most == 0) return;
    const auto limit = static_cast<std::int64_t>(most);
    const auto read = [&found](const Rows& rows) {
        for (int row = 0; row < rows.count() && found.bytes < kReindexedBytesAtOnce; ++row) {
            found.bytes += rows.text(row, 1).size() + rows.text(row, 2).size() + rows.text(row, 3).size();
            std::string words = words_of_event(rows.text(row, 1), rows.text(row, 2), rows.text(row, 3));
            found.events.try_emplace(rows.id<EventId>(row, 0), Unindexed::Words{std::move(words), rows.integer(row, 4)});
        }
    };
    ask(kUnindexed, std::move(Params().integer(limit)), read);
    ask(kIndexedBefore, std::move(Params().integer(limit).integer(text::words_version())), read);
    ask(kUnkeyed, std::move(Params().integer(limit)), [&found](const Rows& rows) {
        for (int row = 0; row < rows.count(); ++row)
            found.users.push_back({rows.id<UserId>(row, 0), text::address_key(rows.text(row, 1))});
    });
}

void reindex(Pipeline& pipeline, const Unindexed& found)
{
    if (!found.events.empty()) {
        std::vector<EventId> ids;
        std::vector<std::string> words;
        std::vector<std::int64_t> made_of;
        for (const auto& [id, event] : found.events) {
            ids.push_back(id);
            words.push_back(event.words);
            made_of.push_back(event.made_of);
        }
        pipeline.add(kReindexEvents, std::move(Params().ids(ids).texts(words).integers(made_of).integer(text::words_version())));
    }
    // One account of a mailbox in each round: the next sees that the key is taken.
    for (std::vector<Unindexed::Mailbox> left = found.users; !left.empty();) {
        std::vector<UserId> ids;
        std::vector<std::string> keys;
        std::set<std::string> seen;
        std::erase_if(left, [&](const Unindexed::Mailbox& one) {
            if (!seen.insert(one.key).second) return false;
            ids.push_back(one.user);
            keys.push_back(one.key);
            return true;
        });
        pipeline.add(kKeyUsers, std::move(Params().ids(ids).texts(keys)));
        pipeline.add(kLeaveYounger, std::move(Params().ids(ids).texts(keys)));
    }
}

}  // namespace boxoffice::postgres
