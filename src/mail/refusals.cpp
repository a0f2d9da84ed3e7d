#include "mail/refusals.hpp"

#include <algorithm>
#include <array>

namespace boxoffice::mail
{

namespace
{

using Kind = MailFailure::Kind;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// "5.7.1" at the beginning of a reply's text; empty when there is none.
std::string_view status_of(std::string_view text)
{
    std::size_t dots = 0;
    std::size_t end = 0;
    for (; end < text.size() && (is_digit(text[end]) || text[end] == '.'); ++end) {
        if (text[end] != '.') continue;
        if (end == 0 || text[end - 1] == '.') return {};
        ++dots;
    }
    const bool whole = dots == 2 && is_digit(text[end - 1]) && (end == text.size() || text[end] == ' ' || text[end] == '\r');
    return whole ? text.substr(0, end) : std::string_view();
}

/// For servers that give no status: Exim says "550 relay not permitted" where others say 5.7.1.
bool speaks_of_policy(std::string_view text)
{
    static constexpr std::array<std::string_view, 12> kWords = {"relay",     "authenti", "polic",     "denied",
                                                                "permitted", "allowed",  "prohibit",  "blocked",
                                                                "blacklist", "spam",     "blocklist", "reputation"};
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) { return lower.find(word) != lower.npos; });
}

/// By the subject of a status: RFC 3463, section 3.
Kind failure_kind_by_status(std::string_view status)
{
    const char subject = status.size() > 3 && status[3] == '.' ? status[2] : '9';
    const std::string_view detail = status.substr(std::min<std::size_t>(status.size(), 4));
    switch (subject) {
        case '1':  // an address; 7 and 8 are the sender's, which the operator can mend
            return detail == "7" || detail == "8" ? Kind::transient : Kind::permanent;
        case '2':  // a mailbox; 2 is full, and may be emptied
            return detail == "2" ? Kind::transient : Kind::permanent;
        case '6':  // the message's content
            return Kind::permanent;
        default:  // a mail system (3), routing (4), the protocol (5), a policy (7)
            return Kind::transient;
    }
}

}  // namespace

void SmtpReply::take(std::string_view line)
{
    if (line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, is_digit)) return;
    if (!goes_on_) {
        status.clear();
        policy = false;
    }
    number = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    goes_on_ = line.size() > 3 && line[3] == '-';
    const std::string_view text = line.substr(std::min<std::size_t>(line.size(), 4));
    if (const auto said = status_of(text); !said.empty()) status = said;
    policy = policy || speaks_of_policy(text);
}

std::string SmtpReply::text() const { return std::to_string(number) + (status.empty() ? "" : " " + status); }

Kind failure_kind(std::string_view verb, const SmtpReply& reply)
{
    const bool recipient = verb == "RCPT";
    // To anything before it is told whom a message is for, "never" is said to this sender and not of the message.
    if (reply.number < 500 || reply.number > 599 || (!recipient && verb != "DATA")) return Kind::transient;
    // 5.0.0 says no more than the number does.
    if (!reply.status.empty() && !reply.status.starts_with("5.0.")) {
        return reply.status.starts_with("5.") ? failure_kind_by_status(reply.status) : Kind::transient;
    }
    if (reply.policy) return Kind::transient;
    switch (reply.number) {
        case 550:  // no such mailbox
        case 553:  // its name cannot be
            return Kind::permanent;
        case 501:  // an address that the server cannot read
        case 551:  // it has moved
        case 556:  // its domain takes no mail
            return recipient ? Kind::permanent : Kind::transient;
        case 554:  // a transaction that failed: of a message, its content
            return recipient ? Kind::transient : Kind::permanent;
        default:  // 552, a mailbox is full; 503, 530, 555 and the like are about how it was said
            return Kind::transient;
    }
}

}  // namespace boxoffice::mail
