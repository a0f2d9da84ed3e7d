#pragma once
#include <span>

#include "core/changes.hpp"
#include "core/needs.hpp"
#include "core/ports.hpp"

namespace boxoffice
{

/// What is the same for every batch of a store.
struct DecideOptions {
    const Zones& zones;
    const Arrivals* arrivals = nullptr;  // none: nothing waits outside a batch
    bool mails = true;                   // false: effects that need mail are not made
};

/// Decides a batch, act by act in order, each seeing what those before it have done: fills outcomes, `made_effects` and
/// `deferred`, and renders the answers that are kept. An act that the engine answers (kByEngine) has the outcome Done so far.
/// Throws what `facts` throws, but for NotGathered: then the job is deferred, or where that may not be, StoreFailure busy.
[[nodiscard]] Changes decide(std::span<WriteJob* const> jobs, Facts& facts, const DecideOptions& options);

/// After the changes have been written: calls `answer(job, act)` for each act that the engine answers, unless its request has
/// been answered before.
template <class Answer>
void answer_by_engine(std::span<WriteJob* const> jobs, const Answer& answer)
{
    for (WriteJob* const job : jobs) {
        if (!std::holds_alternative<Done>(job->outcome)) continue;
        std::visit(
            [&]<class A>(const A& act) {
                if constexpr (kByEngine<A>) answer(*job, act);
            },
            job->act);
    }
}

}  // namespace boxoffice
