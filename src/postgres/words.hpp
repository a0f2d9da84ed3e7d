#pragma once
#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

#include "postgres/readers.hpp"

/// The words of events in PostgreSQL: lexemes as the application made them, in `tokens`.
namespace boxoffice::postgres
{

/// What an event's words were made of, letter by letter as in the index events_without_words.
#define BOXOFFICE_PG_WORDS_OF "hashtextextended(title || E'\\n' || description || E'\\n' || venue_address, 0)"
#define BOXOFFICE_PG_TOKENS(words) "array_to_tsvector(string_to_array(" words ", ' '))"

/// As PostgreSQL reads a tsquery: 'jazz' & 'nig':*; empty when the text has no word. Words are of letters and digits only.
[[nodiscard]] std::string tsquery_of(std::string_view text);

/// One word of it: 'jazz'.
[[nodiscard]] std::string lexeme(std::string_view word);

/// Whether some events have no words, or words of what they said before: after an upgrade, and where a node of the version before
/// has written. Asks at most every few seconds. Any thread.
class LackingWords
{
public:
    [[nodiscard]] bool any(Readers& readers);

private:
    std::mutex mutex_;
    std::chrono::steady_clock::time_point ask_at_{};
    bool any_ = true;
};

}  // namespace boxoffice::postgres
