#include "store/engines.hpp"

#include "drafts.hpp"
#include "memory/memory.hpp"
#include "postgres/postgres.hpp"
#include "security/security.hpp"
#include "servers/postgres_server.hpp"
#include "sqlite/sqlite.hpp"
#include "temp_folder.hpp"

namespace boxoffice
{

namespace
{

const Zones& zones()
{
    static const std::unique_ptr<Zones> all = make_zones();
    return *all;
}

class SqliteHome final : public StoreHome
{
public:
    explicit SqliteHome(bool mails) : mails_(mails) { reopen(); }
    Store& store() override { return *store_; }
    void reopen() override
    {
        store_.reset();
        store_ =
            open_sqlite({.file = folder_.path() / "boxoffice.db", .readers = 3, .mails = mails_, .arrivals = &arrivals}, zones());
    }

private:
    TempFolder folder_;
    bool mails_;
    std::unique_ptr<Store> store_;
};

class PostgresHome final : public StoreHome
{
public:
    explicit PostgresHome(bool mails) : database_(shared_postgres().fresh_database()), mails_(mails) { reopen(); }
    Store& store() override { return *store_; }
    void reopen() override
    {
        store_.reset();
        PostgresOptions options;
        options.url = database_;
        options.arrivals = &arrivals;
        options.mails = mails_;
        store_ = open_postgres(options, zones());
    }

private:
    std::string database_;
    bool mails_;
    std::unique_ptr<Store> store_;
};

class MemoryHome final : public StoreHome
{
public:
    explicit MemoryHome(bool mails) : mails_(mails) { reopen(); }
    Store& store() override { return *store_; }
    void reopen() override { store_ = open_memory(tables_, {&arrivals, mails_}, zones()); }

private:
    std::shared_ptr<memory::Tables> tables_ = make_memory_tables();
    bool mails_;
    std::unique_ptr<Store> store_;
};

template <class Home>
Engine engine(std::string name)
{
    return {std::move(name), [] { return std::make_unique<Home>(true); }, [] { return std::make_unique<Home>(false); }};
}

}  // namespace

const std::vector<Engine>& engines()
{
    static const std::vector<Engine> all = {engine<SqliteHome>("sqlite"), engine<PostgresHome>("postgres"),
                                            engine<MemoryHome>("memory")};
    return all;
}

Outcome StoreTest::act(Act what)
{
    WriteJob job{std::move(what), {}, {}};
    WriteJob* const jobs[] = {&job};
    store().execute(jobs);
    return std::move(job.outcome);
}

std::string StoreTest::said(Act what)
{
    const Outcome outcome = act(std::move(what));
    const auto* const error = std::get_if<Error>(&outcome);
    return error ? std::string(code_word(error->code)) : "ok";
}

UserId StoreTest::person(const std::string& name)
{
    const std::string called = name.empty() ? "person" + std::to_string(++people) : name;
    return must<User>(AddUser{called + "@example.org", called, "!", {}, now}).id;
}

EventId StoreTest::event(std::int64_t total, std::function<void(EventDraft&)> change)
{
    if (organizer == UserId{}) organizer = person("organizer");
    EventDraft draft = draft_of("Jazz night", total, now + std::chrono::hours(24), std::chrono::hours(2));
    draft.venue = {"1 Main Street", {52.5, 13.4}};
    if (change) change(draft);
    return must<Event>(AddEvent{organizer, draft, now}).id;
}

}  // namespace boxoffice
