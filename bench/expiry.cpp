#include <sqlite3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

#include "client.hpp"
#include "lag.hpp"
#include "machine.hpp"
#include "scenarios.hpp"
#include "table.hpp"
#include "traffic.hpp"

namespace boxoffice::bench
{
namespace
{

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kAheadUs = 5 * kSecondUs;  // from the rewriting to the due second: time to start again and get going
constexpr double kAfterSeconds = 3;
constexpr double kLooksPerSecond = 200;
constexpr unsigned kBuyers = 8;  // connections that go on reserving
constexpr double kFillSecondsMax = 600;

/// The server's own file, opened while no server runs.
class File
{
public:
    explicit File(const std::filesystem::path& file)
    {
        sqlite3* raw = nullptr;
        const int code = sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr);
        database_.reset(raw);
        if (code != SQLITE_OK) throw std::runtime_error("opening " + file.string() + ": " + sqlite3_errstr(code));
    }

    /// Runs one statement with up to two numbers bound; returns the first column of its rows.
    std::vector<std::int64_t> run(const char* sql, std::initializer_list<std::int64_t> values)
    {
        sqlite3_stmt* raw = nullptr;
        if (sqlite3_prepare_v2(database_.get(), sql, -1, &raw, nullptr) != SQLITE_OK) fail();
        const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> statement(raw, &sqlite3_finalize);
        int at = 0;
        for (const std::int64_t value : values) sqlite3_bind_int64(raw, ++at, value);
        std::vector<std::int64_t> rows;
        int code = sqlite3_step(raw);
        for (; code == SQLITE_ROW; code = sqlite3_step(raw)) rows.push_back(sqlite3_column_int64(raw, 0));
        if (code != SQLITE_DONE) fail();
        return rows;
    }

private:
    [[noreturn]] void fail() { throw std::runtime_error(std::string("SQLite: ") + sqlite3_errmsg(database_.get())); }

    std::unique_ptr<sqlite3, decltype(&sqlite3_close)> database_{nullptr, &sqlite3_close};
};

/// Spreads the deadlines of an event's holds evenly over the second that begins at `from_us`; returns them in order.
std::vector<std::int64_t> make_due_together(const std::filesystem::path& file, std::int64_t event, std::int64_t from_us,
                                            std::int64_t holds)
{
    File store(file);
    store.run("UPDATE tickets SET expires_at = ?2 + (id % ?3) * 1000000 / ?3 WHERE event_id = ?1 AND status = 0",
              {event, from_us, holds});
    return store.run("SELECT expires_at FROM tickets WHERE event_id = ?1 AND status = 0 ORDER BY expires_at", {event});
}

class LookTraffic : public RoundTraffic
{
public:
    explicit LookTraffic(std::int64_t event)
        : RoundTraffic({compose_request("GET", "/api/v1/events/" + std::to_string(event), {}, {})}, 200)
    {
    }

    Verdict answered(std::size_t slot, const Answer& answer) override
    {
        if (const auto sold = integer_member(answer.body, "tickets_sold")) looks_.push_back({wall_us(), *sold});
        return RoundTraffic::answered(slot, answer);
    }

    [[nodiscard]] const std::vector<Look>& looks() const { return looks_; }

private:
    std::vector<Look> looks_;
};

struct Stage {
    std::vector<Person> people;
    std::int64_t falling = 0;  // the event whose holds all fall due
    std::int64_t selling = 0;  // the one that goes on selling meanwhile
};

std::vector<std::string> reservations(const Stage& stage, std::int64_t event)
{
    std::vector<std::string> requests;
    for (const Person& person : stage.people) requests.push_back(reserve_request(person, event));
    return requests;
}

Stage fill(const Options& options, const std::filesystem::path& data)
{
    ServerProcess server(program_of(options), data, serve_arguments(options.hold_seconds, 4));
    Stage stage;
    stage.people = enrol(server.port(), options.people, "buyer");
    stage.falling = create_event(server.port(), stage.people.front(), "Given back", options.holds);
    stage.selling = create_event(server.port(), stage.people.front(), "On sale", 1'000'000'000);
    RoundTraffic traffic(reservations(stage, stage.falling), 201);
    traffic.stop_after(options.holds);
    Tally tally;
    {
        Loop loop(server.port());
        loop.add(traffic, {64}, tally);
        loop.run_dry(kFillSecondsMax);
    }
    complain_of(tally);
    server.stop();
    return stage;
}

std::vector<double> run_once(const Options& options)
{
    const TemporaryFolder folder(options.folder);
    const auto data = folder.path() / "data";
    const Stage stage = fill(options, data);
    const std::int64_t due_from = wall_us() + kAheadUs;
    const auto due = make_due_together(data / "boxoffice.db", stage.falling, due_from, options.holds);
    ServerProcess server(program_of(options), data, serve_arguments(options.hold_seconds, 4));
    if (wall_us() > due_from - kSecondUs) throw std::runtime_error("the server came up too late to see the holds fall due");

    RoundTraffic buying(reservations(stage, stage.selling), 201);
    LookTraffic looking(stage.falling);
    Tally bought;
    Tally looked;
    Loop loop(server.port());
    loop.add(buying, {kBuyers}, bought);
    loop.add(looking, {1, kLooksPerSecond}, looked);
    loop.run_for(static_cast<double>(due_from - wall_us()) / 1e6);
    complain_of(bought);
    bought = Tally{};
    loop.run_for(1);  // the second in which they are due
    const Tally during = bought;
    const Resident memory = resident(server.pid());
    loop.run_for(kAfterSeconds);
    complain_of(bought);

    OutsideLags lags;
    lags.add(due, looking.looks());
    const OutsideLag outside = lags.summary();
    Client client(server.port());
    const MetricLag metric = lag_from_metrics(client.demand(200, "GET", "/metrics").body, "boxoffice_hold_release_lag_seconds");
    const Resident after = resident(server.pid());
    server.stop();
    return {static_cast<double>(due.size()),
            static_cast<double>(outside.early_most),
            static_cast<double>(outside.unreleased),
            outside.p50_ms,
            outside.p99_ms,
            outside.max_ms,
            metric.p50_ms,
            metric.p99_ms,
            metric.max_ms,
            static_cast<double>(during.good),
            during.latency.percentile_ms(0.99),
            memory.now_mb,
            after.peak_mb};
}

}  // namespace

void run_expiry(const Options& options)
{
    Table table(
        "expiry: holds due within one second while 8 connections go on reserving elsewhere (wanted: none early, p99 < 100 ms, < "
        "200 MB)",
        {{"holds"},
         {"early"},
         {"kept"},
         {"seen p50 ms", 1},
         {"seen p99 ms", 1},
         {"seen max ms", 1},
         {"own p50<=ms", 1},
         {"own p99<=ms", 1},
         {"own max<=ms", 1},
         {"reserved/s"},
         {"their p99 ms", 2},
         {"RSS MB", 1},
         {"peak MB", 1}});
    for (unsigned run = 0; run < options.repeat; ++run) table.add(run_once(options));
    table.close();
}

}  // namespace boxoffice::bench
