#include "api/kept_reply.hpp"

#include <charconv>
#include <string_view>

namespace boxoffice::http
{

namespace
{

// The first line names the form, so that a later one can tell its own answers from those kept before.
constexpr std::string_view kForm = "reply/1";

}  // namespace

/// "reply/1\n201\napplication/json\nLocation: /api/v1/tickets/7\n\n{...}": no part but the body can hold a line feed.
KeptAnswer keep(const Reply& reply)
{
    KeptAnswer kept;
    std::string& out = kept.bytes;
    out.reserve(96 + reply.body.size());
    out += kForm;
    out += '\n';
    out += std::to_string(reply.status);
    out += '\n';
    out += reply.content_type;
    out += '\n';
    for (const auto& [name, value] : reply.headers) {
        out += name;
        out += ": ";
        out += value;
        out += '\n';
    }
    out += '\n';
    out += reply.body;
    return kept;
}

std::optional<Reply> restore(const KeptAnswer& kept)
{
    std::string_view rest = kept.bytes;
    bool whole = true;
    const auto line = [&]() -> std::string_view {
        const auto end = rest.find('\n');
        if (end == rest.npos) {
            whole = false;
            return {};
        }
        const auto text = rest.substr(0, end);
        rest.remove_prefix(end + 1);
        return text;
    };
    if (line() != kForm) return std::nullopt;
    Reply reply;
    const auto status = line();
    const auto [end, fault] = std::from_chars(status.data(), status.data() + status.size(), reply.status);
    if (fault != std::errc{} || end != status.data() + status.size()) return std::nullopt;
    reply.content_type = line();
    for (auto header = line(); !header.empty(); header = line()) {
        const auto colon = header.find(": ");
        if (colon == header.npos) return std::nullopt;
        reply.headers.emplace_back(header.substr(0, colon), header.substr(colon + 2));
    }
    if (!whole) return std::nullopt;
    reply.body = rest;
    return reply;
}

}  // namespace boxoffice::http
