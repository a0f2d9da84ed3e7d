#include "api/guess_gate.hpp"

#include <fmt/format.h>

#include <utility>

namespace boxoffice::http
{

namespace
{

std::string source_of(const Call& call, const Guess& guess) { return fmt::format("{}:{}", guess.account, call.group()); }

std::string key_of_source(const Call& call, const Guess& guess) { return "guess:" + source_of(call, guess); }

std::string key_of_account(const Guess& guess) { return "guesses:" + guess.account; }

bool limits(const Call& call, const RatePolicy& policy) { return call.parts().rates != nullptr && policy.limits(); }

void give_back(Call& call, std::string key, RatePolicy policy)
{
    if (!limits(call, policy)) return;
    policy.price = -policy.price;
    call.parts().rates->take(std::move(key), policy, call.now(), [](const RateAnswer&) {});
}

/// Asks the bucket that all clients share, which refuses no client.
void ask_account(const CallPtr& call, const Guess& guess, const std::function<void(const CallPtr&, const Guess&)>& go_on)
{
    const RatePolicy& policy = call->parts().policies.guesses;
    if (!limits(*call, policy) || call->familiar().knows(source_of(*call, guess))) return go_on(call, guess);
    call->parts().rates->take(key_of_account(guess), policy, call->now(), [call, guess, go_on](const RateAnswer& answer) {
        try {
            Guess known = guess;
            known.is_one_of_many = !answer.allowed;
            if (known.is_one_of_many) call->shed("guesses", "slowed");
            go_on(call, known);
        } catch (const std::exception& exception) {
            call->fail(exception);
        }
    });
}

}  // namespace

void pass_guess_gate(const CallPtr& call, std::string account, const std::function<void(const CallPtr&, const Guess&)>& go_on)
{
    const Guess guess{std::move(account)};
    const auto ask = [guess, go_on](const CallPtr& passed) { ask_account(passed, guess, go_on); };
    pass_gate(call, "guess", key_of_source(*call, guess), call->parts().policies.guess, ask);
}

void forgive_guess(Call& call, const Guess& guess)
{
    return_guess(call, guess);
    call.familiar().remember(source_of(call, guess));
}

void return_guess(Call& call, const Guess& guess)
{
    give_back(call, key_of_source(call, guess), call.parts().policies.guess);
    // What was not taken is not given back: not by a familiar client, nor where the bucket was empty.
    const bool was_taken = !guess.is_one_of_many && !call.familiar().knows(source_of(call, guess));
    if (was_taken) give_back(call, key_of_account(guess), call.parts().policies.guesses);
}

Call::Turn turn_of(const Call& call, const Guess& guess)
{
    if (guess.is_one_of_many) return {"account " + guess.account, call.group()};
    return {call.group(), guess.account};
}

}  // namespace boxoffice::http
