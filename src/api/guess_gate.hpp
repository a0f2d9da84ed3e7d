#pragma once
#include <functional>
#include <memory>
#include <string>

#include "api/call.hpp"

/// In front of the comparison of a password: how often one may be guessed at, and by whom.
namespace boxoffice::http
{

/// An attempt to sign in, before the password is compared.
struct Guess {
    std::string account;  // whom it is tried for, in a form that may be kept: a digest of the address
    /// The account has had too many wrong passwords of late, from wherever, and from this client never the right one: then it
    /// waits its turn together with all others of that kind, as if they were one client. The right password is good all the same.
    bool is_one_of_many = false;
};

/// Takes from the bucket "guess:<account>:<client>", and is answered 429 when that is empty; then from "guesses:<account>", which
/// is every client's and refuses none: see Guess. What turns out to be no wrong password gives back what it took.
void pass_guess_gate(const CallPtr& call, std::string account, const std::function<void(const CallPtr&, const Guess&)>& go_on);

/// The password was right: gives back what it took, and remembers from where.
void forgive_guess(Call& call, const Guess& guess);
/// The password was never compared: gives back what it took.
void return_guess(Call& call, const Guess& guess);

/// Whose turn it is in the lane of passwords.
[[nodiscard]] Call::Turn turn_of(const Call& call, const Guess& guess);

}  // namespace boxoffice::http
