#include "core/search.hpp"
#include "sqlite/explain.hpp"
#include "sqlite/identity.hpp"
#include "sqlite/migrations.hpp"
#include "sqlite/reader.hpp"
#include "sqlite/rows.hpp"
#include "sqlite/sqlite.hpp"
#include "sqlite/writer.hpp"
#include "sqlite/writer_lock.hpp"
#include "text/text.hpp"

namespace boxoffice
{

namespace
{

using namespace sqlite;

std::shared_ptr<const StoreIdentity> identity_of(const std::filesystem::path& file)
{
    Connection db(file, Access::read_only);
    return std::make_shared<const StoreIdentity>(read_identity(db));
}

std::vector<Place> load(const std::filesystem::path& file)
{
    Connection db(file, Access::read_only);
    return load_places(db);
}

/// Applies what is pending before the first read.
void migrate(const std::filesystem::path& file) { SqliteMigrator(file).up(); }

class SqliteStore final : public Store
{
public:
    SqliteStore(const SqliteOptions& options, const Zones& zones)
        : lock_(options.file),
          identity_(identity_of(options.file)),
          places_([file = options.file] { return load(file); }),
          writer_(options, places_, zones, gate_),
          readers_(options.file, options.readers, gate_)
    {
        reindex_at_start([this](WriteJob& job) {
            WriteJob* const jobs[] = {&job};
            writer_.execute(jobs);
        });
    }

    void execute(std::span<WriteJob* const> jobs) override { writer_.execute(jobs); }
    void idle() override { writer_.idle(); }

    std::optional<User> find_user(UserId id) override
    {
        const Readers::PooledReader db(readers_);
        Rows rows = db->query("SELECT " BOXOFFICE_USER_COLUMNS " FROM users u WHERE u.id = ?1", id);
        if (!rows.next()) return std::nullopt;
        return read_user(rows);
    }

    std::optional<Login> find_login(std::string_view email) override
    {
        // The exact address first: it is all that an account has whose mailbox is an older one's.
        const std::string folded = fold_email(email);
        const std::string key = text::address_key(email);
        const Readers::PooledReader db(readers_);
        Rows rows = db->query(
            "SELECT id, password_hash FROM users WHERE email_folded = ?1 UNION ALL "
            "SELECT id, password_hash FROM users WHERE email_key = ?2 UNION ALL "
            "SELECT id, password_hash FROM users WHERE email_folded = ?2",
            folded, key);
        if (!rows.next()) return std::nullopt;
        return Login{UserId{rows.integer(0)}, std::string(rows.text(1))};
    }

    std::optional<std::string> dearest_hash() override
    {
        const Readers::PooledReader db(readers_);
        Rows rows = db->query(
            "SELECT password_hash FROM users WHERE substr(password_hash, 5, 2) > '' ORDER BY substr(password_hash, 5, 2) DESC "
            "LIMIT 1");
        if (!rows.next()) return std::nullopt;
        return std::string(rows.text(0));
    }

    std::optional<Event> find_event(EventId id) override
    {
        const Readers::PooledReader db(readers_);
        std::vector<Event> found = sqlite::find_events(*db, std::span(&id, 1));
        if (found.empty()) return std::nullopt;
        return std::move(found.front());
    }

    std::vector<Event> find_events(std::span<const EventId> ids) override
    {
        const Readers::PooledReader db(readers_);
        const Snapshot snapshot(*db);
        return sqlite::find_events(*db, ids);
    }

    Page<Event> list_events(const EventQuery& query) override
    {
        const Readers::PooledReader db(readers_);
        const std::uint64_t before = writer_.catalogue_version();
        const Snapshot snapshot(*db);
        {
            Rows rows = db->query("SELECT 1 FROM events LIMIT 1");  // a snapshot begins with its first read
            rows.next();
        }
        const std::uint64_t version = writer_.catalogue_version();
        const bool is_of_snapshot = before == version && Writer::is_stable(version);
        return sqlite::list_events(*db, query, counts_, is_of_snapshot ? std::optional(version) : std::nullopt,
                                   writer_.lacks_words());
    }

    std::optional<TicketView> find_ticket(TicketId id) override
    {
        const Readers::PooledReader db(readers_);
        Rows rows = db->query("SELECT " BOXOFFICE_TICKET_COLUMNS
                              ", e.organizer_id FROM tickets t JOIN events e ON e.id = t.event_id WHERE t.id = ?1",
                              id);
        if (!rows.next()) return std::nullopt;
        return TicketView{read_ticket(rows), UserId{rows.integer(8)}};
    }

    Page<Ticket> list_tickets(const TicketQuery& query) override
    {
        const Readers::PooledReader db(readers_);
        const Snapshot snapshot(*db);
        return sqlite::list_tickets(*db, query);
    }

    Page<NearbyEvent> nearby(const NearbyQuery& query) override
    {
        const Page<Found> found = places_.near(query);
        std::vector<EventId> ids;
        ids.reserve(found.items.size());
        for (const Found& one : found.items) ids.push_back(one.event);
        Page<NearbyEvent> page;
        page.total = found.total;
        page.more = found.more;
        auto next = found.items.begin();
        for (Event& event : find_events(ids)) {
            while (next->event != event.id) ++next;  // one that was removed since it was found
            page.items.push_back({std::move(event), next->distance_m});
        }
        page.total -= static_cast<std::int64_t>(ids.size() - page.items.size());
        return page;
    }

    std::vector<Candidate> candidates(const SuggestionQuery& query) override
    {
        const Taste taste = [&] {
            const Readers::PooledReader db(readers_);
            const Snapshot snapshot(*db);
            return taste_of(*db, query.user, query.now);
        }();
        return places_.candidates(query, taste.weights, taste.organizers, taste.held);
    }

    std::vector<Availability> availability(std::span<const EventId> events, Instant now) override
    {
        const Readers::PooledReader db(readers_);
        const Snapshot snapshot(*db);
        return sqlite::availability(*db, events, now);
    }

    OutboxCounts outbox_counts() override
    {
        const Readers::PooledReader db(readers_);
        const Snapshot snapshot(*db);
        return sqlite::outbox_counts(*db);
    }

    std::optional<Instant> next_deadline() override
    {
        const Readers::PooledReader db(readers_);
        Rows rows = db->query("SELECT expires_at FROM tickets WHERE status = 0 ORDER BY expires_at LIMIT 1");
        if (!rows.next()) return std::nullopt;
        return rows.instant(0);
    }

    std::int64_t reserved_count() override { return writer_.reserved(); }

    std::optional<Instant> latest_instant() override
    {
        const Readers::PooledReader db(readers_);
        return sqlite::latest_instant(*db);
    }

    std::shared_ptr<const StoreIdentity> identity() override { return identity_; }

    void check_ready() override
    {
        writer_.check_ready();
        const Readers::PooledReader db(readers_);
        Rows rows = db->query("SELECT 1 FROM users LIMIT 1");
        rows.next();
    }

    Upkeep upkeep() override
    {
        const LogKeeper& log = writer_.log();
        return {log.bytes(), log.failures(), log.worry()};
    }

    bool has_effect(const Effect& effect) override
    {
        const Readers::PooledReader db(readers_);
        Rows rows = db->query("SELECT kind, event_id, tickets, made_at FROM outbox WHERE id = ?1", effect.id);
        return rows.next() && rows.integer(0) == static_cast<int>(effect.kind) && rows.integer(1) == effect.event.value &&
               tickets_of(rows.text(2)) == effect.tickets && rows.instant(3) == effect.made_at;
    }

private:
    WriterLock lock_;
    const std::shared_ptr<const StoreIdentity> identity_;  // a restore needs the lock, too
    ReadGate gate_;
    Places places_;
    Writer writer_;
    Readers readers_;
    CountCache counts_;
};

}  // namespace

std::unique_ptr<Store> open_sqlite(const SqliteOptions& options, const Zones& zones)
{
    migrate(options.file);
    return explained(options.file, [&] { return std::make_unique<SqliteStore>(options, zones); });
}

}  // namespace boxoffice
