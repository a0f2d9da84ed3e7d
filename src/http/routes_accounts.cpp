#include "http/decode.hpp"
#include "http/encode.hpp"
#include "http/rate_gate.hpp"
#include "http/routes.hpp"

namespace boxoffice::http
{

namespace
{

Reply user_added(const Call&, const Outcome& outcome) { return json_reply(201, encode_user(std::get<User>(outcome))); }

Reply user_changed(const Call&, const Outcome& outcome) { return json_reply(200, encode_user(std::get<User>(outcome))); }

void answer_login(Call& call, const std::optional<Login>& login, const std::string& password)
{
    const Dependencies& parts = call.parts();
    // bcrypt reads no further than this: a longer password would match by its beginning. Whatever it is compared with or not,
    // an answer costs one comparison's time.
    const bool can_match = login && password.size() <= kPasswordBytesMax;
    bool good = false;
    if (can_match) {
        good = parts.hasher.matches(password, login->password_hash);
    } else {
        parts.hasher.waste(password);
    }
    parts.metrics.login(good);
    if (!good) return call.refuse(Code::bad_credentials);
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

void check_password(const CallPtr& call)
{
    auto decoded = decode_credentials(call->request());
    if (!decoded) return call->refuse(decoded.error());
    call->read([credentials = std::move(*decoded)](Call& self) {
        auto login = self.parts().store.find_login(credentials.email);
        self.run_on(self.parts().passwords, [login = std::move(login), password = credentials.password](Call& later) {
            answer_login(later, login, password);
        });
    });
}

}  // namespace

void register_user(const CallPtr& call) { pass_registration_gate(call, add_user); }

void log_in(const CallPtr& call) { pass_login_gate(call, check_password); }

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
