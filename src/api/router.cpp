#include "api/router.hpp"

#include <algorithm>
#include <array>
#include <boost/url/pct_string_view.hpp>
#include <charconv>

namespace boxoffice::http
{

namespace
{

constexpr std::size_t kSegmentsMax = 8;  // more than any pattern has

struct Segments {
    std::array<std::string_view, kSegmentsMax> parts;
    std::size_t count = 0;

    [[nodiscard]] std::span<const std::string_view> all() const { return {parts.data(), count}; }
};

/// False for a path of more segments than any pattern has. "/a/b/" has the segments "a", "b" and "".
bool split(std::string_view path, Segments& out)
{
    if (!path.starts_with('/')) return false;
    path.remove_prefix(1);
    for (;;) {
        if (out.count == kSegmentsMax) return false;
        const auto slash = path.find('/');
        out.parts[out.count++] = path.substr(0, slash);
        if (slash == path.npos) return true;
        path.remove_prefix(slash + 1);
    }
}

bool read_id(std::string_view text, std::int64_t& id)
{
    if (text.empty() || text.front() < '1' || text.front() > '9') return false;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), id);
    return fault == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string_view method_word(Method method)
{
    switch (method) {
        case Method::get:
            return "GET";
        case Method::head:
            return "HEAD";
        case Method::post:
            return "POST";
        case Method::put:
            return "PUT";
        case Method::patch:
            return "PATCH";
        case Method::del:
            return "DELETE";
        case Method::options:
            return "OPTIONS";
        case Method::other:
            break;
    }
    return "OTHER";
}

std::string decode_path(std::string_view encoded_path)
{
    const auto view = boost::urls::make_pct_string_view({encoded_path.data(), encoded_path.size()});
    return view ? view->decode() : std::string(encoded_path);
}

Router::Router(std::span<const Route> routes) : routes_(routes)
{
    for (const Route& route : routes) {
        Segments segments;
        split(route.pattern, segments);
        Pattern pattern;
        pattern.segments.assign(segments.all().begin(), segments.all().end());
        if (pattern.segments.size() > 1 && pattern.segments.back().empty()) {
            pattern.segments.pop_back();
            pattern.kind = Pattern::Kind::collection;
        }
        patterns_.push_back(std::move(pattern));
    }
}

bool Router::fits(const Pattern& pattern, std::span<const std::string_view> segments, std::int64_t& id)
{
    const bool has_slash = segments.size() > 1 && segments.back().empty();
    if (has_slash && pattern.kind == Pattern::Kind::item) return false;
    if (segments.size() - (has_slash ? 1 : 0) != pattern.segments.size()) return false;
    for (std::size_t i = pattern.segments.size(); i-- > 0;) {  // from the end: that is where paths differ
        if (pattern.segments[i].starts_with('{')) {
            if (!read_id(segments[i], id)) return false;
        } else if (pattern.segments[i] != segments[i]) {
            return false;
        }
    }
    return true;
}

Match Router::find(Method method, std::string_view encoded_path) const
{
    Match match;
    Segments segments;
    if (!split(encoded_path, segments)) return match;
    // Decoded one by one, so that an encoded slash is part of a segment and not a border.
    std::array<std::string, kSegmentsMax> decoded;
    if (encoded_path.find('%') != encoded_path.npos) {
        for (std::size_t i = 0; i < segments.count; ++i) {
            if (segments.parts[i].find('%') == std::string_view::npos) continue;
            decoded[i] = decode_path(segments.parts[i]);
            segments.parts[i] = decoded[i];
        }
    }
    const Method wanted = method == Method::head ? Method::get : method;
    std::array<bool, 8> known{};
    for (std::size_t row = 0; row < routes_.size(); ++row) {
        if (!fits(patterns_[row], segments.all(), match.id)) continue;
        if (routes_[row].method == wanted) {
            match.route = &routes_[row];
            match.row = row;
            return match;
        }
        known[static_cast<std::size_t>(routes_[row].method)] = true;
    }
    for (const Method each : {Method::get, Method::post, Method::patch, Method::del}) {
        if (!known[static_cast<std::size_t>(each)]) continue;
        match.allow += method_word(each);
        match.allow += each == Method::get ? ", HEAD, " : ", ";
    }
    if (!match.allow.empty()) match.allow += "OPTIONS";
    return match;
}

}  // namespace boxoffice::http
