#include "http/paging.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace boxoffice::http
{

namespace
{

bool is_paging(std::string_view field)
{
    const auto name = field.substr(0, field.find('='));
    return name == "skip" || name == "limit";
}

/// The target up to where skip and limit are added.
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
        base += field;
        base += '&';
    }
    return base;
}

}  // namespace

std::string page_links(std::string_view target, Slice slice, std::int64_t total)
{
    const bool has_next = slice.skip < total && slice.limit < total - slice.skip;
    const bool has_prev = slice.skip > 0;
    std::string links;
    if (!has_next && !has_prev) return links;
    const std::string base = base_of(target);
    if (has_next) links = fmt::format("<{}skip={}&limit={}>; rel=\"next\"", base, slice.skip + slice.limit, slice.limit);
    if (has_prev) {
        // From beyond the end, back to the last page that has something on it.
        const auto skip = std::max<std::int64_t>(0, std::min(slice.skip, total) - slice.limit);
        links += fmt::format("{}<{}skip={}&limit={}>; rel=\"prev\"", has_next ? ", " : "", base, skip, slice.limit);
    }
    return links;
}

void add_paging(Reply& reply, std::string_view target, Slice slice, std::int64_t total)
{
    reply.headers.emplace_back("X-Total-Count", std::to_string(total));
    std::string links = page_links(target, slice, total);
    if (!links.empty()) reply.headers.emplace_back("Link", std::move(links));
}

}  // namespace boxoffice::http
