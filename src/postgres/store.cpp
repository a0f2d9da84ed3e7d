#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "core/search.hpp"
#include "postgres/clock.hpp"
#include "postgres/listener.hpp"
#include "postgres/migrations.hpp"
#include "postgres/postgres.hpp"
#include "postgres/queries.hpp"
#include "postgres/rows.hpp"
#include "postgres/writer.hpp"
#include "text/text.hpp"

namespace boxoffice
{

namespace
{

using namespace postgres;

/// Queries per pipeline at most.
constexpr std::size_t kTogetherMax = 16;

class PostgresStore final : public Store
{
public:
    PostgresStore(PostgresOptions options, const Zones& zones)
        : options_(std::move(options)),
          readers_(options_, Connection::Purpose::read, {options_.readers, kTogetherMax}),
          searchers_(options_, Connection::Purpose::search, {options_.searchers, 1}),
          logins_(options_, Connection::Purpose::read, {1, kTogetherMax}),
          probe_(options_, Connection::Purpose::write)
    {
        for (unsigned i = 0; i < std::max(1U, options_.lanes); ++i) {
            writers_.push_back(std::make_unique<Writer>(options_, zones, shared_));
            free_.push_back(writers_.back().get());
        }
        probe_.connect();  // from now on the database is in use, sale or not
        (void)time();
        reindex_at_start([this](WriteJob& job) {
            WriteJob* const jobs[] = {&job};
            writers_.front()->execute(jobs);
        });
    }

    void execute(std::span<WriteJob* const> jobs) override
    {
        const PooledWriter writer(*this);
        writer->execute(jobs);
    }

    std::optional<User> find_user(UserId id) override
    {
        const Rows rows =
            readers_.ask("SELECT " BOXOFFICE_PG_USER_COLUMNS " FROM users u WHERE u.id = $1", std::move(Params().id(id)));
        if (rows.count() == 0) return std::nullopt;
        return read_user(rows, 0);
    }

    std::optional<Login> find_login(std::string_view email) override
    {
        // The exact address first: it is all that an account has whose mailbox is an older one's.
        const Rows rows = logins_.ask(
            "SELECT id, password_hash FROM (SELECT 1 AS turn, id, password_hash FROM users WHERE email_folded = $1 UNION ALL "
            "SELECT 2, id, password_hash FROM users WHERE email_key = $2 UNION ALL "
            "SELECT 3, id, password_hash FROM users WHERE email_folded = $2) found ORDER BY turn LIMIT 1",
            std::move(Params().text(std::string_view(fold_email(email))).text(std::string_view(text::address_key(email)))));
        if (rows.count() == 0) return std::nullopt;
        return Login{rows.id<UserId>(0, 0), std::string(rows.text(0, 1))};
    }

    std::optional<std::string> dearest_hash() override
    {
        const Rows rows = logins_.ask(
            "SELECT password_hash FROM users WHERE substr(password_hash, 5, 2) > '' ORDER BY substr(password_hash, 5, 2) DESC "
            "LIMIT 1");
        if (rows.count() == 0) return std::nullopt;
        return std::string(rows.text(0, 0));
    }

    std::optional<Event> find_event(EventId id) override
    {
        std::vector<Event> found = postgres::find_events(readers_, std::span(&id, 1));
        if (found.empty()) return std::nullopt;
        return std::move(found.front());
    }

    std::vector<Event> find_events(std::span<const EventId> ids) override { return postgres::find_events(readers_, ids); }
    Page<Event> list_events(const EventQuery& query) override
    {
        return postgres::list_events(is_expensive(query) ? searchers_ : readers_, lacking_, query);
    }

    std::optional<TicketView> find_ticket(TicketId id) override
    {
        const Rows rows = readers_.ask("SELECT " BOXOFFICE_PG_TICKET_COLUMNS
                                       ", e.organizer_id FROM tickets t JOIN events e ON e.id = t.event_id WHERE t.id = $1",
                                       std::move(Params().id(id)));
        if (rows.count() == 0) return std::nullopt;
        return TicketView{read_ticket(rows, 0), rows.id<UserId>(0, 8)};
    }

    Page<Ticket> list_tickets(const TicketQuery& query) override
    {
        return postgres::list_tickets(is_expensive(query) ? searchers_ : readers_, query);
    }
    Page<NearbyEvent> nearby(const NearbyQuery& query) override { return postgres::nearby(searchers_, query); }
    std::vector<Candidate> candidates(const SuggestionQuery& query) override
    {
        return postgres::candidates(searchers_, counts_, query);
    }

    std::vector<Availability> availability(std::span<const EventId> events, Instant now) override
    {
        const Rows rows = readers_.ask(
            "SELECT i.event_id, i.total - i.sold, (SELECT min(t.expires_at) FROM tickets t WHERE t.event_id = i.event_id AND "
            "t.status = 0 AND t.expires_at > $2) FROM inventory i JOIN events e ON e.id = i.event_id "
            "WHERE i.event_id = ANY($1::bigint[]) AND e.removed_at IS NULL",
            std::move(Params().ids(events).instant(now)));
        std::vector<Availability> found;
        for (int row = 0; row < rows.count(); ++row) {
            Availability one{rows.id<EventId>(row, 0), rows.integer(row, 1), std::nullopt};
            if (!rows.null(row, 2)) one.next_release_at = rows.instant(row, 2);
            found.push_back(one);
        }
        return found;
    }

    std::optional<Instant> next_deadline() override
    {
        DueFloor& floor = shared_.due_floor;
        const DueFloor::Look look = floor.begin();
        const Rows rows =
            readers_.ask("SELECT expires_at FROM tickets WHERE status = 0 AND expires_at >= $1 ORDER BY expires_at LIMIT 1",
                         std::move(Params().instant(look.from)));
        std::optional<Instant> earliest;
        if (rows.count() > 0) earliest = rows.instant(0, 0);
        floor.end(look, earliest);
        return earliest;
    }

    std::int64_t reserved_count() override
    {
        return searchers_
            .ask("SELECT count(*) FROM tickets WHERE status = 0 AND expires_at >= $1",
                 std::move(Params().instant(shared_.due_floor.from())))
            .integer(0, 0);
    }

    std::optional<Instant> latest_instant() override
    {
        const Rows rows = readers_.ask(kLatestInstant);
        if (rows.null(0, 0)) return std::nullopt;
        return rows.instant(0, 0);
    }

    void check_ready() override
    {
        // Over a connection of its own, so that it does not stand behind the questions that wait for the same server.
        const auto asked_at = std::chrono::steady_clock::now();
        const std::lock_guard lock(probing_);
        // Who came while another waited in vain has his answer: else all would wait, one timeout after the other.
        if (unready_at_ >= asked_at) throw StoreFailure(Code::storage_failed, why_unready_);
        try {
            (void)probe_.ask("SELECT 1 FROM users LIMIT 1");
        } catch (const StoreFailure& failure) {
            unready_at_ = std::chrono::steady_clock::now();
            why_unready_ = failure.what();
            throw;
        }
    }

    OutboxCounts outbox_counts() override
    {
        const Rows rows = searchers_.ask(
            "SELECT (SELECT count(*) FROM outbox WHERE dead_at IS NULL), (SELECT count(*) FROM outbox WHERE dead_at IS NOT "
            "NULL), "
            "coalesce((SELECT why FROM outbox WHERE dead_at IS NOT NULL ORDER BY dead_at DESC, id DESC LIMIT 1), "
            "(SELECT why FROM outbox WHERE dead_at IS NULL AND why IS NOT NULL ORDER BY due_at DESC, id DESC LIMIT 1), '')");
        return {rows.integer(0, 0), rows.integer(0, 1), std::string(rows.text(0, 2))};
    }

    std::size_t blocked_rows() override { return shared_.blocked.reportable(); }

    /// Asked every other second, and with it whether a backup was put in the store's place.
    std::optional<Instant> time() override
    {
        const Rows rows = readers_.ask(
            "SELECT clock_timestamp(), i.id, i.generation, i.plain_until FROM (SELECT 1) one LEFT JOIN store_identity i ON true");
        if (!rows.null(0, 1)) {
            auto read = std::make_shared<const StoreIdentity>(
                StoreIdentity{std::string(rows.text(0, 1)), rows.integer(0, 2), rows.instant(0, 3)});
            const std::lock_guard lock(identity_mutex_);
            identity_ = std::move(read);
        }
        return rows.instant(0, 0);
    }

    std::shared_ptr<const StoreIdentity> identity() override
    {
        const std::lock_guard lock(identity_mutex_);
        return identity_;
    }

    bool has_effect(const Effect& effect) override
    {
        const Rows rows = readers_.ask("SELECT kind, event_id, tickets, made_at FROM outbox WHERE id = $1",
                                       std::move(Params().integer(effect.id)));
        if (rows.count() == 0) return false;
        const std::vector<std::int64_t> tickets = rows.integers(0, 2);
        return rows.integer(0, 0) == static_cast<std::int64_t>(effect.kind) && rows.integer(0, 1) == effect.event.value &&
               rows.instant(0, 3) == effect.made_at &&
               std::equal(tickets.begin(), tickets.end(), effect.tickets.begin(), effect.tickets.end(),
                          [](std::int64_t id, TicketId ticket) { return id == ticket.value; });
    }

    std::optional<Instant> latest_time(Instant given) override
    {
        // No client waits for a disk or a standby here: after a crash a second may be missing, which is less than any hold.
        Pipeline pipeline;
        pipeline.add("BEGIN");
        pipeline.add("SET LOCAL synchronous_commit = off");
        pipeline.add("UPDATE store_clock SET latest = $1 WHERE latest < $1 - interval '1 second'",
                     std::move(Params().instant(given)));
        const std::size_t at = pipeline.add("SELECT latest FROM store_clock");
        pipeline.add("COMMIT");
        const std::lock_guard lock(probing_);
        return probe_.execute(pipeline)[at].instant(0, 0);
    }

    void listen(const std::function<void(StoreNotification)>& listener) override
    {
        listener_.reset();
        if (listener) listener_ = std::make_unique<Listener>(options_, listener);
    }

private:
    /// A writer for the time of one batch; there are as many as lanes, so no lane waits long.
    class PooledWriter
    {
    public:
        explicit PooledWriter(PostgresStore& store) : store_(store)
        {
            std::unique_lock lock(store_.mutex_);
            store_.returned_.wait(lock, [&] { return !store_.free_.empty(); });
            writer_ = store_.free_.back();
            store_.free_.pop_back();
        }
        ~PooledWriter()
        {
            {
                const std::lock_guard lock(store_.mutex_);
                store_.free_.push_back(writer_);
            }
            store_.returned_.notify_one();
        }
        PooledWriter(const PooledWriter&) = delete;
        PooledWriter& operator=(const PooledWriter&) = delete;
        Writer* operator->() const { return writer_; }

    private:
        PostgresStore& store_;
        Writer* writer_;
    };

    const PostgresOptions options_;
    postgres::SharedState shared_;
    std::vector<std::unique_ptr<Writer>> writers_;
    std::mutex mutex_;  // protects free_
    std::condition_variable returned_;
    std::vector<Writer*> free_;
    Readers readers_;
    Readers searchers_;   // for what takes long, so that it occupies none of the others
    Readers logins_;      // for signing in, which waits for no other reads
    std::mutex probing_;  // protects what follows
    Connection probe_;
    std::chrono::steady_clock::time_point unready_at_;  // when it last had no answer, and why
    std::string why_unready_;
    WordCounts counts_;
    LackingWords lacking_;
    std::unique_ptr<Listener> listener_;
    std::mutex identity_mutex_;  // protects identity_
    std::shared_ptr<const StoreIdentity> identity_ = std::make_shared<const StoreIdentity>();
};

}  // namespace

std::unique_ptr<Store> open_postgres(const PostgresOptions& options, const Zones& zones)
{
    (void)migrate_postgres(options)->up();
    return std::make_unique<PostgresStore>(options, zones);
}

}  // namespace boxoffice
