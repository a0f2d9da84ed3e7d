#include <algorithm>
#include <set>

#include "sqlite/reader.hpp"
#include "sqlite/words.hpp"

namespace boxoffice::sqlite
{

namespace
{

/// How far back a user's taste reaches: their newest tickets, and the newest events among them.
constexpr int kTicketsRead = 500;
constexpr std::size_t kEventsRead = 20;
/// A word says something of taste when it is long enough and rare enough; the rarest few are asked for.
constexpr std::size_t kWordBytesMin = 4;
constexpr std::int64_t kWordEventsMax = 5000;
constexpr std::size_t kWordsAsked = 8;
constexpr int kAlikeMax = 500;

/// The rarest of `words` as an FTS5 expression, or nothing when none says anything.
std::string match_any(Connection& db, const std::set<std::string>& words)
{
    std::vector<std::pair<std::int64_t, std::string>> rare;
    for (const std::string& word : words) {
        if (word.size() < kWordBytesMin) continue;
        Rows rows = db.query("SELECT doc FROM event_terms WHERE term = ?1", word);
        if (rows.next() && rows.integer(0) > 1 && rows.integer(0) <= kWordEventsMax) rare.emplace_back(rows.integer(0), word);
    }
    std::sort(rare.begin(), rare.end());
    if (rare.size() > kWordsAsked) rare.resize(kWordsAsked);
    std::string match;
    for (const auto& [events, word] : rare) match += (match.empty() ? "\"" : " OR \"") + word + "\"";
    return match;
}

/// Of all their tickets, not only the newest: what somebody holds is never suggested, however long ago they took it. What is kept
/// is an event each, so no more than the catalogue in memory; and not DISTINCT, which would sort or keep the same once more.
std::unordered_set<EventId> held_by(Connection& db, UserId user, Instant now)
{
    std::unordered_set<EventId> held;
    Rows rows = db.query("SELECT event_id FROM tickets WHERE user_id = ?1 AND (status = 1 OR (status = 0 AND expires_at > ?2))",
                         user, now);
    while (rows.next()) held.insert(EventId{rows.integer(0)});
    return held;
}

}  // namespace

Taste taste_of(Connection& db, UserId user, Instant now)
{
    Taste taste;
    taste.held = held_by(db, user, now);
    std::vector<EventId> past;
    {
        Rows rows = db.query("SELECT event_id FROM tickets WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2", user, kTicketsRead);
        while (past.size() < kEventsRead && rows.next()) {
            const EventId event{rows.integer(0)};
            if (std::find(past.begin(), past.end(), event) == past.end()) past.push_back(event);
        }
    }
    std::set<std::string> words;
    for (const EventId event : past) {
        Rows rows = db.query("SELECT organizer_id, title FROM events WHERE id = ?1", event);
        if (!rows.next()) continue;
        taste.organizers.insert(UserId{rows.integer(0)});
        words.merge(words_of(db, rows.text(1)));
    }
    const std::string match = match_any(db, words);
    if (match.empty()) return taste;
    // bm25 is the more negative the better the match; the best one counts as 1.
    double best = 0;
    Rows rows =
        db.query("SELECT rowid, rank FROM event_words WHERE event_words MATCH ?1 ORDER BY rank LIMIT ?2", match, kAlikeMax);
    while (rows.next()) {
        if (best == 0) best = rows.real(1);
        if (best < 0) taste.alike.emplace(EventId{rows.integer(0)}, std::clamp(rows.real(1) / best, 0.0, 1.0));
    }
    return taste;
}

}  // namespace boxoffice::sqlite
