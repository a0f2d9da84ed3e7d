#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_set>

#include "postgres/queries.hpp"
#include "text/text.hpp"

namespace boxoffice::postgres
{

namespace
{

/// Of the liveliest and the nearest a few more than kCandidatesOfAKind: the index has popularity in steps and measures distances
/// on a sphere, and choose_candidates() has the exact ones.
constexpr std::int64_t kOfAKind = kCandidatesOfAKind;
constexpr std::int64_t kOfAKindRoughly = kOfAKind + kOfAKind / 5;
/// A word that more events have than this is counted anew every few minutes only.
constexpr std::int64_t kCommon = 1000;
constexpr std::chrono::minutes kCommonFor{5};

constexpr std::string_view kPast =
    "SELECT t.event_id, e.organizer_id, e.title "
    "FROM (SELECT event_id, id FROM tickets WHERE user_id = $1 ORDER BY user_id, id DESC LIMIT $2) t "
    "JOIN events e ON e.id = t.event_id ORDER BY t.id DESC";

/// Of all their tickets, not only the newest: what a user holds is never suggested, however long ago they took it. Of a user
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

Past past_of(Readers& readers, const SuggestionQuery& query)
{
    const Rows rows = readers.ask(kPast, std::move(Params().id(query.user).integer(kTasteTickets)));
    Past past;
    std::unordered_set<EventId> seen;
    for (int row = 0; row < rows.count(); ++row) {
        const auto event = rows.id<EventId>(row, 0);
        if (seen.size() >= kTasteEvents || !seen.insert(event).second) continue;
        past.organizers.insert(rows.id<UserId>(row, 1));
        past.words.merge(text::words_of(rows.text(row, 2)));
    }
    return past;
}

/// "$7" and the like, as parameters are added.
std::string last(const Params& params) { return fmt::format("${}", params.size()); }

}  // namespace

std::vector<TasteWord> WordCounts::count(Readers& readers, const std::set<std::string>& words)
{
    std::vector<TasteWord> counted;
    std::vector<std::string> unknown;
    {
        const std::lock_guard lock(mutex_);
        const auto now = std::chrono::steady_clock::now();
        if (now - since_ > kCommonFor) {
            common_.clear();
            since_ = now;
        }
        for (const std::string& word : words) {
            if (word.size() < kTasteWordBytesMin) continue;
            if (const auto known = common_.find(word); known != common_.end())
                counted.push_back({word, known->second});
            else
                unknown.push_back(word);
        }
    }
    if (unknown.empty()) return counted;
    std::vector<std::string> queries;
    queries.reserve(unknown.size());
    for (const std::string& word : unknown) queries.push_back(lexeme(word));
    const Rows rows = readers.ask(
        "SELECT w.word, (SELECT count(*) FROM (SELECT 1 FROM events e WHERE e.removed_at IS NULL AND e.tokens @@ "
        "w.query::tsquery LIMIT $3) few) FROM unnest($1::text[], $2::text[]) AS w(word, query)",
        std::move(Params().texts(unknown).texts(queries).integer(kTasteWordEventsMax + 1)));
    const std::lock_guard lock(mutex_);
    for (int row = 0; row < rows.count(); ++row) {
        const TasteWord word{std::string(rows.text(row, 0)), rows.integer(row, 1)};
        if (word.events > kCommon) common_.insert_or_assign(word.word, word.events);
        counted.push_back(word);
    }
    return counted;
}

std::vector<Candidate> candidates(Readers& readers, WordCounts& counts, const SuggestionQuery& query)
{
    const Past past = past_of(readers, query);
    const std::vector<WeighedWord> words = taste_of_words(counts.count(readers, past.words));

    Params params;
    params.instant(query.now).id(query.user);
    const std::string upcoming = upcoming_by("e.id");
    const std::string from = "FROM events e JOIN inventory i ON i.event_id = e.id WHERE ";
    std::string sql = fmt::format(
        "WITH {3}, soon AS (SELECT e.id {0}{1} ORDER BY e.start_time, e.id LIMIT {2}), "
        "popular AS (SELECT e.id {0}{4} ORDER BY i.popularity DESC, i.event_id LIMIT {5})",
        from, upcoming, kOfAKind, kHeld, upcoming_by("i.event_id"), kOfAKindRoughly);
    std::string all = "SELECT id FROM soon UNION SELECT id FROM popular";
    std::string distance = "NULL::float8";
    if (query.location) {
        params.real(query.location->longitude).real(query.location->latitude);
        const std::string here =
            fmt::format("ST_SetSRID(ST_MakePoint(${}, ${}), 4326)::geography", params.size() - 1, params.size());
        // To the millimetre, as in the embedded store.
        distance = fmt::format("round(ST_Distance(e.place, {}) * 1000) / 1000", here);
        sql +=
            fmt::format(", near AS (SELECT e.id {}{} ORDER BY e.place <-> {} LIMIT {})", from, upcoming, here, kOfAKindRoughly);
        all += " UNION SELECT id FROM near";
    }
    std::string weight = "0::bigint";
    if (!words.empty()) {
        weight.clear();
        std::string any;
        for (const WeighedWord& word : words) {
            params.text(std::string_view(lexeme(word.word))).integer(word.weight);
            const auto number = params.size();
            any += fmt::format("{}${}::text", any.empty() ? "" : " || ' | ' || ", number - 1);
            weight += fmt::format("{}CASE WHEN e.tokens @@ ${}::text::tsquery THEN ${} ELSE 0 END", weight.empty() ? "" : " + ",
                                  number - 1, number);
        }
        sql += fmt::format(", alike AS (SELECT e.id {}{} AND e.tokens @@ ({})::tsquery ORDER BY {} DESC, e.id LIMIT {})", from,
                           upcoming, any, weight, kOfAKind);
        all += " UNION SELECT id FROM alike";
    }
    std::string same = "false";
    if (!past.organizers.empty()) {
        params.ids(std::vector<UserId>(past.organizers.begin(), past.organizers.end()));
        same = fmt::format("e.organizer_id = ANY({}::bigint[])", last(params));
        sql += fmt::format(", same AS (SELECT e.id {}{} AND {} ORDER BY e.start_time, e.id LIMIT {})", from, upcoming, same,
                           kOfAKind);
        all += " UNION SELECT id FROM same";
    }
    sql += fmt::format(
        ", chosen AS MATERIALIZED ({}) SELECT e.id, e.start_time, {}, coalesce({}, 0), {}, i.sold, i.total, i.pace, i.paced_at "
        "FROM events e JOIN inventory i ON i.event_id = e.id WHERE e.id = ANY(ARRAY(SELECT id FROM chosen))",
        all, distance, weight, same);

    const Rows rows = readers.ask(sql, std::move(params));
    std::vector<CandidateFacts> facts;
    for (int row = 0; row < rows.count(); ++row) {
        CandidateFacts& one = facts.emplace_back();
        one.event = rows.id<EventId>(row, 0);
        one.start_time = rows.instant(row, 1);
        if (!rows.null(row, 2)) one.distance_m = rows.real(row, 2);
        one.weight = rows.integer(row, 3);
        one.same_organizer = rows.boolean(row, 4);
        one.share_sold = static_cast<double>(rows.integer(row, 5)) / static_cast<double>(rows.integer(row, 6));
        one.pace = advance(SalesRate{rows.real(row, 7), rows.instant(row, 8)}, scored_at(query.now), 0).tickets_a_day;
    }
    return choose_candidates(facts);
}

}  // namespace boxoffice::postgres
