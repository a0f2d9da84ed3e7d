#include <algorithm>
#include <set>

#include "sqlite/reader.hpp"
#include "text/text.hpp"

namespace boxoffice::sqlite
{

namespace
{

/// Those of `words` that say something of taste.
std::vector<WeighedWord> weigh(Connection& db, const std::set<std::string>& words)
{
    std::vector<TasteWord> counted;
    for (const std::string& word : words) {
        if (word.size() < kTasteWordBytesMin) continue;
        Rows rows = db.query("SELECT doc FROM event_token_counts WHERE term = ?1", word);
        if (rows.next()) counted.push_back({word, rows.integer(0)});
    }
    return taste_of_words(std::move(counted));
}

/// Of all their tickets, not only the newest: what a user holds is never suggested, however long ago they took it. What is kept
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
        Rows rows = db.query("SELECT event_id FROM tickets WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2", user, kTasteTickets);
        while (past.size() < kTasteEvents && rows.next()) {
            const EventId event{rows.integer(0)};
            if (std::find(past.begin(), past.end(), event) == past.end()) past.push_back(event);
        }
    }
    std::set<std::string> words;
    for (const EventId event : past) {
        Rows rows = db.query("SELECT organizer_id, title FROM events WHERE id = ?1", event);
        if (!rows.next()) continue;
        taste.organizers.insert(UserId{rows.integer(0)});
        words.merge(text::words_of(rows.text(1)));
    }
    for (const WeighedWord& word : weigh(db, words)) {
        const std::string match = '"' + word.word + '"';  // bound where it lies, so it outlives the rows
        Rows rows = db.query("SELECT rowid FROM event_tokens WHERE event_tokens MATCH ?1", match);
        while (rows.next()) taste.weights[EventId{rows.integer(0)}] += word.weight;
    }
    return taste;
}

}  // namespace boxoffice::sqlite
