#include "api/etag.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "api/field_text.hpp"

namespace boxoffice::http
{

namespace
{

/// 3 of "v3" and "v3-0a1b…", which is what is between the quotes.
std::optional<std::int64_t> version_in(std::string_view opaque)
{
    if (!opaque.starts_with('v')) return std::nullopt;
    opaque.remove_prefix(1);
    if (opaque.empty() || opaque.front() < '1' || opaque.front() > '9') return std::nullopt;
    std::int64_t version = 0;
    const auto [end, fault] = std::from_chars(opaque.data(), opaque.data() + opaque.size(), version);
    const bool is_whole = end == opaque.data() + opaque.size() || *end == '-';
    if (fault != std::errc{} || !is_whole) return std::nullopt;
    return version;
}

bool is_tag_byte(char c)
{
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

struct Tag {
    std::string_view opaque;  // between the quotes
    bool is_weak = false;
};

/// Takes the tags of one field; false when it is no list of tags.
bool take_tags(std::string_view rest, std::vector<Tag>& tags)
{
    for (rest = trimmed(rest); !rest.empty(); rest = trimmed(rest)) {
        if (rest.front() == ',') {
            rest.remove_prefix(1);
            continue;
        }
        const bool is_weak = rest.starts_with("W/");
        if (is_weak) rest.remove_prefix(2);
        if (!rest.starts_with('"')) return false;
        const auto end = rest.find('"', 1);
        if (end == rest.npos) return false;
        const auto opaque = rest.substr(1, end - 1);
        if (!std::all_of(opaque.begin(), opaque.end(), is_tag_byte)) return false;
        rest = trimmed(rest.substr(end + 1));
        if (!rest.empty() && rest.front() != ',') return false;
        tags.push_back({opaque, is_weak});
    }
    return true;
}

}  // namespace

bool none_match_names(std::string_view if_none_match, std::string_view etag)
{
    if (trimmed(if_none_match) == "*") return true;
    std::vector<Tag> tags;
    if (!take_tags(if_none_match, tags)) return false;
    const std::string_view opaque = etag.substr(1, etag.size() - 2);
    return std::any_of(tags.begin(), tags.end(), [opaque](const Tag& tag) { return tag.opaque == opaque; });
}

bool none_match_names(const Request& request, std::string_view etag)
{
    std::string list;
    for (const auto& [name, value] : request.headers) {
        if (name != "if-none-match") continue;
        if (!list.empty()) list += ", ";  // no tag has a space in it, so none can begin in one field and end in another
        list += value;
    }
    return !list.empty() && none_match_names(list, etag);
}

Result<OnlyAt> read_if_match(const Request& request)
{
    std::size_t fields = 0;
    std::size_t stars = 0;
    std::vector<Tag> tags;
    bool is_list = true;
    for (const auto& [name, value] : request.headers) {
        if (name != "if-match") continue;
        ++fields;
        if (trimmed(value) == "*") {
            ++stars;
        } else {
            is_list = take_tags(value, tags) && is_list;
        }
    }
    if (fields == 0) return OnlyAt{};
    if (!is_list || stars > 1 || (stars == 0) == tags.empty()) {
        return Error{Code::malformed, "If-Match is neither * nor a list of entity tags in double quotes."};
    }
    if (stars == 1) return OnlyAt{};
    std::vector<std::int64_t> versions;
    for (const Tag& tag : tags) {
        if (const auto version = version_in(tag.opaque); version && !tag.is_weak) versions.push_back(*version);
    }
    return OnlyAt(std::move(versions));
}

std::string etag_of(std::string_view body, std::optional<std::int64_t> version, std::string (*digest)(std::string_view))
{
    // 128 bits of the digest: two bodies of one address never meet by chance.
    constexpr std::size_t kDigestChars = 32;
    const std::string sum = digest(body).substr(0, kDigestChars);
    return version ? fmt::format("\"v{}-{}\"", *version, sum) : fmt::format("\"{}\"", sum);
}

void add_etag(Reply& reply, const Request& request, std::optional<std::int64_t> version, std::string (*digest)(std::string_view))
{
    std::string etag = etag_of(reply.body, version, digest);
    const bool is_known = none_match_names(request, etag);
    if (is_known) {
        reply.status = 304;
        reply.body.clear();
        reply.content_type.clear();
    }
    reply.headers.emplace_back("ETag", std::move(etag));
}

}  // namespace boxoffice::http
