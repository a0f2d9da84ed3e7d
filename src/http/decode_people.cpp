#include <algorithm>

#include "http/decode.hpp"
#include "http/decode_common.hpp"
#include "http/form.hpp"
#include "text/text.hpp"

namespace boxoffice::http
{

namespace
{

struct RegistrationBody {
    std::string email;
    std::string name;
    std::string password;
    std::optional<PointBody> location;
};
BOOST_DESCRIBE_STRUCT(RegistrationBody, (), (email, name, password, location))

struct CredentialsBody {
    std::optional<std::string> email;
    std::optional<std::string> username;
    std::string password;
};
BOOST_DESCRIBE_STRUCT(CredentialsBody, (), (email, username, password))

struct UserPatchBody {
    Given<std::string> name;
    Given<std::optional<PointBody>> location;
};
BOOST_DESCRIBE_STRUCT(UserPatchBody, (), (name, location))

struct TicketOrderBody {
    std::int64_t event_id = 0;
    std::optional<std::int64_t> user_id;
};
BOOST_DESCRIBE_STRUCT(TicketOrderBody, (), (event_id, user_id))

struct PaymentBody {
    std::string payment_reference;
};
BOOST_DESCRIBE_STRUCT(PaymentBody, (), (payment_reference))

// What somebody may well believe to be done: it is said that it is not. api/openapi.yaml lists the same.
constexpr RefusedField kRefusedInUserPatch[] = {{"email", "An address cannot be changed"},
                                                {"password", "A password cannot be changed here"}};
constexpr RefusedField kRefusedInOrder[] = {{"quantity", "One request holds one seat: ask once for each"}};

/// "Application/JSON; charset=utf-8" -> "application/json".
std::string media_type(std::string_view content_type)
{
    std::string type(content_type.substr(0, content_type.find(';')));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
    std::transform(type.begin(), type.end(), type.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return type;
}

std::optional<GeoPoint> to_point(const std::optional<PointBody>& body)
{
    if (!body) return std::nullopt;
    return GeoPoint{body->latitude, body->longitude};
}

void check_id(std::int64_t id, std::string_view field, std::vector<FieldError>& errors)
{
    if (id >= 1) return;
    errors.push_back({{"body", std::string(field)}, "Input should be greater than or equal to 1", "greater_than_equal"});
}

Result<Credentials> decode_login_form(const Request& request)
{
    const auto fields = parse_form(request.body);
    if (!fields) return Error{Code::malformed, "The form in the body cannot be decoded."};
    if (has_repeated_field(*fields)) return Error{Code::malformed, "The form in the body gives a field more than once."};
    if (const std::string* grant = find_field(*fields, "grant_type"); grant != nullptr && *grant != "password") {
        return Error{Code::malformed, "Of the grants of OAuth 2 only password is understood.", std::string(kOtherGrant)};
    }
    std::vector<FieldError> errors;
    const auto field = [&](std::string_view name) {
        const std::string* value = find_field(*fields, name);
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
    RegistrationBody body;
    auto errors = read_body(request, body);
    if (!errors) return std::move(errors).error();
    Registration person{std::string(text::trimmed(body.email)), std::move(body.name), text::password_form(body.password),
                        to_point(body.location)};
    std::vector<FieldError> found;
    check_email(person.email, found);
    check_name(person.name, found);
    check_password(person.password, found);
    if (person.location) check_point(*person.location, {"body", "location"}, found);
    add_rule_errors(*errors, std::move(found));
    if (!errors->empty()) return invalid(std::move(*errors));
    return person;
}

Result<Credentials> decode_credentials(const Request& request)
{
    if (is_form(request.header("content-type"))) return decode_login_form(request);
    CredentialsBody body;
    auto errors = read_body(request, body);
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
    UserPatchBody body;
    auto errors = read_body(request, body, kRefusedInUserPatch);
    if (!errors) return std::move(errors).error();
    std::vector<FieldError> found;
    if (body.name.present) check_name(body.name.value, found);
    const auto location = to_point(body.location.value);
    if (location) check_point(*location, {"body", "location"}, found);
    add_rule_errors(*errors, std::move(found));
    if (!errors->empty()) return invalid(std::move(*errors));
    ChangeUser change;
    change.user = user;
    if (body.name.present) change.name = std::move(body.name.value);
    change.sets_location = body.location.present;
    change.location = location;
    change.now = now;
    return change;
}

Result<TicketOrder> decode_ticket_order(const Request& request)
{
    TicketOrderBody body;
    auto errors = read_body(request, body, kRefusedInOrder);
    if (!errors) return std::move(errors).error();
    std::vector<FieldError> found;
    check_id(body.event_id, "event_id", found);
    if (body.user_id) check_id(*body.user_id, "user_id", found);
    add_rule_errors(*errors, std::move(found));
    if (!errors->empty()) return invalid(std::move(*errors));
    TicketOrder order;
    order.event = EventId{body.event_id};
    if (body.user_id) order.user = UserId{*body.user_id};
    return order;
}

Result<std::string> decode_payment_reference(const Request& request)
{
    PaymentBody body;
    auto errors = read_body(request, body);
    if (!errors) return std::move(errors).error();
    std::vector<FieldError> found;
    check_reference(body.payment_reference, found);
    add_rule_errors(*errors, std::move(found));
    if (!errors->empty()) return invalid(std::move(*errors));
    return std::move(body.payment_reference);
}

}  // namespace boxoffice::http
