#include "api/paging.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "api/form.hpp"

namespace boxoffice::http
{

namespace
{

/// By the name that the query is read with: "%6cimit=2" is a limit.
bool is_paging(std::string_view field)
{
    const auto read = parse_form(field);
    if (!read || read->empty()) return false;
    const std::string& name = read->front().first;
    return name == "skip" || name == "limit" || name == "after";
}

/// Adds a field of the query with every byte encoded that RFC 3986 allows in none, which the reader of the target passes: a '>'
/// would end the link, a '#' what is sent of it.
void add_field(std::string& base, std::string_view field)
{
    constexpr std::string_view kQueryMarks = "-._~!$&'()*+,;=:@/?%";
    for (const char c : field) {
        const bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (is_plain || kQueryMarks.find(c) != kQueryMarks.npos) {
            base += c;
        } else {
            base += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    base += '&';
}

/// The target up to where the place and the limit are added.
std::string base_of(std::string_view target)
{
    const auto question = target.find('?');
    std::string base(target.substr(0, question));
    base += '?';
    if (question == target.npos) return base;
    std::string_view rest = target.substr(question + 1);
    while (!rest.empty()) {
        const auto field = rest.substr(0, rest.find('&'));
        rest.remove_prefix(field.size() < rest.size() ? field.size() + 1 : field.size());
        if (field.empty() || is_paging(field)) continue;
        add_field(base, field);
    }
    return base;
}

std::string by_skip(std::int64_t skip, std::int64_t limit) { return fmt::format("skip={}&limit={}", skip, limit); }
std::string by_cursor(std::string_view cursor, std::int64_t limit) { return fmt::format("after={}&limit={}", cursor, limit); }

/// The page of at most `limit` items that ends where `end` items have gone by; empty when there are none, or too many.
std::string ending_at(std::int64_t end, std::int64_t limit)
{
    const auto size = std::min(end, limit);
    return size == 0 || end - size > kSkipMax ? std::string() : by_skip(end - size, size);
}

std::string next_of(const Slice& slice, std::int64_t total, const PageEnds& ends)
{
    if (ends.from == Direction::before && ends.after_last.empty()) return total > 0 ? by_skip(0, slice.limit) : std::string();
    const bool is_last = ends.from == Direction::after ? !ends.more
                         : ends.from                   ? false  // what it was asked for by comes after it
                                                       : slice.skip >= total || slice.limit >= total - slice.skip;
    if (is_last) return {};
    if (!ends.after_last.empty()) return by_cursor(ends.after_last, slice.limit);
    // Without a cursor to go on by, a list that was changed under way or is short enough goes on by number.
    const auto skip = slice.skip + slice.limit;
    return ends.from || skip > kSkipMax ? std::string() : by_skip(skip, slice.limit);
}

std::string prev_of(const Slice& slice, std::int64_t total, const PageEnds& ends)
{
    if (!ends.from) return ending_at(std::min(slice.skip, total), slice.limit);
    if (ends.from == Direction::before && !ends.more) return {};
    if (!ends.before_first.empty()) return by_cursor(ends.before_first, slice.limit);
    return ending_at(total, slice.limit);  // nothing after the cursor any more
}

}  // namespace

std::string page_links(std::string_view target, const Slice& slice, std::int64_t total, const PageEnds& ends)
{
    const std::string next = next_of(slice, total, ends);
    const std::string prev = prev_of(slice, total, ends);
    if (next.empty() && prev.empty()) return {};
    const std::string base = base_of(target);
    std::string links;
    if (!next.empty()) links = fmt::format("<{}{}>; rel=\"next\"", base, next);
    if (!prev.empty()) links += fmt::format("{}<{}{}>; rel=\"prev\"", next.empty() ? "" : ", ", base, prev);
    return links;
}

void add_paging(Reply& reply, std::string_view target, const Slice& slice, std::int64_t total, const PageEnds& ends)
{
    reply.headers.emplace_back("X-Total-Count", std::to_string(total));
    std::string links = page_links(target, slice, total, ends);
    if (!links.empty()) reply.headers.emplace_back("Link", std::move(links));
}

}  // namespace boxoffice::http
