#include "core/rules.hpp"
#include "http/decode.hpp"
#include "http/encode.hpp"
#include "http/rate_gate.hpp"
#include "http/routes.hpp"
#include "text/text.hpp"

namespace boxoffice::http
{

namespace
{

Reply user_added(const Call&, const Outcome& outcome) { return json_reply(201, encode_user(std::get<User>(outcome))); }

Reply user_changed(const Call&, const Outcome& outcome) { return json_reply(200, encode_user(std::get<User>(outcome))); }

/// Whether the password is the account's, and the hash to keep from now on where it was hashed as it was sent, before passwords
/// were normalized. An answer costs a comparison's time for each form, whatever there is to compare with. bcrypt reads no further
/// than kPasswordBytesMax: a longer password would match by its beginning.
struct Verdict {
    bool good = false;
    bool outdated = false;
};

Verdict judge(const PasswordHasher& hasher, const std::optional<Login>& login, const std::string& sent, const std::string& form)
{
    const auto is_it = [&](const std::string& password) {
        if (login && password.size() <= kPasswordBytesMax) return hasher.matches(password, login->password_hash);
        hasher.waste(password);
        return false;
    };
    if (is_it(form)) return {true, false};
    if (form == sent || !is_it(sent)) return {};
    return {true, true};
}

/// Nobody waits for it, and where the lane is full the next login will do.
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

void answer_login(Call& call, const std::optional<Login>& login, const std::string& password)
{
    const Dependencies& parts = call.parts();
    const std::string form = text::password_form(password);
    const Verdict verdict = judge(parts.hasher, login, password, form);
    parts.metrics.login(verdict.good);
    if (!verdict.good) {
        if (is_form(call.request().header("content-type"))) call.note_oauth_error("invalid_grant");
        return call.refuse(Code::bad_credentials);
    }
    if (verdict.outdated) renew_hash(call, *login, form);
    Reply reply = json_reply(200, encode_token(parts.signer.sign(login->user, call.now()), parts.signer.lifetime()));
    reply.headers.emplace_back("Pragma", "no-cache");  // RFC 6749, 5.1
    call.answer(std::move(reply));
}

void add_user(const CallPtr& call)
{
    auto decoded = decode_registration(call->request());
    if (!decoded) return call->refuse(decoded.error());
    call->run_on(call->parts().passwords, [person = std::move(*decoded)](Call& self) {
        AddUser add{person.email, person.name, self.parts().hasher.hash(person.password), person.location, self.now()};
        self.act(std::move(add), user_added);
    });
}

void check_login(const CallPtr& call)
{
    auto decoded = decode_credentials(call->request());
    if (!decoded) {
        const bool is_grant = decoded.error().detail == kOtherGrant;
        if (is_form(call->request().header("content-type")))
            call->note_oauth_error(is_grant ? "unsupported_grant_type" : "invalid_request");
        return call->refuse(decoded.error());
    }
    call->read([credentials = std::move(*decoded)](Call& self) {
        auto login = self.parts().store.find_login(credentials.email);
        self.run_on(self.parts().passwords, [login = std::move(login), password = credentials.password](Call& later) {
            answer_login(later, login, password);
        });
    });
}

}  // namespace

void register_user(const CallPtr& call) { pass_registration_gate(call, add_user); }

void log_in(const CallPtr& call) { pass_login_gate(call, check_login); }

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
