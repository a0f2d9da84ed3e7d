#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>

#include "app/for_you.hpp"
#include "core/search.hpp"
#include "demo/demo.hpp"
#include "drafts.hpp"
#include "postgres/postgres.hpp"
#include "security/security.hpp"
#include "servers/postgres_server.hpp"
#include "sqlite/sqlite.hpp"
#include "store/engines.hpp"
#include "temp_folder.hpp"

// Two stores, one answer: the same words are found in both, and the same is suggested.
namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

const Zones& zones()
{
    static const std::unique_ptr<Zones> all = make_zones();
    return *all;
}

/// A store whose rows a test can change behind its back, as a version before would have written them.
class Reopened
{
public:
    virtual ~Reopened() = default;
    virtual void sql(const std::string& text) = 0;
    virtual std::string value(const std::string& text) = 0;
    virtual void open() = 0;
    virtual std::vector<Finding> examine() = 0;
    void close() { store.reset(); }
    std::unique_ptr<Store> store;
};

class ReopenedSqlite final : public Reopened
{
public:
    ReopenedSqlite() { ReopenedSqlite::open(); }
    void sql(const std::string& text) override { (void)run(text); }
    std::string value(const std::string& text) override { return run(text); }
    void open() override { store = open_sqlite({file(), 3}, zones()); }
    std::vector<Finding> examine() override { return examine_sqlite(file(), Instant(500'000h)); }

private:
    [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "boxoffice.db"; }
    [[nodiscard]] std::string run(const std::string& text) const
    {
        sqlite3* db = nullptr;
        EXPECT_EQ(sqlite3_open(file().c_str(), &db), SQLITE_OK);
        std::string first;
        char* wrong = nullptr;
        const auto keep = [](void* to, int, char** values, char**) {
            *static_cast<std::string*>(to) = values[0] ? values[0] : "";
            return 0;
        };
        EXPECT_EQ(sqlite3_exec(db, text.c_str(), keep, &first, &wrong), SQLITE_OK) << (wrong ? wrong : "");
        sqlite3_free(wrong);
        sqlite3_close(db);
        return first;
    }
    TempFolder folder_;
};

class ReopenedPostgres final : public Reopened
{
public:
    ReopenedPostgres()
    {
        options_.url = shared_postgres().fresh_database();
        ReopenedPostgres::open();
    }
    ~ReopenedPostgres() override
    {
        close();
        shared_postgres().drop_database(database());
    }
    ReopenedPostgres(const ReopenedPostgres&) = delete;
    ReopenedPostgres& operator=(const ReopenedPostgres&) = delete;
    void sql(const std::string& text) override { (void)shared_postgres().rows(database(), text); }
    std::string value(const std::string& text) override { return shared_postgres().value(database(), text); }
    void open() override { store = open_postgres(options_, zones()); }
    std::vector<Finding> examine() override { return examine_postgres(options_, Instant(500'000h)); }

private:
    [[nodiscard]] std::string database() const { return options_.url.substr(options_.url.rfind('/') + 1); }
    PostgresOptions options_;
};

class TwoStores : public testing::Test
{
protected:
    template <class T>
    T must(Store& store, Act act)
    {
        WriteJob job{std::move(act), {}, {}};
        WriteJob* const jobs[] = {&job};
        store.execute(jobs);
        if (const auto* const error = std::get_if<Error>(&job.outcome)) ADD_FAILURE() << error->message;
        return std::get<T>(job.outcome);
    }
    template <class T>
    T both(const Act& act)
    {
        (void)must<T>(*sqlite.store, act);
        return must<T>(*postgres.store, act);
    }
    static std::vector<std::int64_t> found(Store& store, const std::string& q)
    {
        std::vector<std::int64_t> ids;
        EventQuery query;
        query.q = q;
        for (;; query.skip += query.limit) {
            const Page<Event> page = store.list_events(query);
            for (const Event& event : page.items) ids.push_back(event.id.value);
            if (query.skip + query.limit >= page.total) return ids;
        }
    }
    /// By both alike.
    std::vector<std::int64_t> found(const std::string& q)
    {
        std::vector<std::int64_t> here = found(*sqlite.store, q);
        EXPECT_EQ(here, found(*postgres.store, q)) << q;
        return here;
    }
    bool finds(const std::string& q, EventId event)
    {
        const auto ids = found(q);
        return std::find(ids.begin(), ids.end(), event.value) != ids.end();
    }

    const Instant now{500'000h};
    ReopenedSqlite sqlite;
    ReopenedPostgres postgres;
};

/// The pieces between spaces, and those alone that search engines cut differently.
std::vector<std::string> pieces_of(const std::string& text)
{
    std::vector<std::string> pieces;
    std::string piece;
    for (const char c : text + " ") {
        if (c != ' ') {
            piece += c;
        } else if (!piece.empty()) {
            pieces.push_back(std::exchange(piece, ""));
        }
    }
    return pieces;
}

TEST_F(TwoStores, FindTheSameAndEveryTextFindsItself)
{
    const UserId user = both<User>(AddUser{"a@b.co", "a", "!", {}, now}).id;
    std::vector<std::pair<EventId, std::string>> texts;
    const auto add = [&](EventDraft draft) {
        const Event event = both<Event>(AddEvent{user, std::move(draft), now});
        for (const std::string& text : {event.title, event.description, event.venue.address}) texts.emplace_back(event.id, text);
    };
    for (const char* title : {"Straßenfest STRASSENFEST",
                              "Café Zoë, naïve façade",
                              "İstanbul Işıkları",
                              "ΟΔΥΣΣΕΥΣ ὁ πολύτλας",
                              "東京国際フォーラム 2030",
                              "コンサート・ガラ",
                              "ｶﾞﾗｺﾝｻｰﾄ",
                              "คอนเสิร์ตดนตรีสด",
                              "서울 재즈 페스티벌에서",
                              "ﬁnale ﬂuch",
                              "ＦＵＬＬ ｗｉｄｔｈ １２３",
                              "Rock'n'Roll rock\u2019n\u2019roll",
                              "e-mail T-Shirt AT&T 24/7",
                              "🎉 Party 🎉",
                              "Ko\u0308nigsfest Königsfest",
                              "Łódź Øresund đ",
                              "نشید مدرسه",
                              "שָׁלוֹם עולם",
                              "मुंबई संगीत",
                              "Ёлка йод",
                              "C++ & C#",
                              "³√8 ½",
                              "a\u200bb c\u00add",
                              "x_y",
                              "ǅungla"}) {
        EventDraft draft = draft_of(title, 5, now + 24h);
        add(draft);
    }
    const auto day = std::chrono::ceil<std::chrono::days>(now);
    for (const demo::DemoEvent& event :
         demo::make_catalogue({.events = 60, .seed = 7, .first_day = std::chrono::sys_days(day)}).events)
        add(event.draft);
    ASSERT_GT(texts.size(), 200U);
    std::map<std::string, EventId> words;
    for (const auto& [event, text] : texts) {
        if (text.empty()) continue;
        const std::string made_of = words_of_event(text, "", "");
        if (made_of.empty()) {
            EXPECT_TRUE(found(text).empty()) << text;
            continue;
        }
        EXPECT_TRUE(finds(text, event)) << text;
        for (const std::string& word : pieces_of(made_of)) words.emplace(word, event);
        for (const std::string& word : pieces_of(text))
            if (!words_of_event(word, "", "").empty()) words.emplace(word, event);
    }
    EXPECT_GT(words.size(), 400U);
    for (const auto& [word, event] : words) EXPECT_TRUE(finds(word, event)) << word;
    EXPECT_TRUE(found("istanbulx").empty());
    EXPECT_TRUE(found("京東").empty());
    EXPECT_EQ(found("stras").size(), found("STRASSENF").size()) << "what is typed last need not be whole";
}

/// Two stores with events that sell, some faster than others, and buyers of whom some have been to many.
class TwoStoresInUse : public TwoStores
{
protected:
    void SetUp() override;
    std::vector<UserId> buyers;
    static constexpr std::optional<GeoPoint> kHomes[] = {std::nullopt, GeoPoint{48.2, 16.4}, GeoPoint{-33.9, 151.2}};
};

void TwoStoresInUse::SetUp()
{
    const auto day = std::chrono::ceil<std::chrono::days>(now);
    const auto catalogue = demo::make_catalogue({.events = 700, .seed = 3, .first_day = std::chrono::sys_days(day)});
    const UserId organizers[] = {both<User>(AddUser{"a@b.co", "a", "!", {}, now}).id,
                                 both<User>(AddUser{"b@b.co", "b", "!", {}, now}).id};
    std::vector<EventId> events;
    for (const demo::DemoEvent& event : catalogue.events)
        events.push_back(both<Event>(AddEvent{organizers[event.organizer % 2], event.draft, now}).id);
    for (int i = 0; i < 4; ++i)
        buyers.push_back(both<User>(AddUser{"buyer" + std::to_string(i) + "@b.co", "b", "!", {}, now}).id);
    for (std::size_t i = 0; i < 250; ++i) {
        const Reserve reserve{events[i * i % events.size()], buyers[i * i % 7 % 3], 1h, now + std::chrono::minutes(i)};
        if (catalogue.events[i * i % events.size()].draft.total_tickets > 50) (void)both<Ticket>(reserve);
    }
}

TEST_F(TwoStoresInUse, SuggestTheSame)
{
    const auto candidates = [&](Store& store, const SuggestionQuery& query) {
        auto found = store.candidates(query);
        std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) { return a.event < b.event; });
        return found;
    };
    int alike = 0;
    for (const UserId buyer : buyers) {
        for (const auto& home : kHomes) {
            const SuggestionQuery query{buyer, home, now + 6h};
            const auto here = candidates(*sqlite.store, query);
            const auto there = candidates(*postgres.store, query);
            ASSERT_EQ(here.size(), there.size());
            EXPECT_GT(here.size(), 400U);
            for (std::size_t i = 0; i < here.size(); ++i) {
                ASSERT_EQ(here[i].event, there[i].event);
                EXPECT_EQ(here[i].start_time, there[i].start_time);
                EXPECT_EQ(here[i].distance_m, there[i].distance_m);
                EXPECT_EQ(here[i].likeness, there[i].likeness);
                EXPECT_EQ(here[i].share_sold, there[i].share_sold);
                EXPECT_EQ(here[i].pace, there[i].pace);
                if (here[i].likeness > 0.5) ++alike;
            }
        }
    }
    EXPECT_GT(alike, 10);
}

TEST_F(TwoStoresInUse, RecommendTheSameWhenAskedWithinAMinute)
{
    const auto recommended = [](Store& store, const SuggestionQuery& query) {
        return ForYou(store).recommended(query, 0, 2000).items;
    };
    for (const UserId buyer : buyers) {
        for (const auto& home : kHomes) {
            // The second is asked 59 seconds after the first.
            const auto here = recommended(*sqlite.store, {buyer, home, now + 3h});
            const auto there = recommended(*postgres.store, {buyer, home, now + 3h + 59s});
            ASSERT_EQ(here.size(), there.size());
            EXPECT_GT(here.size(), 400U);
            for (std::size_t i = 0; i < here.size(); ++i) {
                ASSERT_EQ(here[i].event.id, there[i].event.id) << i;
                EXPECT_EQ(here[i].score, there[i].score);
                EXPECT_EQ(here[i].reasons, there[i].reasons);
                EXPECT_EQ(here[i].distance_m, there[i].distance_m);
            }
        }
    }
}

TEST_F(TwoStores, FindWhatAVersionBeforeHasWrittenAndMakeItsWords)
{
    const UserId user = both<User>(AddUser{"a@b.co", "a", "!", {}, now}).id;
    const auto titled = [&](const char* title) { return both<Event>(AddEvent{user, draft_of(title, 5, now + 24h), now}).id; };
    const EventId concert = titled("Jazz 東京");
    const EventId other = titled("Blues");
    const EventId removed = titled("Jazz gone");
    (void)both<Done>(RemoveEvent{removed, user, now});
    for (Reopened* const home : {static_cast<Reopened*>(&sqlite), static_cast<Reopened*>(&postgres)}) {
        home->close();
        home->sql("UPDATE events SET words_version = NULL WHERE id = 1");
        home->sql("UPDATE events SET words_version = 1 WHERE id = 2");
    }
    sqlite.sql("DELETE FROM event_tokens");
    postgres.sql("UPDATE events SET words_of = NULL, tokens = NULL WHERE id = 1");
    sqlite.open();
    postgres.open();
    EXPECT_EQ(found("jazz"), std::vector{concert.value});
    EXPECT_EQ(found("京"), std::vector{concert.value});
    EXPECT_EQ(found("blues"), std::vector{other.value});
    EXPECT_EQ(sqlite.value("SELECT count(*) FROM events WHERE removed_at IS NULL AND words_version < 1000"), "0");
    EXPECT_EQ(postgres.value("SELECT count(*) FROM events WHERE removed_at IS NULL AND words_version < 1000"), "0");

    // A node of the version before, beside this one: it knows nothing of our columns.
    postgres.sql("UPDATE events SET title = 'Swing night', updated_at = now() WHERE id = 2");
    EXPECT_TRUE(must<Done>(*postgres.store, Reindex{1}).more);
    EXPECT_FALSE(must<Done>(*postgres.store, Reindex{1}).more);
    EXPECT_EQ(found(*postgres.store, "swing"), std::vector{other.value});
    EXPECT_EQ(found(*postgres.store, "blues"), std::vector<std::int64_t>{});
    EXPECT_EQ(found(*postgres.store, "nig"), std::vector{other.value});
}

TEST_F(TwoStores, FindWhatHasNoWordsYetInTheIndexOfBefore)
{
    (void)both<User>(AddUser{"a@b.co", "a", "!", {}, now});
    postgres.close();
    // More than get their words at the start; the last is the one that is looked for.
    postgres.sql(
        "INSERT INTO events (organizer_id, start_time, end_time, latitude, longitude, created_at, updated_at, timezone, title, "
        "venue_address, description) SELECT 1, now(), now() + interval '1 h', 0, 0, now(), now(), 'UTC', CASE WHEN n = 2100 THEN "
        "'Jazz am See' ELSE 'x' END, 'y', '' FROM generate_series(1, 2100) n ORDER BY n");
    postgres.sql("INSERT INTO inventory (event_id, total, paced_at) SELECT id, 1, now() FROM events");
    postgres.open();
    EXPECT_EQ(postgres.value("SELECT count(*) FROM events WHERE words_of IS NULL"), "100");
    EXPECT_EQ(found(*postgres.store, "see JAZZ").size(), 1U);
    EXPECT_EQ(found(*postgres.store, "x").size(), 2099U);
    while (must<Done>(*postgres.store, Reindex{50}).more) {}
    EXPECT_EQ(postgres.value("SELECT count(*) FROM events WHERE words_of IS NULL"), "0");
    EXPECT_EQ(found(*postgres.store, "see jaz").size(), 1U);
}

TEST_F(TwoStores, MakeTheWordsOfLongTextsAFewAtATime)
{
    constexpr std::int64_t kEvents = 40;
    const UserId user = both<User>(AddUser{"a@b.co", "a", "!", {}, now}).id;
    EventDraft draft = draft_of("Jazz", 5, now + 24h);
    while (draft.description.size() < 4'900) draft.description += "all night long ";
    for (std::int64_t i = 0; i < kEvents; ++i) (void)both<Event>(AddEvent{user, draft, now});
    sqlite.sql("UPDATE events SET words_version = NULL");
    postgres.sql("UPDATE events SET words_version = NULL, words_of = NULL");
    for (Reopened* const home : {static_cast<Reopened*>(&sqlite), static_cast<Reopened*>(&postgres)}) {
        const auto left = [home] { return std::stoll(home->value("SELECT count(*) FROM events WHERE words_version IS NULL")); };
        EXPECT_TRUE(must<Done>(*home->store, Reindex{kReindexedAtOnce}).more);
        EXPECT_GT(left(), kEvents / 2) << "sales wait for each step";
        EXPECT_LT(left(), kEvents);
        while (must<Done>(*home->store, Reindex{kReindexedAtOnce}).more) {}
        EXPECT_EQ(left(), 0);
    }
    EXPECT_EQ(found("night jaz").size(), static_cast<std::size_t>(kEvents));
}

TEST_F(TwoStores, GiveAMailboxToItsOldestAccountAndLeaveTheOthersTheirAddress)
{
    for (Reopened* const home : {static_cast<Reopened*>(&sqlite), static_cast<Reopened*>(&postgres)}) {
        const auto id_of = [&](const char* email) -> std::int64_t {
            const auto login = home->store->find_login(email);
            return login ? login->user.value : 0;
        };
        const auto add = [&](const std::string& email) {
            return must<User>(*home->store, AddUser{email, "a", "!", {}, now}).id.value;
        };
        const auto said = [&](const std::string& email) {
            WriteJob job{AddUser{email, "a", "!", {}, now}, {}, {}};
            WriteJob* const jobs[] = {&job};
            home->store->execute(jobs);
            const auto* const error = std::get_if<Error>(&job.outcome);
            return error ? std::string(code_word(error->code)) : "ok";
        };
        const auto ascii = add("Ada@xn--bcher-kva.example");
        EXPECT_EQ(said("ada@bücher.example"), "email_taken");
        EXPECT_EQ(id_of("ada@BÜCHER.example"), ascii);
        const auto first = add("b@münchen.example");
        EXPECT_EQ(said("B@MÜNCHEN.example"), "email_taken");
        EXPECT_EQ(said("b@mu\u0308nchen.example"), "email_taken");
        EXPECT_EQ(id_of("B@xn--mnchen-3ya.example"), first);
        // As the version before has let them register.
        const auto old = add("c@b.co");
        const auto younger = add("d@b.co");
        const auto youngest = add("e@b.co");
        const auto typed = add("f@b.co");
        const auto in_ascii = add("f@xn--kln-sna.example");
        home->close();
        const auto was = [&](std::int64_t id, const std::string& email) {
            home->sql("UPDATE users SET email = '" + email + "', email_folded = '" + email +
                      "', email_key = NULL WHERE id = " + std::to_string(id));
        };
        was(old, "c@KÖLN.example");
        was(younger, "c@köln.example");
        was(youngest, "ada@bücher.example");
        was(typed, "f@köln.example");
        home->sql("UPDATE users SET email_key = NULL WHERE id = " + std::to_string(in_ascii));
        home->open();
        EXPECT_EQ(id_of("f@KÖLN.example"), typed) << "the older one, although the other is in ASCII";
        EXPECT_EQ(id_of("f@xn--kln-sna.example"), in_ascii) << "by its exact address";
        EXPECT_EQ(said("F@köln.EXAMPLE"), "email_taken");
        EXPECT_EQ(id_of("c@KÖLN.example"), old);
        EXPECT_EQ(id_of("c@köln.example"), younger) << "by its exact address";
        EXPECT_EQ(id_of("C@xn--kln-sna.example"), old) << "the mailbox is the oldest's";
        EXPECT_EQ(id_of("ada@bücher.example"), youngest);
        EXPECT_EQ(id_of("ada@Bücher.example"), youngest) << "but for ASCII's case";
        EXPECT_EQ(id_of("ada@xn--bcher-kva.example"), ascii);
        EXPECT_EQ(said("C@xn--kln-sna.example"), "email_taken");
        std::string told;
        for (const Finding& finding : home->examine())
            if (finding.what == "mailboxes") told = finding.detail;
        EXPECT_NE(told.find("account " + std::to_string(younger) + " (c@köln.example) has the mailbox of account " +
                            std::to_string(old)),
                  told.npos)
            << told;
        EXPECT_NE(told.find("account " + std::to_string(youngest) + " (ada@bücher.example)"), told.npos) << told;
        EXPECT_NE(told.find("account " + std::to_string(in_ascii) + " (f@xn--kln-sna.example)"), told.npos) << told;
    }
}

}  // namespace
}  // namespace boxoffice
