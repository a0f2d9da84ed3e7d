#pragma once
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "core/acts.hpp"

/// What has to be known, and locked, to decide an act: stated once for each act, by its `needs_of`. An engine that gathers before
/// it decides knows the *kinds* of need and no act; an act without `needs_of`, or a decision that looks up what the act has not
/// stated, does not compile.
namespace boxoffice
{

namespace need
{

// Rows that are locked, in this order of kinds, and each kind by its ids: two batches then never wait for each other in a circle.

/// An event's counter, to sell `seats`: for so many its due holds may have to lapse.
struct Seats {
    EventId event;
    std::int64_t seats = 1;
};
/// An event and its counter, to change it.
struct WholeEvent {
    EventId event;
};
/// The due holds of an event, all of which may have to lapse. Of a deferrable job kLapsedAtOnceToRemove are enough at a time.
struct DueHoldsOf {
    EventId event;
};
/// The holds of any event that are due, earliest deadline first, with the counters of their events.
struct DueHolds {
    std::size_t most = 0;
};
/// The counter of a ticket's event, to give its seat back.
struct CounterOfTicket {
    TicketId ticket;
};
/// The same to take a seat again, should the ticket's hold have lapsed although `user` paid before its deadline.
struct SeatAgain {
    TicketId ticket;
    UserId user;
    Instant arrived;
};
struct OneTicket {
    TicketId ticket;
};
struct WholeUser {
    UserId user;
};

// What is not locked, because it never goes away or is guarded by a UNIQUE.

/// Whether there is such a user.
struct AnyUser {
    UserId user;
};
/// The ticket that was paid with this reference.
struct Reference {
    std::string_view reference;
};
/// Whether an account has the mailbox of this address.
struct Mailbox {
    std::string_view email;
};
/// When an account that may add `most_a_day` events a day added its newest; 0: it does not matter.
struct NewestEvents {
    UserId organizer;
    std::int64_t most_a_day = 0;
};
struct TicketNumber {
};
struct EventNumber {
};
struct UserNumber {
};

/// There is nothing to decide that depends on other acts: the engine answers by itself, after the batch's changes.
struct ByEngine {
};

template <class Kind>
inline constexpr bool kLocks =
    std::is_same_v<Kind, Seats> || std::is_same_v<Kind, WholeEvent> || std::is_same_v<Kind, CounterOfTicket> ||
    std::is_same_v<Kind, OneTicket> || std::is_same_v<Kind, WholeUser> || std::is_same_v<Kind, DueHolds>;

}  // namespace need

/// Due holds of an event that is to be removed lapse so many at a time, so that other sales are made in between.
inline constexpr std::int64_t kLapsedAtOnceToRemove = 2000;

// --- Each act's ----------------------------------------------------------------------------------------------------

inline auto needs_of(const AddUser& act) { return std::tuple{need::Mailbox{act.email}, need::UserNumber{}}; }
inline auto needs_of(const ChangeUser& act) { return std::tuple{need::WholeUser{act.user}}; }
inline auto needs_of(const RenewHash& act) { return std::tuple{need::WholeUser{act.user}}; }
inline auto needs_of(const AddEvent& act)
{
    return std::tuple{need::AnyUser{act.organizer}, need::NewestEvents{act.organizer, act.most_a_day}, need::EventNumber{}};
}
inline auto needs_of(const ChangeEvent& act) { return std::tuple{need::WholeEvent{act.event}}; }
inline auto needs_of(const RemoveEvent& act) { return std::tuple{need::WholeEvent{act.event}, need::DueHoldsOf{act.event}}; }
inline auto needs_of(const Reserve& act)
{
    return std::tuple{need::Seats{act.event}, need::AnyUser{act.user}, need::TicketNumber{}};
}
inline auto needs_of(const Pay& act)
{
    return std::tuple{need::OneTicket{act.ticket}, need::Reference{act.reference},
                      need::SeatAgain{act.ticket, act.user, act.now}};
}
inline auto needs_of(const Cancel& act) { return std::tuple{need::OneTicket{act.ticket}, need::CounterOfTicket{act.ticket}}; }
inline auto needs_of(const ExpireHolds& act) { return std::tuple{need::DueHolds{act.most}}; }

inline need::ByEngine needs_of(const ForgetAnswers&) { return {}; }
inline need::ByEngine needs_of(const Reindex&) { return {}; }
inline need::ByEngine needs_of(const TakeEffects&) { return {}; }
inline need::ByEngine needs_of(const SettleEffects&) { return {}; }
inline need::ByEngine needs_of(const PostponeEffect&) { return {}; }
inline need::ByEngine needs_of(const TakeMailTurn&) { return {}; }
inline need::ByEngine needs_of(const MarkMailSent&) { return {}; }

template <class A>
using NeedsOf = decltype(needs_of(std::declval<const A&>()));

/// Whether the engine answers such an act by itself.
template <class A>
inline constexpr bool kByEngine = std::is_same_v<NeedsOf<A>, need::ByEngine>;

/// Whether the act has stated one of these kinds.
template <class A, class... Kinds>
inline constexpr bool kNeeds = []<class... Stated>(std::type_identity<std::tuple<Stated...>>) {
    const auto stated = []<class Kind>(std::type_identity<Kind>) { return (std::is_same_v<Kind, Stated> || ...); };
    return (stated(std::type_identity<Kinds>{}) || ...);
}(std::type_identity<NeedsOf<A>>{});

/// Whether the same request at another node would have to wait for this one at a row's lock.
template <class A>
inline constexpr bool kLocksARow = []<class... Stated>(std::type_identity<std::tuple<Stated...>>) {
    return (need::kLocks<Stated> || ...);
}(std::type_identity<NeedsOf<A>>{});

}  // namespace boxoffice
