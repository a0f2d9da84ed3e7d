#include "api/problem.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "core/rules.hpp"
#include "json/json.hpp"

namespace boxoffice::http
{

namespace
{

struct WordOfStatus {
    int status;
    std::string_view word;
};

constexpr WordOfStatus kWords[] = {
    {400, "bad_request"},
    {404, "not_found"},
    {405, "method_not_allowed"},
    {408, "request_timeout"},
    {413, "payload_too_large"},
    {414, "uri_too_long"},
    {415, "unsupported_media_type"},
    {417, "expectation_failed"},
    {431, "headers_too_large"},
    {500, "internal"},
    {501, "not_implemented"},
    {503, "busy"},
    {505, "http_version_not_supported"},
};

/// "sold_out" -> "Sold out".
std::string title_of(std::string_view word)
{
    std::string title(word);
    for (char& c : title) {
        if (c == '_') c = ' ';
    }
    if (!title.empty() && title.front() >= 'a' && title.front() <= 'z')
        title.front() = static_cast<char>(title.front() - 'a' + 'A');
    return title;
}

void write_errors(JsonWriter& json, std::span<const FieldError> errors)
{
    json.key("errors").begin_array();
    for (const auto& error : errors) {
        json.begin_object().key("loc").begin_array();
        for (const auto& step : error.loc) json.string(step);
        json.end_array();
        json.key("msg").string(error.msg);
        json.key("type").string(error.type);
        json.end_object();
    }
    json.end_array();
}

Reply make(int status, std::string_view word, std::string_view detail, std::span<const FieldError> errors,
           std::string_view request_id, std::string_view oauth_error = {})
{
    Reply reply;
    reply.status = status;
    reply.content_type = "application/problem+json";
    reply.headers.reserve(8);
    reply.body.reserve(320);
    std::string type = "urn:boxoffice:problem:";
    type += word;
    JsonWriter json(reply.body);
    json.begin_object();
    json.key("type").string(type);
    json.key("title").string(title_of(word));
    json.key("status").integer(status);
    json.key("detail").string(detail);
    json.key("code").string(word);
    json.key("instance").string(request_id);
    if (!oauth_error.empty()) json.key("error").string(oauth_error);
    if (!errors.empty()) write_errors(json, errors);
    json.end_object();
    return reply;
}

}  // namespace

int status_of(Code code)
{
    switch (code) {
        case Code::malformed:
            return 400;
        case Code::unauthenticated:
        case Code::bad_credentials:
            return 401;
        case Code::not_yourself:
        case Code::not_organizer:
            return 403;
        case Code::not_found:
            return 404;
        case Code::email_taken:
        case Code::below_sold:
        case Code::has_tickets:
        case Code::sold_out:
        case Code::event_over:
        case Code::already_paid:
        case Code::cancelled:
        case Code::reference_used:
        case Code::idempotency_in_progress:
            return 409;
        case Code::hold_expired:
            return 410;
        case Code::precondition_failed:
            return 412;
        case Code::invalid:
        case Code::idempotency_key_reused:
            return 422;
        case Code::rate_limited:
            return 429;
        case Code::internal:
            return 500;
        case Code::busy:
        case Code::storage_full:
        case Code::storage_failed:
        case Code::shutting_down:
            return 503;
    }
    return 500;
}

std::string_view word_of_status(int status)
{
    for (const auto& row : kWords) {
        if (row.status == status) return row.word;
    }
    return status >= 500 ? "internal" : "bad_request";
}

Reply problem(const Error& error, std::string_view request_id, std::string_view oauth_error)
{
    const int status = status_of(error.code);
    const std::string_view detail = error.message.empty() ? default_message(error.code) : std::string_view(error.message);
    Reply reply = make(status, code_word(error.code), detail, error.fields, request_id, oauth_error);
    if (status == 401) reply.headers.emplace_back("WWW-Authenticate", "Bearer");
    if (status == 503 || error.code == Code::idempotency_in_progress) { reply.headers.emplace_back("Retry-After", "1"); }
    if (error.retry_after) {
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after).count();
        reply.headers.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(1, seconds)));
    }
    return reply;
}

Reply problem(int status, std::string_view detail, std::string_view request_id)
{
    Reply reply = make(status, word_of_status(status), detail, {}, request_id);
    if (status == 503) reply.headers.emplace_back("Retry-After", "1");
    return reply;
}

}  // namespace boxoffice::http
