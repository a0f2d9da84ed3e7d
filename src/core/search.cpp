#include "core/search.hpp"

#include <fmt/core.h>

#include <set>

#include "text/text.hpp"

namespace boxoffice
{

std::string words_of_event(std::string_view title, std::string_view description, std::string_view address)
{
    std::set<std::string> words = text::words_of(title);
    words.merge(text::words_of(description));
    words.merge(text::words_of(address));
    std::string all;
    for (const std::string& word : words) {
        if (!all.empty()) all += ' ';
        all += word;
    }
    return all;
}

std::string name_shared_mailbox(std::int64_t user, std::string_view email, std::int64_t owner)
{
    return fmt::format("; account {} ({}) has the mailbox of account {}", user, email, owner);
}

Finding shared_mailboxes(const std::string& named)
{
    if (named.empty()) return {true, "mailboxes", "one account each"};
    return {true, "mailboxes", "some accounts sign in by their exact address only" + named};
}

}  // namespace boxoffice
