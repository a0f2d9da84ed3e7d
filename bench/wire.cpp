#include "wire.hpp"

#include <charconv>
#include <cstdlib>
#include <stdexcept>

namespace boxoffice::bench
{
namespace
{

constexpr std::string_view kLineEnd = "\r\n";

bool same_name(std::string_view name, std::string_view lower_name)
{
    if (name.size() != lower_name.size()) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
        if (lower != lower_name[i]) return false;
    }
    return true;
}

/// Where the value of `"name":` begins, or npos.
std::size_t find_member(std::string_view json, std::string_view name, std::size_t from)
{
    for (std::size_t at = json.find(name, from); at != std::string_view::npos; at = json.find(name, at + 1)) {
        const std::size_t after = at + name.size();
        if (at == 0 || json[at - 1] != '"' || after + 1 >= json.size() || json[after] != '"' || json[after + 1] != ':') continue;
        std::size_t value = after + 2;
        while (value < json.size() && json[value] == ' ') ++value;
        return value;
    }
    return std::string_view::npos;
}

std::size_t body_bytes(const Answer& answer)
{
    if (answer.status == 204 || answer.status == 304) return 0;
    const std::string_view text = header_value(answer.headers, "content-length");
    std::size_t bytes = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
    if (error != std::errc{} || end != text.data() + text.size()) throw std::runtime_error("an answer without Content-Length");
    return bytes;
}

}  // namespace

std::optional<FramedAnswer> parse_answer(std::string_view input)
{
    const std::size_t head_end = input.find("\r\n\r\n");
    if (head_end == std::string_view::npos) return std::nullopt;
    if (!input.starts_with("HTTP/1.1 ")) throw std::runtime_error("an answer that is not HTTP/1.1");
    FramedAnswer framed;
    std::from_chars(input.data() + 9, input.data() + 12, framed.answer.status);
    const std::size_t line_end = input.find(kLineEnd);
    if (line_end < head_end) framed.answer.headers = input.substr(line_end + 2, head_end - line_end - 2);
    const std::size_t body = body_bytes(framed.answer);
    framed.bytes = head_end + 4 + body;
    if (input.size() < framed.bytes) return std::nullopt;
    framed.answer.body = input.substr(head_end + 4, body);
    return framed;
}

std::string_view header_value(std::string_view headers, std::string_view lower_name)
{
    while (!headers.empty()) {
        const std::size_t end = headers.find(kLineEnd);
        const std::string_view line = headers.substr(0, end);
        const std::size_t colon = lower_name.size();
        if (line.size() > colon && line[colon] == ':' && same_name(line.substr(0, colon), lower_name)) {
            std::string_view value = line.substr(colon + 1);
            while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
            while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
            return value;
        }
        if (end == std::string_view::npos) break;
        headers.remove_prefix(end + 2);
    }
    return {};
}

std::optional<std::int64_t> integer_member(std::string_view json, std::string_view name)
{
    const std::size_t at = find_member(json, name, 0);
    if (at == std::string_view::npos) return std::nullopt;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(json.data() + at, json.data() + json.size(), value);
    if (error != std::errc{}) return std::nullopt;
    return value;
}

std::optional<double> number_member(std::string_view json, std::string_view name, std::size_t from, std::size_t& end)
{
    const std::size_t at = find_member(json, name, from);
    if (at == std::string_view::npos) return std::nullopt;
    double value = 0;
    const auto [stop, error] = std::from_chars(json.data() + at, json.data() + json.size(), value);
    if (error != std::errc{}) return std::nullopt;
    end = static_cast<std::size_t>(stop - json.data());
    return value;
}

std::string_view text_member(std::string_view json, std::string_view name)
{
    const std::size_t at = find_member(json, name, 0);
    if (at == std::string_view::npos || at >= json.size() || json[at] != '"') return {};
    const std::size_t end = json.find('"', at + 1);
    return end == std::string_view::npos ? std::string_view{} : json.substr(at + 1, end - at - 1);
}

std::size_t count_members(std::string_view json, std::string_view name)
{
    std::size_t count = 0;
    for (std::size_t at = find_member(json, name, 0); at != std::string_view::npos; at = find_member(json, name, at)) ++count;
    return count;
}

std::string compose_request(std::string_view method, std::string_view target, std::string_view token, std::string_view body)
{
    std::string out;
    out.reserve(128 + target.size() + token.size() + body.size());
    out.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    if (!token.empty()) out.append("Authorization: Bearer ").append(token).append(kLineEnd);
    if (!body.empty()) out.append("Content-Type: application/json\r\n");
    if (!body.empty() || method == "POST") out.append("Content-Length: ").append(std::to_string(body.size())).append(kLineEnd);
    return out.append(kLineEnd).append(body);
}

}  // namespace boxoffice::bench
