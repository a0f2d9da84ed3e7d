#include "postgres/connection.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <optional>

#include "postgres/use.hpp"

namespace boxoffice::postgres
{

namespace
{

/// Beyond the server's own statement_timeout: it, or the way to it, is not there any more.
constexpr std::chrono::seconds kSilenceMax{10};

/// Of a lane's session: longer than an ordinary batch elsewhere keeps a row. A session that keeps it longer is looked for
/// (Writer), so that the other acts of the lane go on.
constexpr Micros kLanePatience = std::chrono::milliseconds(150);

/// For sessions that write. Their plans do not depend on a batch's values. By the keepalives a server learns that its client's
/// machine is gone in the midst of a pipeline, when it counts no silence; they mean nothing to a Unix socket.
constexpr std::string_view kWriterSettings =
    "; SET plan_cache_mode = force_generic_plan; SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; "
    "SET tcp_keepalives_count = 3; SET idle_in_transaction_session_timeout = ";

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

Code code_of(std::string_view state)
{
    if (state == "53100") return Code::storage_full;                                         // disk_full
    if (state.starts_with("53") || state == "57014" || state == "55P03") return Code::busy;  // resources, timeouts
    if (state.starts_with("40") || state == "BX001") return Code::busy;
    return Code::internal;
}

/// The server ended the session (25P03: we were silent for too long), or will not do what a store must do: another is needed.
bool ends_session(std::string_view state)
{
    return state.starts_with("57P") || state.starts_with("08") || state == "25006" || state == "25P03";
}

/// Told by its untranslated severity. To commit outside of a transaction (25P01) and the like are no matter of durability.
void note_warning(void* warned, const PGresult* notice)
{
    const char* const severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char* const state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
    if (severity && state && std::string_view(severity) == "WARNING" && std::string_view(state) == "01000")
        *static_cast<bool*>(warned) = true;
}

std::uint64_t big_endian(const char* bytes, int size)
{
    std::uint64_t value = 0;
    for (int i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
}

}  // namespace

Refused::Refused(std::string_view state, const std::string& message)
    : StoreFailure(code_of(state), fmt::format("{} ({})", message, state))
{
    std::copy_n(state.begin(), std::min(state.size(), kStateChars), state_.begin());
}

bool Refused::transient() const noexcept
{
    // serialization_failure, deadlock_detected, lock_not_available; unique_violation and BX001: another transaction was
    // faster, and its rows are among the facts of the next try.
    constexpr std::string_view kTransient[] = {"40001", "40P01", "55P03", "23505", "BX001"};
    return std::find(std::begin(kTransient), std::end(kTransient), state()) != std::end(kTransient);
}

std::int64_t Rows::integer(int row, int column) const
{
    const char* const bytes = PQgetvalue(result_.get(), row, column);
    switch (PQgetlength(result_.get(), row, column)) {
        case 2:
            return static_cast<std::int16_t>(big_endian(bytes, 2));
        case 4:
            return static_cast<std::int32_t>(big_endian(bytes, 4));
        default:
            return static_cast<std::int64_t>(big_endian(bytes, 8));
    }
}

double Rows::real(int row, int column) const
{
    return std::bit_cast<double>(big_endian(PQgetvalue(result_.get(), row, column), 8));
}

std::string_view Rows::text(int row, int column) const
{
    return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::vector<std::int64_t> Rows::integers(int row, int column) const
{
    const char* at = PQgetvalue(result_.get(), row, column);
    std::vector<std::int64_t> values;
    if (big_endian(at, 4) == 0) return values;  // no dimension: empty
    const auto size = big_endian(at + 12, 4);
    at += 20;
    for (std::uint64_t i = 0; i < size; ++i, at += 12) values.push_back(static_cast<std::int64_t>(big_endian(at + 4, 8)));
    return values;
}

std::size_t Pipeline::add(std::string_view sql, Params params)
{
    statements_.push_back({sql, std::move(params)});
    return statements_.size() - 1;
}

void Pipeline::append(const Pipeline& other)
{
    statements_.insert(statements_.end(), other.statements_.begin(), other.statements_.end());
}

void Connection::drop()
{
    session_.reset();
    prepared_.clear();
}

void Connection::lost(const std::string& doing)
{
    const std::string why = session_ ? first_line(PQerrorMessage(session_.get())) : std::string();
    drop();
    throw Gone(why.empty() ? doing : fmt::format("{}: {}", doing, why));
}

void Connection::connect()
{
    if (session_ && PQstatus(session_.get()) == CONNECTION_OK) return;
    drop();
    const std::string timeout = std::to_string(std::max<std::int64_t>(2, options_.connect_timeout / std::chrono::seconds(1)));
    // The URL is expanded first and what follows overrides it, but for what an operator may want otherwise.
    // The keepalives tell a session that only listens that its server's machine is gone.
    const std::pair<const char*, const char*> settings[] = {{"target_session_attrs", "read-write"},
                                                            {"application_name", "boxoffice"},
                                                            {"tcp_user_timeout", "15000"},
                                                            {"keepalives_idle", "10"},
                                                            {"keepalives_interval", "5"},
                                                            {"keepalives_count", "3"},
                                                            {"dbname", options_.url.c_str()},
                                                            {"connect_timeout", timeout.c_str()},
                                                            {"client_encoding", "UTF8"},
                                                            {nullptr, nullptr}};
    const char* names[std::size(settings)];
    const char* values[std::size(settings)];
    for (std::size_t i = 0; i < std::size(settings); ++i) std::tie(names[i], values[i]) = settings[i];
    session_.reset(PQconnectdbParams(names, values, 1));
    if (!session_ || PQstatus(session_.get()) != CONNECTION_OK) lost("PostgreSQL cannot be reached");
    if (PQserverVersion(session_.get()) < 150'000) {
        const int version = PQserverVersion(session_.get()) / 10'000;
        drop();
        throw StoreFailure(Code::storage_failed, fmt::format("PostgreSQL {} is too old; boxoffice needs 15 or newer", version));
    }
    PQsetNoticeReceiver(session_.get(), &note_warning, &warned_);
    const auto ms = [](Micros span) { return std::chrono::ceil<std::chrono::milliseconds>(span).count(); };
    // Compiling a query to machine code costs more than any of these queries.
    std::string settings_of_ours = fmt::format(
        "SET lock_timeout = {}; SET statement_timeout = {}; SET jit = off; SET TimeZone = 'UTC'; "
        "SET default_transaction_isolation = 'read committed'",
        ms(purpose_ == Purpose::write ? std::min(options_.lock_timeout, kLanePatience) : options_.lock_timeout),
        ms(statement_timeout()));
    if (purpose_ == Purpose::write)
        settings_of_ours.append(kWriterSettings).append(std::to_string(ms(options_.transaction_silence_max)));
    script(settings_of_ours);
    if (purpose_ == Purpose::write) share_use();
    if (PQsetnonblocking(session_.get(), 1) != 0 || PQenterPipelineMode(session_.get()) != 1) lost("a session cannot be set up");
    planned_at_ = std::chrono::steady_clock::now();
}

void Connection::share_use()
{
    const Rows held(PQexec(session_.get(), std::string(kShareUse).c_str()));
    if (PQresultStatus(held.raw()) != PGRES_TUPLES_OK) lost("the use of the database cannot be shared");
    if (*PQgetvalue(held.raw(), 0, 0) == 't') return;
    drop();
    throw StoreFailure(Code::busy,
                       "A copy into this database, or a migration that is undone, is under way; nobody may use it meanwhile.",
                       StoreFailure::Outcome::unavailable);
}

const std::string& Connection::name_of(std::string_view sql, const Params& params, std::vector<Sent>& sent, std::size_t index)
{
    const auto [at, added] = prepared_.try_emplace(std::string(sql));
    Prepared& prepared = at->second;
    if (added) prepared.name = "s" + std::to_string(prepared_.size());
    if (!prepared.ready) {
        const std::string text(sql);
        const std::vector<Oid> types(params.types().begin(), params.types().end());
        if (PQsendPrepare(session_.get(), prepared.name.c_str(), text.c_str(), static_cast<int>(types.size()), types.data()) != 1)
            lost("a statement cannot be sent");
        sent.push_back({Sent::What::preparation, index});
        prepared.ready = true;  // for the rest of the pipeline; taken back if the server refuses
    }
    return prepared.name;
}

void Connection::pump()
{
    const auto patience = patience_.value_or(statement_timeout() + kSilenceMax);
    pollfd watched{PQsocket(session_.get()), POLLIN, 0};
    const int unsent = PQflush(session_.get());
    if (unsent < 0) lost("the connection to PostgreSQL was lost");
    if (unsent > 0) watched.events |= POLLOUT;
    const int ready = ::poll(&watched, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(patience).count()));
    if (ready < 0 && errno != EINTR) lost("the connection to PostgreSQL was lost");
    if (ready == 0) {
        drop();
        throw Gone("PostgreSQL does not answer any more");
    }
    if ((watched.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && PQconsumeInput(session_.get()) != 1)
        lost("the connection to PostgreSQL was lost");
}

PGresult* Connection::next_result()
{
    // PQgetResult blocks while PQisBusy says so, and does not flush what is still to be sent.
    while (PQisBusy(session_.get()) != 0) pump();
    return PQgetResult(session_.get());
}

void Connection::discard_old_plans(std::vector<Sent>& sent)
{
    const auto now = std::chrono::steady_clock::now();
    if (now - planned_at_ < options_.plans_for || PQtransactionStatus(session_.get()) != PQTRANS_IDLE) return;
    if (PQsendQueryParams(session_.get(), "DISCARD PLANS", 0, nullptr, nullptr, nullptr, nullptr, 1) != 1)
        lost("a statement cannot be sent");
    sent.push_back({Sent::What::upkeep, 0});
    planned_at_ = now;
}

void Connection::send(const Pipeline& pipeline, std::vector<Sent>& sent)
{
    discard_old_plans(sent);
    for (std::size_t i = 0; i < pipeline.statements_.size(); ++i) {
        const auto& statement = pipeline.statements_[i];
        const std::string& name = name_of(statement.sql, statement.params, sent, i);
        const Params::Raw raw = statement.params.raw();
        if (PQsendQueryPrepared(session_.get(), name.c_str(), static_cast<int>(raw.values.size()), raw.values.data(),
                                raw.lengths.data(), raw.formats.data(), 1) != 1)
            lost("a statement cannot be sent");
        sent.push_back({Sent::What::statement, i});
    }
    if (PQpipelineSync(session_.get()) != 1) lost("a pipeline cannot be sent");
}

void Connection::take(PGresult* result, const Sent& was, const Pipeline& pipeline, std::vector<Rows>& rows,
                      std::optional<Refused>& refused)
{
    Rows held(result);
    const auto status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        if (was.what == Sent::What::statement) rows.push_back(std::move(held));
        return;
    }
    if (was.what == Sent::What::preparation) prepared_.at(std::string(pipeline.statements_[was.statement].sql)).ready = false;
    if (status == PGRES_PIPELINE_ABORTED) return;
    const char* const field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const std::string state = field ? field : "";
    const char* const message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (state.empty() || ends_session(state)) {
        const std::string why = message ? message : first_line(PQresultErrorMessage(result));
        drop();
        throw Gone("PostgreSQL ended the session: " + why);
    }
    if (!refused) refused.emplace(state, message ? message : "refused");
}

std::vector<Rows> Connection::execute(const Pipeline& pipeline)
{
    connect();
    warned_ = false;
    std::vector<Sent> sent;
    sent.reserve(pipeline.size() + 4);
    send(pipeline, sent);
    std::vector<Rows> rows;
    rows.reserve(pipeline.size());
    std::optional<Refused> refused;
    for (std::size_t at = 0;;) {
        PGresult* const result = next_result();
        if (!result) {  // the end of one statement's results, or of everything
            if (PQstatus(session_.get()) != CONNECTION_OK) lost("the connection to PostgreSQL was lost");
            continue;
        }
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            break;
        }
        const Sent was = at < sent.size() ? sent[at] : Sent{Sent::What::statement, 0};
        ++at;
        take(result, was, pipeline, rows, refused);
    }
    if (refused) {
        roll_back_if_open();
        throw Refused(*refused);
    }
    return rows;
}

void Connection::roll_back_if_open()
{
    if (PQtransactionStatus(session_.get()) == PQTRANS_IDLE) return;
    static constexpr std::string_view kRollback = "ROLLBACK";
    Pipeline back;
    back.add(kRollback);
    execute(back);
}

Rows Connection::ask(std::string_view sql, Params params)
{
    Pipeline pipeline;
    pipeline.add(sql, std::move(params));
    std::vector<Rows> rows = execute(pipeline);
    return std::move(rows.front());
}

void Connection::script(const std::string& sql)
{
    const bool pipelined = session_ && PQpipelineStatus(session_.get()) != PQ_PIPELINE_OFF;
    if (pipelined && (PQexitPipelineMode(session_.get()) != 1 || PQsetnonblocking(session_.get(), 0) != 0))
        lost("a script cannot be sent");
    const Rows held(PQexec(session_.get(), sql.c_str()));
    PGresult* const result = held.raw();
    const auto status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        const char* const message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        if (!state || ends_session(state)) lost("the connection to PostgreSQL was lost");
        const std::string code = state;
        const std::string said = message ? message : "refused";
        if (PQtransactionStatus(session_.get()) != PQTRANS_IDLE) PQclear(PQexec(session_.get(), "ROLLBACK"));
        if (pipelined && (PQsetnonblocking(session_.get(), 1) != 0 || PQenterPipelineMode(session_.get()) != 1)) drop();
        throw Refused(code, said);
    }
    if (pipelined && (PQsetnonblocking(session_.get(), 1) != 0 || PQenterPipelineMode(session_.get()) != 1))
        lost("a session cannot be set up");
}

bool Connection::wait_for_notification(int wake, std::string& payload)
{
    const auto take = [&] {
        PGnotify* const notification = PQnotifies(session_.get());
        if (!notification) return false;
        payload = notification->extra;
        PQfreemem(notification);
        return true;
    };
    if (take()) return true;
    pollfd watched[2] = {{PQsocket(session_.get()), POLLIN, 0}, {wake, POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0 && errno != EINTR) lost("the connection to PostgreSQL was lost");
    if (watched[0].revents != 0 && PQconsumeInput(session_.get()) != 1) lost("the connection to PostgreSQL was lost");
    return take();
}

}  // namespace boxoffice::postgres
