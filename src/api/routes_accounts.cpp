#include "api/decode.hpp"
#include "api/encode.hpp"
#include "api/guess_gate.hpp"
#include "api/routes.hpp"
#include "core/rules.hpp"
#include "text/text.hpp"

namespace boxoffice::http
{

namespace
{

/// Of the digest of an address, as buckets are named by it: 128 bits, so that no two addresses share one.
constexpr std::size_t kDigestKept = 32;

Reply user_added(const Call&, const Outcome& outcome) { return json_reply(201, encode_user(std::get<User>(outcome))); }

Reply user_changed(const Call&, const Outcome& outcome) { return json_reply(200, encode_user(std::get<User>(outcome))); }

/// Whether the password is the account's, and the hash to keep from now on where it was hashed as it was sent, before passwords
/// were normalized.
struct Verdict {
    bool good = false;
    bool outdated = false;
};

/// A refusal costs, for each form of the password, the time of the `dearest` comparison there is, whatever there is to compare
/// with. bcrypt reads no further than kPasswordBytesMax: a longer password would match by its beginning.
Verdict judge(const PasswordHasher& hasher, const std::optional<Login>& login, const std::string& sent, const std::string& form,
              const std::string& dearest)
{
    const auto is_it = [&](const std::string& password) {
        const bool can_match = login && password.size() <= kPasswordBytesMax;
        if (can_match && hasher.matches(password, login->password_hash)) return true;
        hasher.even_out(password, can_match ? login->password_hash : std::string_view(), dearest);
        return false;
    };
    if (is_it(form)) return {true, false};
    if (form == sent || !is_it(sent)) return {};
    return {true, true};
}

/// No client waits for it, and where the lane is full the next login will do.
void renew_hash(Call& call, const Login& login, const std::string& form)
{
    std::vector<FieldError> errors;
    check_password(form, errors);
    if (!errors.empty()) return;
    auto job = std::make_unique<LaneJob>();
    job->act = RenewHash{login.user, login.password_hash, call.parts().hasher.hash(form), call.now()};
    job->done = [](LaneJob&) {};
    (void)call.parts().writes.submit(std::move(job));
}

/// What there is to compare with; where the store cannot say, that is no guess at a password.
struct Compared {
    std::optional<Login> login;
    std::string dearest;
};
Compared look_up(Call& call, const Guess& guess, const std::string& email)
{
    try {
        Store& store = call.parts().store;
        return {store.find_login(email), store.dearest_hash().value_or(std::string())};
    } catch (...) {
        return_guess(call, guess);
        throw;
    }
}

void answer_login(Call& call, const Guess& guess, const std::string& email, const std::string& password)
{
    const Dependencies& parts = call.parts();
    const auto [login, dearest] = look_up(call, guess, email);
    const std::string form = text::password_form(password);
    const Verdict verdict = judge(parts.hasher, login, password, form, dearest);
    parts.metrics.login(verdict.good);
    if (!verdict.good) {
        call.log_failed_login(login ? login->user.value : 0);
        if (is_form(call.request().header("content-type"))) call.note_oauth_error("invalid_grant");
        return call.refuse(Code::bad_credentials);
    }
    forgive_guess(call, guess);
    if (verdict.outdated || parts.hasher.is_outdated(login->password_hash)) renew_hash(call, *login, form);
    Reply reply = json_reply(200, encode_token(parts.signer.sign(login->user, call.now()), parts.signer.lifetime()));
    reply.headers.emplace_back("Pragma", "no-cache");  // RFC 6749, 5.1
    call.answer(std::move(reply));
}

}  // namespace

void register_user(const CallPtr& call)
{
    auto decoded = decode_registration(call->request());
    if (!decoded) return call->refuse(decoded.error());
    call->run_on(
        call->registrations(),
        [person = std::move(*decoded)](Call& self) {
            AddUser add{person.email, person.name, self.parts().hasher.hash(person.password), person.location, self.now()};
            self.act(std::move(add), user_added);
        },
        call->turn());
}

void log_in(const CallPtr& call)
{
    auto decoded = decode_credentials(call->request());
    if (!decoded) {
        const bool is_grant = decoded.error().detail == kOtherGrant;
        if (is_form(call->request().header("content-type")))
            call->note_oauth_error(is_grant ? "unsupported_grant_type" : "invalid_request");
        return call->refuse(decoded.error());
    }
    auto account = call->parts().digest(text::address_key(decoded->email)).substr(0, kDigestKept);
    pass_guess_gate(call, std::move(account), [credentials = std::move(*decoded)](const CallPtr& passed, const Guess& guess) {
        passed->if_dropped([guess](Call& self) { return_guess(self, guess); });
        // The account is looked up where the password is compared: it never waits behind reads.
        passed->run_on(
            passed->parts().passwords,
            [credentials, guess](Call& self) { answer_login(self, guess, credentials.email, credentials.password); },
            turn_of(*passed, guess));
    });
}

void get_me(const CallPtr& call)
{
    call->read([](Call& self) {
        const auto user = self.parts().store.find_user(self.user());
        if (!user) return self.refuse(Code::unauthenticated);
        self.answer_json(200, encode_user(*user));
    });
}

void change_me(const CallPtr& call)
{
    auto change = decode_user_patch(call->request(), call->user(), call->now());
    if (!change) return call->refuse(change.error());
    call->act(std::move(*change), user_changed);
}

}  // namespace boxoffice::http
