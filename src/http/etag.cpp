#include "http/etag.hpp"

namespace boxoffice::http
{

bool none_match_names(std::string_view if_none_match, std::string_view etag)
{
    const auto skip_space = [](std::string_view& text) {
        while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == ',')) text.remove_prefix(1);
    };
    std::string_view rest = if_none_match;
    skip_space(rest);
    if (rest.starts_with('*')) return true;
    while (!rest.empty()) {
        if (rest.starts_with("W/")) rest.remove_prefix(2);
        if (!rest.starts_with('"')) return false;
        const auto end = rest.find('"', 1);
        if (end == rest.npos) return false;
        if (rest.substr(0, end + 1) == etag) return true;
        rest.remove_prefix(end + 1);
        skip_space(rest);
    }
    return false;
}

void add_etag(Reply& reply, const Request& request, std::string (*digest)(std::string_view))
{
    // 128 bits of the digest: two bodies of one address never meet by chance.
    std::string etag = '"' + digest(reply.body).substr(0, 32) + '"';
    if (none_match_names(request.header("if-none-match"), etag)) {
        reply.status = 304;
        reply.body.clear();
        reply.content_type.clear();
    }
    reply.headers.emplace_back("ETag", std::move(etag));
}

}  // namespace boxoffice::http
