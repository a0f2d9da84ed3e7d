#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <string_view>
#include <vector>

#include "app/mail_notifier.hpp"
#include "app/strangers_text.hpp"

namespace boxoffice
{

namespace
{

constexpr std::array kWeekdays = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::array kMonths = {"January", "February", "March",     "April",   "May",      "June",
                                "July",    "August",   "September", "October", "November", "December"};

/// So many tickets of a digest are named; of more, their number.
constexpr std::size_t kTicketsNamed = 20;

std::string escaped(std::string_view text)
{
    std::string html;
    html.reserve(text.size() + text.size() / 8);
    for (const char c : text) {
        switch (c) {
            case '&':
                html += "&amp;";
                break;
            case '<':
                html += "&lt;";
                break;
            case '>':
                html += "&gt;";
                break;
            case '"':
                html += "&quot;";
                break;
            case '\'':
                html += "&#39;";
                break;
            default:
                html += c;
        }
    }
    return html;
}

struct WallTime {
    std::string day;     // "Saturday, 4 July 2026"
    std::string minute;  // "20:00"
};

WallTime wall_time(LocalTime local)
{
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::minutes>(local - day));
    return {fmt::format("{}, {} {} {}", kWeekdays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                        kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year())),
            fmt::format("{:02}:{:02}", time.hours().count(), time.minutes().count())};
}

/// From when to when by the clock on the wall where the event is, with the zone's name.
std::string when(const Event& event, const Zones& zones)
{
    auto start = zones.to_local(event.start_time, event.timezone);
    auto end = zones.to_local(event.end_time, event.timezone);
    std::string_view zone = event.timezone;
    if (!start || !end) {
        start = LocalTime(event.start_time.time_since_epoch());
        end = LocalTime(event.end_time.time_since_epoch());
        zone = "UTC";
    }
    const WallTime from = wall_time(*start);
    const WallTime to = wall_time(*end);
    if (from.day == to.day) return fmt::format("{}, {} to {} ({})", from.day, from.minute, to.minute, zone);
    return fmt::format("{}, {} to {}, {} ({})", from.day, from.minute, to.day, to.minute, zone);
}

struct Row {
    std::string_view label;
    std::string value;
};

/// A message before it is text or HTML, so that both say the same.
struct MailContent {
    std::string greeting;
    std::string opening;
    std::vector<Row> rows;
    std::vector<std::string> closing;
    std::string link;  // empty: none
    std::string_view link_text;
};

std::string text_of(const MailContent& content)
{
    std::string text = fmt::format("{}\n\n{}\n\n", content.greeting, content.opening);
    for (const Row& row : content.rows)
        fmt::format_to(std::back_inserter(text), "{:<9} {}\n", fmt::format("{}:", row.label), row.value);
    for (const std::string& paragraph : content.closing) fmt::format_to(std::back_inserter(text), "\n{}\n", paragraph);
    if (!content.link.empty()) fmt::format_to(std::back_inserter(text), "\n{}: {}\n", content.link_text, content.link);
    return text;
}

/// Colours are left to the reader's programme, but for greys and a blue that can be read on white and on black.
std::string html_of(const MailContent& content, std::string_view subject)
{
    std::string html = fmt::format(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
        "content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n</head>\n"
        "<body style=\"margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif\">\n<div style=\"max-width:560px;margin:0 "
        "auto\">\n"
        "<p>{}</p>\n<p>{}</p>\n<table role=\"presentation\" style=\"border-collapse:collapse;margin:24px 0\">\n",
        escaped(subject), escaped(content.greeting), escaped(content.opening));
    for (const Row& row : content.rows) {
        fmt::format_to(std::back_inserter(html),
                       "<tr><td style=\"padding:6px 24px 6px 0;color:#808080;vertical-align:top\">{}</td>"
                       "<td style=\"padding:6px 0;vertical-align:top\">{}</td></tr>\n",
                       row.label, escaped(row.value));
    }
    html += "</table>\n";
    for (const std::string& paragraph : content.closing)
        fmt::format_to(std::back_inserter(html), "<p>{}</p>\n", escaped(paragraph));
    if (!content.link.empty()) {
        fmt::format_to(std::back_inserter(html), "<p><a href=\"{}\" style=\"color:#3b82f6\">{}</a></p>\n", escaped(content.link),
                       escaped(content.link_text));
    }
    html += "</div>\n</body>\n</html>\n";
    return html;
}

Mail mail_of(const MailContent& content, const User& user, std::string key, std::string subject)
{
    Mail mail;
    mail.key = std::move(key);
    mail.to_address = user.email;
    mail.to_name = greeting_name(user.name);
    mail.text = text_of(content);
    mail.html = html_of(content, subject);
    mail.subject = std::move(subject);
    return mail;
}

MailContent content_about(const User& user, const Event& event, const Zones& zones)
{
    MailContent content;
    const std::string name = greeting_name(user.name);
    content.greeting = name.empty() ? std::string("Hello,") : fmt::format("Hello {},", name);
    content.rows = {
        {"Event", without_links(event.title)}, {"When", when(event, zones)}, {"Where", without_links(event.venue.address)}};
    return content;
}

Row row_of(std::span<const Ticket> tickets)
{
    std::string numbers;
    for (const Ticket& ticket : tickets.first(std::min(tickets.size(), kTicketsNamed)))
        numbers += fmt::format("{}No. {}", numbers.empty() ? "" : ", ", ticket.id.value);
    if (tickets.size() > kTicketsNamed) numbers += fmt::format(" and {} more", tickets.size() - kTicketsNamed);
    return {tickets.size() == 1 ? "Ticket" : "Tickets", numbers};
}

}  // namespace

Mail confirmation_mail(const User& user, const Event& event, const Ticket& ticket, const Zones& zones,
                       const MailNotifierOptions& options)
{
    MailContent content = content_about(user, event, zones);
    content.opening = "Your ticket is paid, and your seat is yours. Here is all you need to know:";
    content.rows.push_back(row_of({&ticket, 1}));
    if (ticket.payment_reference) content.rows.push_back({"Payment", without_links(*ticket.payment_reference)});
    content.closing = {"Please keep this message: the ticket number is what we find you by.", "Enjoy the event!"};
    content.link = options.site;
    content.link_text = "Your tickets";
    return mail_of(content, user, paid_key(ticket.id), fmt::format("Your ticket for {}", without_links(event.title)));
}

Mail holds_expired_mail(const User& user, const Event& event, std::span<const Ticket> tickets, std::string key,
                        const Zones& zones, const MailNotifierOptions& options)
{
    const bool one = tickets.size() == 1;
    MailContent content = content_about(user, event, zones);
    content.opening =
        one ? "We held a ticket for you, but it was not paid in time, so it has gone back on sale."
            : fmt::format("We held {} tickets for you, but they were not paid in time, so they have gone back on sale.",
                          tickets.size());
    content.rows.push_back(row_of(tickets));
    content.closing = {
        "Nothing was charged. If you would still like to go, simply reserve again: as long as there are tickets, one may be "
        "yours.",
        "If a payment of yours crossed with this message, please get in touch and name the ticket number above.",
        "Of holds for this event that are not paid in time we write once an hour at most."};
    content.link = options.site;
    content.link_text = "Try again";
    const std::string title = without_links(event.title);
    return mail_of(
        content, user, std::move(key),
        one ? fmt::format("Your hold for {} has expired", title) : fmt::format("Your holds for {} have expired", title));
}

std::string paid_key(TicketId ticket) { return fmt::format("ticket_paid:{}", ticket.value); }

std::string lapsed_key(EventId event, UserId user, Instant lapsed_at)
{
    const auto hour = std::chrono::floor<std::chrono::hours>(lapsed_at).time_since_epoch().count();
    return fmt::format("hold_expired:{}:{}:{}", event.value, user.value, hour);
}

}  // namespace boxoffice
