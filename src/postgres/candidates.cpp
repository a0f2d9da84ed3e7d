#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_set>

#include "postgres/queries.hpp"

namespace boxoffice::postgres
{

namespace
{

/// How far back a user's taste reaches: their newest tickets, and the newest events among them.
constexpr std::int64_t kTicketsRead = 500;
constexpr std::size_t kEventsRead = 20;
/// A word says something of taste when it is long enough and rare enough; the rarest few are asked for.
constexpr std::size_t kWordBytesMin = 4;
constexpr double kShareMax = 0.05;
constexpr std::size_t kWordsAsked = 8;
/// Each kind of candidate is at most so many: enough for many pages of suggestions.
constexpr std::int64_t kOfAKind = 500;
/// How alike an event is that has nothing in common with a past one but its organizer.
constexpr double kSameOrganizer = 0.5;
/// Word frequencies change as slowly as a catalogue does.
constexpr std::chrono::minutes kFrequenciesFor{5};

constexpr std::string_view kPast =
    "SELECT t.event_id, e.organizer_id, tsvector_to_array(to_tsvector('simple', plain_words(e.title)))::text "
    "FROM (SELECT event_id, id FROM tickets WHERE user_id = $1 ORDER BY user_id, id DESC LIMIT $2) t "
    "JOIN events e ON e.id = t.event_id ORDER BY t.id DESC";

/// Of all their tickets, not only the newest: what somebody holds is never suggested, however long ago they took it. Of somebody
/// with very many tickets the server walks along all of them, once; they stay there, and a list looks each event up in a hash of
/// them. (Given as an array they would be compared one by one, and joined they would cost a list the order of its index.)
constexpr std::string_view kHeld =
    "held AS MATERIALIZED (SELECT DISTINCT event_id FROM tickets WHERE user_id = $2 AND (status = 1 OR (status = 0 AND "
    "expires_at > $1)))";

/// What an event must be to be suggested. `id` is a column of the table that the list walks along: each event it comes to is
/// looked up among the held ones there and then. That is made a number because the planner takes it that any NOT IN leaves out
/// every second row, and would rather read whole tables than walk along an index for so few; of <> it thinks otherwise.
std::string upcoming_by(std::string_view id)
{
    return fmt::format(
        "e.removed_at IS NULL AND e.start_time > $1 AND i.sold < i.total AND ({} IN (SELECT event_id FROM held))::int <> 1", id);
}

struct Past {
    std::set<UserId> organizers;
    std::set<std::string> words;
};

/// "{jazz,night}": words of letters and digits only, so that nothing in it is quoted.
void add_words(std::string_view array, std::set<std::string>& words)
{
    array.remove_prefix(1);
    array.remove_suffix(1);
    while (!array.empty()) {
        const auto end = std::min(array.find(','), array.size());
        if (end >= kWordBytesMin) words.emplace(array.substr(0, end));
        array.remove_prefix(std::min(end + 1, array.size()));
    }
}

Past past_of(Readers& readers, const SuggestionQuery& query)
{
    const Rows rows = readers.ask(kPast, std::move(Params().id(query.user).integer(kTicketsRead)));
    Past past;
    std::unordered_set<EventId> seen;
    for (int row = 0; row < rows.count(); ++row) {
        const auto event = rows.id<EventId>(row, 0);
        if (seen.size() >= kEventsRead || !seen.insert(event).second) continue;
        past.organizers.insert(rows.id<UserId>(row, 1));
        add_words(rows.text(row, 2), past.words);
    }
    return past;
}

std::string any_of(const std::vector<std::string>& words)
{
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " | ") + word;
    return text;
}

/// "$7" and the like, as parameters are added.
std::string last(const Params& params) { return fmt::format("${}", params.size()); }

}  // namespace

std::vector<std::string> WordFrequencies::rare(Readers& readers, const std::set<std::string>& words)
{
    std::unique_lock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (!read_ || now - read_at_ > kFrequenciesFor) {
        read_ = true;
        read_at_ = now;
        lock.unlock();
        const Rows rows = readers.ask(
            "SELECT w.word, w.share::float8 FROM pg_stats s, unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) "
            "AS w(word, "
            "share) WHERE s.schemaname = current_schema() AND s.tablename = 'events' AND s.attname = 'words' AND w.word IS NOT "
            "NULL");
        lock.lock();
        shares_.clear();
        for (int row = 0; row < rows.count(); ++row) shares_.emplace(std::string(rows.text(row, 0)), rows.real(row, 1));
    }
    std::vector<std::pair<double, std::string>> rare;
    for (const std::string& word : words) {
        const auto known = shares_.find(word);
        const double share = known == shares_.end() ? 0 : known->second;
        if (share <= kShareMax) rare.emplace_back(share, word);
    }
    std::sort(rare.begin(), rare.end());
    if (rare.size() > kWordsAsked) rare.resize(kWordsAsked);
    std::vector<std::string> chosen;
    chosen.reserve(rare.size());
    for (auto& [share, word] : rare) chosen.push_back(std::move(word));
    return chosen;
}

std::vector<Candidate> candidates(Readers& readers, WordFrequencies& frequencies, const SuggestionQuery& query)
{
    const Past past = past_of(readers, query);
    const std::vector<std::string> words = frequencies.rare(readers, past.words);

    Params params;
    params.instant(query.now).id(query.user);
    const std::string upcoming = upcoming_by("e.id");
    const std::string from = "FROM events e JOIN inventory i ON i.event_id = e.id WHERE ";
    std::string sql = fmt::format(
        "WITH {3}, soon AS (SELECT e.id {0}{1} ORDER BY e.start_time, e.id LIMIT {2}), "
        "popular AS (SELECT e.id {0}{4} ORDER BY i.popularity DESC, i.event_id LIMIT {2})",
        from, upcoming, kOfAKind, kHeld, upcoming_by("i.event_id"));
    std::string all = "SELECT id FROM soon UNION SELECT id FROM popular";
    std::string distance = "NULL::float8";
    if (query.location) {
        params.real(query.location->longitude).real(query.location->latitude);
        const std::string here =
            fmt::format("ST_SetSRID(ST_MakePoint(${}, ${}), 4326)::geography", params.size() - 1, params.size());
        distance = fmt::format("ST_Distance(e.place, {})", here);
        sql += fmt::format(", near AS (SELECT e.id {}{} ORDER BY e.place <-> {} LIMIT {})", from, upcoming, here, kOfAKind);
        all += " UNION SELECT id FROM near";
    }
    std::string likeness = "0::float8";
    std::string likes;
    if (!words.empty()) {
        params.text(std::string_view(any_of(words)));
        // Ranks have no scale of their own: the best match counts as 1.
        sql += fmt::format(
            ", matching AS (SELECT e.id, ts_rank(e.words, {2}::tsquery)::float8 AS rank {0}{1} AND e.words @@ {2}::tsquery "
            "ORDER BY rank DESC, e.id LIMIT {3}), alike AS (SELECT id, rank / max(rank) OVER () AS likeness FROM matching)",
            from, upcoming, last(params), kOfAKind);
        all += " UNION SELECT id FROM alike";
        likeness = "coalesce(a.likeness, 0)";
        likes = "LEFT JOIN alike a ON a.id = e.id ";
    }
    if (!past.organizers.empty()) {
        params.ids(std::vector<UserId>(past.organizers.begin(), past.organizers.end()));
        sql += fmt::format(
            ", same AS (SELECT e.id {}{} AND e.organizer_id = ANY({}::bigint[]) ORDER BY e.start_time, e.id LIMIT {})", from,
            upcoming, last(params), kOfAKind);
        all += " UNION SELECT id FROM same";
        likeness = fmt::format("greatest({}, CASE WHEN e.organizer_id = ANY({}::bigint[]) THEN {} ELSE 0 END)", likeness,
                               last(params), kSameOrganizer);
    }
    sql += fmt::format(
        ", chosen AS MATERIALIZED ({}) SELECT e.id, e.start_time, {}, {}, i.sold::float8 / i.total, i.pace, i.paced_at "
        "FROM events e JOIN inventory i ON i.event_id = e.id {}WHERE e.id = ANY(ARRAY(SELECT id FROM chosen))",
        all, distance, likeness, likes);

    const Rows rows = readers.ask(sql, std::move(params));
    std::vector<Candidate> found;
    for (int row = 0; row < rows.count(); ++row) {
        Candidate candidate;
        candidate.event = rows.id<EventId>(row, 0);
        candidate.start_time = rows.instant(row, 1);
        if (!rows.null(row, 2)) candidate.distance_m = rows.real(row, 2);
        candidate.likeness = std::clamp(rows.real(row, 3), 0.0, 1.0);
        candidate.share_sold = rows.real(row, 4);
        candidate.pace = advance(Pace{rows.real(row, 5), rows.instant(row, 6)}, query.now, 0).tickets_a_day;
        found.push_back(candidate);
    }
    return found;
}

}  // namespace boxoffice::postgres
