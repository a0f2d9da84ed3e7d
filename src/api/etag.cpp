#include "api/etag.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "api/field_text.hpp"

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

/// Takes the tags of one field; false when it is no list of tags.
bool take_tags(std::string_view rest, std::vector<std::int64_t>& versions, std::size_t& tags)
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
        ++tags;
        if (const auto version = version_in(opaque); version && !is_weak) versions.push_back(*version);
    }
    return true;
}

}  // namespace

Result<OnlyAt> read_if_match(const Request& request)
{
    std::size_t fields = 0;
    std::size_t stars = 0;
    std::size_t tags = 0;
    std::vector<std::int64_t> versions;
    bool is_list = true;
    for (const auto& [name, value] : request.headers) {
        if (name != "if-match") continue;
        ++fields;
        if (trimmed(value) == "*") {
            ++stars;
        } else {
            is_list = take_tags(value, versions, tags) && is_list;
        }
    }
    if (fields == 0) return OnlyAt{};
    if (!is_list || stars > 1 || (stars == 0) == (tags == 0)) {
        return Error{Code::malformed, "If-Match is neither * nor a list of entity tags in double quotes."};
    }
    if (stars == 1) return OnlyAt{};
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
    const bool is_known = std::any_of(request.headers.begin(), request.headers.end(), [&etag](const auto& header) {
        return header.first == "if-none-match" && none_match_names(header.second, etag);
    });
    if (is_known) {
        reply.status = 304;
        reply.body.clear();
        reply.content_type.clear();
    }
    reply.headers.emplace_back("ETag", std::move(etag));
}

}  // namespace boxoffice::http
