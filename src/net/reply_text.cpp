#include "net/reply_text.hpp"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace boxoffice::http
{

namespace
{

[[nodiscard]] std::string_view reason_phrase(int status)
{
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 402:
            return "Payment Required";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 428:
            return "Precondition Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        case 507:
            return "Insufficient Storage";
        default:
            return "";
    }
}

[[nodiscard]] bool has_body(int status) { return status != 204 && status != 304; }

void append_field(std::string& out, std::string_view name, std::string_view value)
{
    out += name;
    out += ": ";
    const auto begin = out.size();
    out += value;
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; };
    std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), is_control, ' ');
    out += "\r\n";
}

}  // namespace

std::string_view DateLine::now()
{
    const std::time_t time = std::time(nullptr);
    if (time == made_at_) return text_;
    made_at_ = time;
    std::tm utc{};
    gmtime_r(&time, &utc);
    static constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    text_ = fmt::format("Server: boxoffice\r\nDate: {}, {:02} {} {} {:02}:{:02}:{:02} GMT\r\n",
                        kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday, kMonths[static_cast<std::size_t>(utc.tm_mon)],
                        utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    return text_;
}

std::string_view body_of(const Reply& reply)
{
    if (!has_body(reply.status)) return {};
    return reply.static_body.empty() ? std::string_view(reply.body) : reply.static_body;
}

void append_head(std::string& out, const Reply& reply, std::string_view date_line, const Head& head, Afterwards afterwards)
{
    fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", reply.status, reason_phrase(reply.status));
    out += date_line;
    if (!reply.content_type.empty() && has_body(reply.status)) append_field(out, "Content-Type", reply.content_type);
    for (const auto& [name, value] : reply.headers) append_field(out, name, value);
    if (reply.stream) {
        if (head.minor_version > 0) out += "Transfer-Encoding: chunked\r\n";
    } else if (has_body(reply.status)) {
        fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", body_of(reply).size());
    }
    if (afterwards == Afterwards::close) {
        out += "Connection: close\r\n";
    } else if (head.minor_version == 0) {
        out += "Connection: keep-alive\r\n";
    }
    out += "\r\n";
}

}  // namespace boxoffice::http
