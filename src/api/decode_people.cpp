#include <algorithm>

#include "api/decode.hpp"
#include "api/decode_common.hpp"
#include "api/form.hpp"
#include "text/text.hpp"

namespace boxoffice::http
{

namespace
{

/// "Application/JSON; charset=utf-8" -> "application/json".
std::string media_type(std::string_view content_type)
{
    std::string type(content_type.substr(0, content_type.find(';')));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
    std::transform(type.begin(), type.end(), type.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return type;
}

Result<Credentials> decode_login_form(const Request& request)
{
    const auto fields = parse_form(request.body);
    if (!fields) return Error{Code::malformed, "The form in the body cannot be decoded."};
    if (has_repeated_field(*fields)) return Error{Code::malformed, "The form in the body gives a field more than once."};
    // RFC 6749, 3.2: a parameter without a value is as if it were left out.
    const auto given = [&fields](std::string_view name) -> const std::string* {
        const std::string* value = find_field(*fields, name);
        return value != nullptr && value->empty() ? nullptr : value;
    };
    if (const std::string* grant = given("grant_type"); grant != nullptr && *grant != "password") {
        return Error{Code::malformed, "Of the grants of OAuth 2 only password is understood.", std::string(kOtherGrant)};
    }
    std::vector<FieldError> errors;
    const auto field = [&](std::string_view name) {
        const std::string* value = given(name);
        if (value == nullptr) {
            errors.push_back({{"body", std::string(name)}, "Field required", "missing"});
        } else if (value->find('\0') != value->npos) {
            errors.push_back({{"body", std::string(name)}, "Must not contain the character U+0000", "string_nul"});
        } else {
            return *value;
        }
        return std::string();
    };
    Credentials credentials{std::string(text::trimmed(field("username"))), field("password")};
    if (!errors.empty()) return invalid(std::move(errors));
    return credentials;
}

}  // namespace

bool is_json(std::string_view content_type)
{
    if (content_type.empty() || content_type == "application/json") return true;
    const std::string type = media_type(content_type);
    return type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"));
}

bool is_form(std::string_view content_type) { return media_type(content_type) == "application/x-www-form-urlencoded"; }

bool is_readable(const std::vector<FieldError>& errors, const std::vector<std::string>& loc)
{
    return std::none_of(errors.begin(), errors.end(), [&loc](const FieldError& error) {
        const auto common = std::min(error.loc.size(), loc.size());
        return std::equal(loc.begin(), loc.begin() + static_cast<std::ptrdiff_t>(common), error.loc.begin());
    });
}

void add_rule_errors(std::vector<FieldError>& errors, std::vector<FieldError> found)
{
    std::erase_if(found, [&errors](const FieldError& error) { return !is_readable(errors, error.loc); });
    std::move(found.begin(), found.end(), std::back_inserter(errors));
}

Error invalid(std::vector<FieldError> errors)
{
    return Error{Code::invalid, std::string(default_message(Code::invalid)), {}, std::move(errors)};
}

Result<Registration> decode_registration(const Request& request)
{
    Registration person;
    auto errors = read_body(request, fields::kRegistration, person);
    if (!errors) return std::move(errors).error();
    person.email = std::string(text::trimmed(person.email));
    person.password = text::password_form(person.password);
    return judged(fields::kRegistration, std::move(person), std::move(*errors));
}

Result<Credentials> decode_credentials(const Request& request)
{
    if (is_form(request.header("content-type"))) return decode_login_form(request);
    LoginBody body;
    auto errors = read_body(request, fields::kLogin, body);
    if (!errors) return std::move(errors).error();
    const auto blame = [&errors](std::string_view msg, std::string_view type) {
        if (is_readable(*errors, {"body", "email"}) && is_readable(*errors, {"body", "username"}))
            errors->push_back({{"body", "email"}, std::string(msg), std::string(type)});
    };
    if (!body.email && !body.username) blame("Field required, or username in its place", "missing");
    if (body.email && body.username && *body.email != *body.username)
        blame("Must be the same as username, or alone", "ambiguous");
    if (!errors->empty()) return invalid(std::move(*errors));
    const std::string& name = body.email ? *body.email : *body.username;
    return Credentials{std::string(text::trimmed(name)), std::move(body.password)};
}

Result<ChangeUser> decode_user_patch(const Request& request, UserId user, Instant now)
{
    UserPatch body;
    auto errors = read_body<Shape::patch>(request, fields::kUserPatch, body, fields::kRefusedInUserPatch);
    if (!errors) return std::move(errors).error();
    auto patch = judged(fields::kUserPatch, std::move(body), std::move(*errors));
    if (!patch) return std::move(patch).error();
    ChangeUser change;
    change.user = user;
    change.name = std::move(patch->name);
    change.sets_location = patch->location.has_value();
    change.location = patch->location.value_or(std::nullopt);
    change.now = now;
    return change;
}

Result<TicketOrder> decode_ticket_order(const Request& request)
{
    TicketOrder order;
    auto errors = read_body(request, fields::kReservation, order, fields::kRefusedInReservation);
    if (!errors) return std::move(errors).error();
    return judged(fields::kReservation, order, std::move(*errors));
}

Result<std::string> decode_payment_reference(const Request& request)
{
    Payment body;
    auto errors = read_body(request, fields::kPayment, body);
    if (!errors) return std::move(errors).error();
    auto payment = judged(fields::kPayment, std::move(body), std::move(*errors));
    if (!payment) return std::move(payment).error();
    return std::move(payment->reference);
}

}  // namespace boxoffice::http
