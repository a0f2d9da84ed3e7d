#include "api/demands.hpp"

#include "api/etag.hpp"
#include "api/field_text.hpp"

namespace boxoffice::http
{

namespace
{

/// US-ASCII is UTF-8 that happens to be short of letters.
bool is_utf8(std::string_view charset)
{
    if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"') charset = charset.substr(1, charset.size() - 2);
    return is_word(charset, "utf-8") || is_word(charset, "utf8") || is_word(charset, "us-ascii");
}

/// Looks for another charset among the parameters of a Content-Type.
bool has_other_charset(std::string_view content_type)
{
    for (auto at = content_type.find(';'); at != content_type.npos; at = content_type.find(';')) {
        content_type.remove_prefix(at + 1);
        const auto parameter = trimmed(content_type.substr(0, content_type.find(';')));
        const auto equals = parameter.find('=');
        if (equals == parameter.npos || !is_word(trimmed(parameter.substr(0, equals)), "charset")) continue;
        if (!is_utf8(trimmed(parameter.substr(equals + 1)))) return true;
    }
    return false;
}

bool changes_something(Method method) { return method != Method::get && method != Method::head; }

std::optional<Demand> judge_if_match(const Request& request, const Route& route)
{
    if (route.special == Special::versioned || !changes_something(route.method)) return std::nullopt;
    const auto only_at = read_if_match(request);
    if (!only_at) return Demand{400, Code::malformed, "If-Match is neither * nor a list of entity tags in double quotes."};
    if (!*only_at) return std::nullopt;
    return Demand{412, Code::precondition_failed, "What this address changes has no entity tag, so that none can match."};
}

}  // namespace

std::optional<Demand> unmet_demand(const Request& request, const Route& route)
{
    for (const auto& [name, value] : request.headers) {
        switch (name.size()) {  // most names are told apart by their length alone
            case 8:
                if (name == "if-match") {
                    if (auto demand = judge_if_match(request, route)) return demand;
                }
                break;
            case 12:
                if (name == "content-type" && route.body != Body::none && has_other_charset(value)) {
                    return Demand{415, {}, "Of the charsets only UTF-8 is understood."};
                }
                break;
            case 13:
                if (name == "content-range" && changes_something(route.method)) {
                    return Demand{
                        400, {}, "A part of a body cannot be taken for the whole: Content-Range is not understood here."};
                }
                break;
            case 16:
                if (name == "content-encoding" && !value.empty() && !is_word(value, "identity")) {
                    return Demand{415, {}, "Of the content codings of a body none is understood."};
                }
                break;
            default:
                break;
        }
    }
    return std::nullopt;
}

}  // namespace boxoffice::http
