#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "core/core.hpp"
#include "runtime/arrivals.hpp"

/// The engines that keep the Store's promises: the contract suite runs over each, on a fresh store for every test.
namespace boxoffice
{

/// One fresh store, closed and gone with the object. reopen() closes it and opens what it left.
class StoreHome
{
public:
    virtual ~StoreHome() = default;
    [[nodiscard]] virtual Store& store() = 0;
    virtual void reopen() = 0;
    LocalArrivals arrivals;  // the store's
};

struct Engine {
    std::string name;
    std::function<std::unique_ptr<StoreHome>()> make;
    std::function<std::unique_ptr<StoreHome>()> make_without_mail;  // where none is ever to be sent
};

inline void PrintTo(const Engine& engine, std::ostream* out) { *out << engine.name; }

[[nodiscard]] const std::vector<Engine>& engines();

/// One fresh store with words for a test: people, events, acts one at a time at a time that the test sets.
class StoreTest : public testing::TestWithParam<Engine>
{
protected:
    void SetUp() override { home = GetParam().make(); }
    Store& store() { return home->store(); }

    Outcome act(Act what);
    template <class T>
    T must(Act what)
    {
        Outcome outcome = act(std::move(what));
        if (const auto* error = std::get_if<Error>(&outcome))
            ADD_FAILURE() << "refused: " << code_word(error->code) << ' ' << error->message;
        return std::get<T>(outcome);
    }
    /// The word of the refusal, or "ok".
    std::string said(Act what);

    UserId person(const std::string& name = "");
    EventId event(std::int64_t total, std::function<void(EventDraft&)> change = {});
    Ticket reserve(EventId of, UserId by) { return must<Ticket>(Reserve{of, by, hold, now}); }
    std::int64_t sold(EventId of) { return store().find_event(of)->tickets_sold; }

    std::unique_ptr<StoreHome> home;
    Instant now{std::chrono::hours(500'000)};
    Micros hold = std::chrono::minutes(2);
    UserId organizer{};
    int people = 0;
};

}  // namespace boxoffice
