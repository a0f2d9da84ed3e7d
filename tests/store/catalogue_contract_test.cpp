#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "store/engines.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

class Catalogue : public StoreTest
{
protected:
    std::vector<std::int64_t> ids(const EventQuery& query)
    {
        const Page<Event> page = store().list_events(query);
        std::vector<std::int64_t> found;
        for (const Event& one : page.items) found.push_back(one.id.value);
        found.push_back(-page.total);
        return found;
    }
    using Ids = std::vector<std::int64_t>;
};
INSTANTIATE_TEST_SUITE_P(Engines, Catalogue, testing::ValuesIn(engines()), [](const auto& engine) { return engine.param.name; });

TEST_P(Catalogue, TellsAddressesApartWithoutRegardToCase)
{
    const User ada = must<User>(AddUser{"Ada@Example.org", "Ada", "hash", GeoPoint{1, 2}, now});
    EXPECT_EQ(said(AddUser{"ada@example.ORG", "Eve", "h", {}, now}), "email_taken");
    EXPECT_EQ(store().find_login("ADA@example.org")->user, ada.id);
    EXPECT_EQ(store().find_login("ada@example.org")->password_hash, "hash");
    EXPECT_FALSE(store().find_login("bob@example.org"));
    EXPECT_EQ(store().find_user(ada.id)->email, "Ada@Example.org");
    EXPECT_EQ(store().find_user(ada.id)->location, (GeoPoint{1, 2}));
    EXPECT_FALSE(store().find_user(UserId{99}));
}

TEST_P(Catalogue, ChangesOnlyWhatAUserNames)
{
    const User ada = must<User>(AddUser{"ada@example.org", "Ada", "hash", GeoPoint{1, 2}, now});
    EXPECT_EQ(must<User>(ChangeUser{ada.id, "Countess", false, {}, now}).location, (GeoPoint{1, 2}));
    EXPECT_EQ(must<User>(ChangeUser{ada.id, {}, true, {}, now}).name, "Countess");
    EXPECT_FALSE(store().find_user(ada.id)->location);
    EXPECT_EQ(said(ChangeUser{UserId{99}, "x", false, {}, now}), "unauthenticated");
}

TEST_P(Catalogue, KeepsAnEventAsItWasGiven)
{
    const EventId id = event(10, [](EventDraft& d) {
        d.title = "Ünïcode \"quoted\" ; DROP TABLE events";
        d.description = std::string("a\nb\t", 4) + "\xF0\x9F\x8E\xAB";
        d.timezone = "Europe/Berlin";
        d.venue = {"Straße 1", {52.123456789012345, -13.000000000000002}};
    });
    const Event found = *store().find_event(id);
    EXPECT_EQ(found.title, "Ünïcode \"quoted\" ; DROP TABLE events");
    EXPECT_EQ(found.description, std::string("a\nb\t", 4) + "\xF0\x9F\x8E\xAB");
    EXPECT_EQ(found.venue.point, (GeoPoint{52.123456789012345, -13.000000000000002}));
    EXPECT_EQ(found.timezone, "Europe/Berlin");
    EXPECT_EQ(found.organizer_id, organizer);
    EXPECT_EQ(found.updated_at, now);
}

TEST_P(Catalogue, RenewsAHashUnlessItHasBeenReplacedMeanwhile)
{
    const User ada = must<User>(AddUser{"ada@example.org", "Ada", "old", {}, now});
    const User bob = must<User>(AddUser{"bob@example.org", "Bob", "old", {}, now});
    must<Done>(RenewHash{ada.id, "old", "new", now + 1s});
    EXPECT_EQ(store().find_login("ada@example.org")->password_hash, "new");
    must<Done>(RenewHash{ada.id, "old", "late", now + 2s});
    EXPECT_EQ(store().find_login("ada@example.org")->password_hash, "new");
    EXPECT_EQ(store().find_login("bob@example.org")->password_hash, "old");
    must<Done>(RenewHash{UserId{99}, "old", "new", now});
    EXPECT_EQ(said(ChangeUser{bob.id, "Bobby", false, {}, now}), "ok");
    EXPECT_EQ(store().find_login("bob@example.org")->password_hash, "old");
}

TEST_P(Catalogue, ChangesAnEventAndItsTotalWithinWhatIsSold)
{
    const EventId id = event(5);
    const UserId buyer = person();
    reserve(id, buyer);
    reserve(id, buyer);
    EventPatch patch;
    patch.total_tickets = 1;
    EXPECT_EQ(said(ChangeEvent{id, organizer, patch, now}), "below_sold");
    EXPECT_EQ(said(ChangeEvent{id, buyer, patch, now}), "not_organizer");
    EXPECT_EQ(said(ChangeEvent{EventId{99}, buyer, patch, now}), "not_found");
    patch.total_tickets = 2;
    patch.title = "Blues";
    EXPECT_EQ(must<Event>(ChangeEvent{id, organizer, patch, now + 1s}).available_tickets(), 0);
    EXPECT_EQ(said(Reserve{id, buyer, hold, now}), "sold_out");
    EXPECT_EQ(store().find_event(id)->title, "Blues");
    EXPECT_EQ(ids({.q = "blues"}), (Ids{id.value, -1}));
    EXPECT_EQ(ids({.q = "jazz"}), (Ids{0}));
}

TEST_P(Catalogue, SellsAndChangesAnEventInOneBatch)
{
    const EventId id = event(1);
    const UserId buyer = person();
    EventPatch patch;
    patch.total_tickets = 2;
    WriteJob first{Reserve{id, buyer, hold, now}, {}, {}};
    WriteJob more{ChangeEvent{id, organizer, patch, now}, {}, {}};
    WriteJob second{Reserve{id, buyer, hold, now}, {}, {}};
    WriteJob third{Reserve{id, buyer, hold, now}, {}, {}};
    WriteJob* const jobs[] = {&first, &more, &second, &third};
    store().execute(jobs);
    EXPECT_EQ(std::get<Event>(more.outcome).tickets_sold, 1);
    EXPECT_TRUE(std::holds_alternative<Ticket>(second.outcome));
    EXPECT_EQ(std::get<Error>(third.outcome).code, Code::sold_out);
    EXPECT_EQ(sold(id), 2);
    // The search's own counters follow: with every seat sold the event is not among those with seats.
    EXPECT_EQ(store().nearby({.center = {52.5, 13.4}, .now = now}).total, 0);
}

TEST_P(Catalogue, RemovesAnEventOnlyWithoutLiveTicketsAndEverywhereAtOnce)
{
    const EventId id = event(5);
    const UserId buyer = person();
    const Ticket ticket = reserve(id, buyer);
    EXPECT_EQ(said(RemoveEvent{id, buyer, now}), "not_organizer");
    EXPECT_EQ(said(RemoveEvent{id, organizer, now}), "has_tickets");
    EXPECT_EQ(said(RemoveEvent{EventId{99}, organizer, now}), "not_found");
    now = ticket.expires_at;
    EXPECT_EQ(said(RemoveEvent{id, organizer, now}), "ok");
    EXPECT_FALSE(store().find_event(id));
    EXPECT_EQ(ids({}), (Ids{0}));
    EXPECT_EQ(ids({.q = "jazz"}), (Ids{0}));
    EXPECT_EQ(store().nearby({.center = {52.5, 13.4}, .now = now}).total, 0);
    EXPECT_EQ(said(RemoveEvent{id, organizer, now}), "not_found");
    EXPECT_EQ(said(Reserve{id, buyer, hold, now}), "not_found");
    // The holder still sees what became of the ticket, and the next event is not mistaken for this one.
    EXPECT_EQ(store().find_ticket(ticket.id)->ticket.status, TicketStatus::expired);
    EXPECT_GT(event(1).value, id.value);
}

TEST_P(Catalogue, RefusesAnEventOfNobody)
{
    EXPECT_EQ(said(AddEvent{UserId{99},
                            [&] {
                                EventDraft d;
                                d.title = "x";
                                d.start_time = now;
                                d.end_time = now + 1h;
                                d.total_tickets = 1;
                                d.venue.address = "x";
                                return d;
                            }(),
                            now}),
              "unauthenticated");
}

TEST_P(Catalogue, ListsByStartThenIdWithinEveryFilter)
{
    const auto starting = [&](int hours, std::int64_t total = 5) {
        return event(total,
                     [&](EventDraft& d) {
                         d.start_time = now + std::chrono::hours(hours);
                         d.end_time = now + std::chrono::hours(hours + 1);
                     })
            .value;
    };
    const auto c = starting(30);
    const auto a = starting(10, 1);
    const auto b = starting(20);
    const auto d = starting(30);
    const UserId first_organizer = organizer;
    organizer = person("second");
    const auto e = starting(40);
    EXPECT_EQ(ids({}), (Ids{a, b, c, d, e, -5}));
    EXPECT_EQ(ids({.skip = 1, .limit = 2}), (Ids{b, c, -5}));
    EXPECT_EQ(ids({.skip = 9, .limit = 2}), (Ids{-5}));
    EXPECT_EQ(ids({.starts_after = now + 10h}), (Ids{b, c, d, e, -4}));
    EXPECT_EQ(ids({.starts_before = now + 30h}), (Ids{a, b, -2}));
    EXPECT_EQ(ids({.organizer = first_organizer}), (Ids{a, b, c, d, -4}));
    EXPECT_EQ(ids({.starts_after = now + 10h, .organizer = first_organizer}), (Ids{b, c, d, -3}));
    reserve(EventId{a}, person());
    EXPECT_EQ(ids({}), (Ids{a, b, c, d, e, -5})) << "a sale moves nothing";
    EXPECT_EQ(ids({.available_only = true}), (Ids{b, c, d, e, -4}));
    EXPECT_EQ(ids({.q = "jazz", .available_only = true, .organizer = organizer}), (Ids{e, -1}));
}

TEST_P(Catalogue, ListsWhatStartsInAnyYearThatCanBeWritten)
{
    using std::chrono::sys_days, std::chrono::year;
    const Instant first = sys_days{year{1} / 1 / 1};
    const Instant end = sys_days{year{10'000} / 1 / 1};
    const Instant last = end - 1us;
    const auto lasting = [&](Instant from, Instant until) {
        return event(5,
                     [&](EventDraft& d) {
                         d.start_time = from;
                         d.end_time = until;
                     })
            .value;
    };
    const auto late = lasting(last, end);
    const auto long_ago = lasting(sys_days{year{1890} / 1 / 1}, sys_days{year{2100} / 1 / 1});
    const auto early = lasting(first, last);
    const auto soon = event(5).value;
    EXPECT_EQ(ids({}), (Ids{early, long_ago, soon, late, -4}));
    EXPECT_EQ(store().list_events({}).items.front().start_time, first);
    EXPECT_EQ(store().list_events({}).items.back().start_time, last);
    EXPECT_EQ(ids({.available_only = true}), (Ids{early, long_ago, soon, late, -4}));
    EXPECT_EQ(ids({.q = "jazz", .organizer = organizer}), (Ids{early, long_ago, soon, late, -4}));
    EXPECT_EQ(ids({.starts_before = now}), (Ids{early, long_ago, -2}));
    EXPECT_EQ(ids({.starts_after = now}), (Ids{soon, late, -2}));
    // A bound takes out what starts at its moment, at the ends of time as anywhere.
    EXPECT_EQ(ids({.starts_before = first + 1us}), (Ids{early, -1}));
    EXPECT_EQ(ids({.starts_before = first}), (Ids{0}));
    EXPECT_EQ(ids({.starts_after = first}), (Ids{long_ago, soon, late, -3}));
    EXPECT_EQ(ids({.starts_after = last - 1us}), (Ids{late, -1}));
    EXPECT_EQ(ids({.starts_after = last}), (Ids{0}));
    EXPECT_EQ(ids({.starts_before = last}), (Ids{early, long_ago, soon, -3}));
    EXPECT_EQ(ids({.starts_after = Instant::min(), .starts_before = Instant::max()}), (Ids{early, long_ago, soon, late, -4}));
    EXPECT_EQ(ids({.starts_after = Instant::max()}), (Ids{0}));
    EXPECT_EQ(ids({.starts_before = Instant::min()}), (Ids{0}));
}

// Every filter left out, at 0, at its ends and in between, all against all, asked in both orders: no question is answered with
// what is remembered of another.
TEST_P(Catalogue, AnswersEveryQuestionForItselfInWhateverOrder)
{
    for (int i = 0; i < 4; ++i) {
        organizer = i % 2 == 0 ? person() : organizer;
        event(1, [&](EventDraft& d) {
            d.title = i == 2 ? "Rock" : "Jazz";
            d.start_time = now + std::chrono::hours(i);
            d.end_time = now + 9h;
        });
    }
    reserve(EventId{1}, person());
    const std::vector<Event> all = store().list_events({}).items;
    ASSERT_EQ(all.size(), 4u);
    const auto naive = [&](const EventQuery& query) {
        Ids found;
        for (const Event& one : all) {
            const bool fits = (!query.organizer || one.organizer_id == *query.organizer) &&
                              (!query.starts_after || one.start_time > *query.starts_after) &&
                              (!query.starts_before || one.start_time < *query.starts_before) &&
                              (!query.available_only || one.available_tickets() > 0) &&
                              (query.q.empty() || (query.q == "jazz") == (one.title == "Jazz"));
            if (fits) found.push_back(one.id.value);
        }
        const auto total = static_cast<std::int64_t>(found.size());
        found.erase(found.begin(), found.begin() + std::min(query.skip, total));
        found.resize(std::min(found.size(), static_cast<std::size_t>(query.limit)));
        found.push_back(-total);
        return found;
    };
    std::vector<EventQuery> questions;
    const std::optional<UserId> organizers[] = {UserId{0}, std::nullopt, UserId{-1}, all[0].organizer_id, UserId{INT64_MAX}};
    const std::optional<Instant> times[] = {std::nullopt, Instant{}, Instant::min(), Instant::max(), now + 1h};
    for (const auto& by : organizers)
        for (const auto& after : times)
            for (const auto& before : times)
                for (const char* q : {"", "jazz", "rock"})
                    for (const bool available : {false, true})
                        questions.push_back({.limit = 2,
                                             .q = q,
                                             .starts_after = after,
                                             .starts_before = before,
                                             .available_only = available,
                                             .organizer = by});
    for (int round = 0; round < 2; ++round) {
        for (EventQuery& query : questions) {
            ASSERT_EQ(ids(query), naive(query))
                << "q " << query.q << ", organizer " << (query.organizer ? std::to_string(query.organizer->value) : "any");
            query.skip += 1;
        }
        std::reverse(questions.begin(), questions.end());
    }
}

TEST_P(Catalogue, FindsEventsThatHaveAllTheWords)
{
    const auto titled = [&](const char* title, const char* description, const char* address) {
        return event(1,
                     [&](EventDraft& d) {
                         d.title = title;
                         d.description = description;
                         d.venue.address = address;
                     })
            .value;
    };
    const auto a = titled("Jazz am See", "Ein Abend", "Seestraße 1, Zürich");
    const auto b = titled("Rock Night", "with JAZZ legends", "Main Street");
    EXPECT_EQ(ids({.q = "jazz"}), (Ids{a, b, -2}));
    EXPECT_EQ(ids({.q = "  jazz\tabend "}), (Ids{a, -1}));
    EXPECT_EQ(ids({.q = "zurich"}), (Ids{a, -1}));
    EXPECT_EQ(ids({.q = "JAZZ main"}), (Ids{b, -1}));
    EXPECT_EQ(ids({.q = "jaz"}), (Ids{a, b, -2})) << "the last word is being typed";
    EXPECT_EQ(ids({.q = "abend jaz"}), (Ids{a, -1}));
    EXPECT_EQ(ids({.q = "jaz abend"}), (Ids{0})) << "the others are whole";
    EXPECT_EQ(ids({.q = "azz"}), (Ids{0}));
    for (const char* odd : {"\"", "jazz OR rock", "NEAR(", "jazz*", "-rock", "title:jazz", "(", "^", "'; --", "!!!"}) {
        EXPECT_NO_THROW(ids({.q = odd})) << odd;
    }
    EXPECT_EQ(ids({.q = "jazz OR rock"}), (Ids{0}));
    EXPECT_EQ(ids({.q = "   "}), (Ids{0}));
}

TEST_P(Catalogue, TakesEverythingThatIsNoLetterOrDigitAsBetweenWords)
{
    const auto id = event(1, [](EventDraft& d) {
                        d.title = "Jazz by the Harbour";
                        d.description = "Königsfest 2030";
                    }).value;
    for (const char* between :
         {",", "-", "/", "\"", "_", "'", " & ", "\u00a0", "\u2013", "\u2019", "\u201c", "\u2028", "\u3000", "\U0001F3AB"}) {
        for (const auto& [one, other] : {std::pair("jazz", "harbour"), std::pair("harbour", "jazz"),
                                         std::pair("2030", "KONIGSFEST"), std::pair("königsfest", "jazz")}) {
            const std::string q = std::string(one) + between + other;
            EXPECT_EQ(ids({.q = q}), (Ids{id, -1})) << q;
        }
        EXPECT_EQ(ids({.q = std::string("jazz") + between + "rock"}), (Ids{0})) << between;
        EXPECT_EQ(ids({.q = std::string(between) + "jazz" + between}), (Ids{id, -1})) << between;
        EXPECT_EQ(ids({.q = between}), (Ids{0})) << between;
    }
    // A combining accent is part of its letter, and no place to cut.
    EXPECT_EQ(ids({.q = "ko\u0308nigsfest"}), (Ids{id, -1}));
}

TEST_P(Catalogue, FindsByAsManyWordsAsAreAsked)
{
    std::string words;
    for (int i = 0; i < 1000; ++i) words += std::to_string(i) + ',';
    const auto id = event(1, [&](EventDraft& d) { d.description = words; }).value;
    EXPECT_EQ(ids({.q = words}), (Ids{id, -1}));
    EXPECT_EQ(ids({.q = words + "1000"}), (Ids{0}));
}

TEST_P(Catalogue, FindsEventsInTheOrderAsked)
{
    const EventId a = event(1);
    const EventId b = event(1);
    const EventId asked[] = {b, EventId{99}, a};
    const auto found = store().find_events(asked);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].id, b);
    EXPECT_EQ(found[1].id, a);
}

class Suggesting : public Catalogue
{
};
INSTANTIATE_TEST_SUITE_P(Engines, Suggesting, testing::ValuesIn(engines()), [](const auto& engine) { return engine.param.name; });

TEST_P(Suggesting, OffersUpcomingEventsWithSeatsThatAreNotHeld)
{
    const EventId offered = event(5);
    const EventId full = event(1);
    const EventId begun = event(5, [&](EventDraft& d) { d.start_time = now - 1h; });
    const EventId held = event(5);
    const EventId given_back = event(5);
    const UserId buyer = person();
    reserve(full, person());
    reserve(held, buyer);
    must<Ticket>(Cancel{reserve(given_back, buyer).id, buyer, now});
    std::vector<std::int64_t> ids;
    for (const Candidate& candidate : store().candidates({buyer, {}, now})) ids.push_back(candidate.event.value);
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, (std::vector<std::int64_t>{offered.value, given_back.value})) << begun.value;
}

TEST_P(Suggesting, KnowsWhatIsAlikeNearAndPopular)
{
    const UserId buyer = person();
    organizer = person("first");
    reserve(event(9, [](EventDraft& d) { d.title = "Flamenco evening"; }), buyer);
    organizer = person("second");
    const EventId alike = event(9, [](EventDraft& d) { d.title = "More Flamenco"; });
    const EventId other = event(10, [](EventDraft& d) {
        d.title = "Chess open";
        d.venue.point = {-33.9, 151.2};
    });
    for (int i = 0; i < 5; ++i) reserve(other, person());
    for (const Candidate& candidate : store().candidates({buyer, GeoPoint{-33.9, 151.2}, now})) {
        if (candidate.event == alike) {
            EXPECT_EQ(candidate.likeness, 1);
            EXPECT_GT(*candidate.distance_m, 10e6);
        } else {
            EXPECT_EQ(candidate.event, other);
            EXPECT_EQ(candidate.likeness, 0);
            EXPECT_EQ(*candidate.distance_m, 0);
            EXPECT_DOUBLE_EQ(candidate.share_sold, 0.5);
            EXPECT_GT(candidate.pace, 1);
        }
    }
    EXPECT_EQ(store().candidates({buyer, {}, now}).size(), 2u);
}

TEST_P(Suggesting, KnowsAWordWithOrWithoutItsAccents)
{
    const UserId buyer = person();
    organizer = person("first");
    reserve(event(9, [](EventDraft& d) { d.title = "KÖNIGSFEST: Ouvertüre"; }), buyer);
    organizer = person("second");
    const auto titled = [&](const char* title) { return event(9, [&](EventDraft& d) { d.title = title; }).value; };
    const std::set<std::int64_t> alike = {titled("Das Königsfest"), titled("Konigsfest"), titled("Ko\u0308nigsfest!")};
    const auto other = titled("Könige");
    std::set<std::int64_t> found;
    for (const Candidate& candidate : store().candidates({buyer, {}, now})) {
        if (candidate.likeness > 0) found.insert(candidate.event.value);
    }
    EXPECT_EQ(found, alike) << other;
}

// A taste is of the newest tickets only. What is held is not, however many newer ones there are.
TEST_P(Suggesting, OffersNothingHeldHoweverManyTicketsAreNewer)
{
    const EventId paid = event(5);
    const EventId reserved = event(5);
    const EventId given_back = event(5);
    const EventId lapsed = event(5);
    const EventId often = event(600);
    const UserId buyer = person();
    reserve(lapsed, buyer);
    now += hold;
    must<Ticket>(Pay{reserve(paid, buyer).id, buyer, "reference", now});
    reserve(reserved, buyer);
    must<Ticket>(Cancel{reserve(given_back, buyer).id, buyer, now});

    std::vector<WriteJob> jobs(501);
    std::vector<WriteJob*> batch;
    for (WriteJob& job : jobs) {
        job.act = Reserve{often, buyer, hold, now};
        batch.push_back(&job);
    }
    store().execute(batch);
    for (WriteJob& job : jobs) job.act = Cancel{std::get<Ticket>(job.outcome).id, buyer, now};
    store().execute(batch);

    const auto offered = [&] {
        std::set<std::int64_t> ids;
        for (const Candidate& candidate : store().candidates({buyer, GeoPoint{52, 13}, now})) ids.insert(candidate.event.value);
        return ids;
    };
    EXPECT_EQ(offered(), (std::set{given_back.value, lapsed.value, often.value}));
    now += hold;
    EXPECT_EQ(offered(), (std::set{reserved.value, given_back.value, lapsed.value, often.value})) << "its time is up";
}

}  // namespace
}  // namespace boxoffice
