#include <algorithm>
#include <set>

#include "sqlite/reader.hpp"

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

void split_words(std::string_view text, std::set<std::string>& words)
{
    std::string word;
    const auto flush = [&] {
        if (word.size() >= kWordBytesMin) words.insert(word);
        word.clear();
    };
    for (const char c : text) {
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80)
            word += c;
        else if (c >= 'A' && c <= 'Z')
            word += static_cast<char>(c - 'A' + 'a');
        else
            flush();
    }
    flush();
}

/// The rarest of `words` as an FTS5 expression, or nothing when none says anything.
std::string match_any(Connection& db, const std::set<std::string>& words)
{
    std::vector<std::pair<std::int64_t, std::string>> rare;
    for (const std::string& word : words) {
        Rows rows = db.query("SELECT doc FROM event_terms WHERE term = ?1", word);
        if (rows.next() && rows.integer(0) > 1 && rows.integer(0) <= kWordEventsMax) rare.emplace_back(rows.integer(0), word);
    }
    std::sort(rare.begin(), rare.end());
    if (rare.size() > kWordsAsked) rare.resize(kWordsAsked);
    std::string match;
    for (const auto& [events, word] : rare) match += (match.empty() ? "\"" : " OR \"") + word + "\"";
    return match;
}

}  // namespace

Taste taste_of(Connection& db, UserId user, Instant now)
{
    Taste taste;
    std::vector<EventId> past;
    {
        Rows rows = db.query("SELECT event_id, status, expires_at FROM tickets WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2",
                             user, kTicketsRead);
        while (rows.next()) {
            const EventId event{rows.integer(0)};
            const auto status = static_cast<TicketStatus>(rows.integer(1));
            if (status == TicketStatus::paid || (status == TicketStatus::reserved && rows.instant(2) > now))
                taste.held.insert(event);
            if (past.size() < kEventsRead && std::find(past.begin(), past.end(), event) == past.end()) past.push_back(event);
        }
    }
    std::set<std::string> words;
    for (const EventId event : past) {
        Rows rows = db.query("SELECT organizer_id, title FROM events WHERE id = ?1", event);
        if (!rows.next()) continue;
        taste.organizers.insert(UserId{rows.integer(0)});
        split_words(rows.text(1), words);
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
