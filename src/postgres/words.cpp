#include "postgres/words.hpp"

#include "text/text.hpp"

namespace boxoffice::postgres
{

namespace
{

/// A node of the version before writes seldom, and its rows are found a little later.
constexpr std::chrono::seconds kAskEvery{2};

}  // namespace

std::string lexeme(std::string_view word) { return std::string("'").append(word).append("'"); }

std::string tsquery_of(std::string_view text)
{
    const text::WordQuery query = text::query_of(text);
    std::string all;
    for (const std::string& word : query.words) all += (all.empty() ? "" : " & ") + lexeme(word);
    if (!query.prefix.empty()) all += (all.empty() ? "" : " & ") + lexeme(query.prefix) + ":*";
    return all;
}

bool LackingWords::any(Readers& readers)
{
    {
        const std::lock_guard lock(mutex_);
        const auto now = std::chrono::steady_clock::now();
        if (now < ask_at_) return any_;
        ask_at_ = now + kAskEvery;
    }
    // The first of events_without_words, which has nothing else in it: when there is none, a look at an empty index.
    const Rows first =
        readers.ask("SELECT id FROM events WHERE removed_at IS NULL AND words_of IS DISTINCT FROM " BOXOFFICE_PG_WORDS_OF
                    " ORDER BY id LIMIT 1");
    const bool any = first.count() > 0;
    const std::lock_guard lock(mutex_);
    any_ = any;
    return any;
}

}  // namespace boxoffice::postgres
