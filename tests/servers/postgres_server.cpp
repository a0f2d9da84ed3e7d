#include "servers/postgres_server.hpp"

#include <libpq-fe.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace boxoffice
{

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace
{

constexpr int kOldestVersion = 15;
constexpr Patience kPatience = 60s;  // a start with recovery on a loaded machine
constexpr Patience kOrphans = 5s;    // until a backend notices that its postmaster is gone
constexpr int kPortTries = 5;        // another process may take the port that was just found free
constexpr const char* kTemplate = "with_postgis";

/// Debian keeps each version's programs in a folder of its own; elsewhere they are on the PATH.
fs::path find_programs()
{
    fs::path best;
    int newest = 0;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
        const std::string name = entry.path().filename().string();
        int version = 0;
        std::from_chars(name.data(), name.data() + name.size(), version);
        if (version < kOldestVersion || version <= newest || !fs::exists(entry.path() / "bin/initdb")) continue;
        newest = version;
        best = entry.path() / "bin";
    }
    if (!best.empty()) return best;
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path != nullptr ? path : "");
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (fs::exists(fs::path(folder) / "initdb") && fs::exists(fs::path(folder) / "postgres")) return folder;
    }
    throw std::runtime_error("PostgreSQL 15 or newer is needed: install postgresql-15 and postgresql-15-postgis-3");
}

/// PostgreSQL refuses to be root.
std::optional<RunAs> find_user()
{
    if (::geteuid() != 0) return std::nullopt;
    for (const char* const name : {"postgres", "nobody"}) {
        if (const passwd* const user = ::getpwnam(name)) return RunAs{user->pw_uid, user->pw_gid};
    }
    throw std::runtime_error("PostgreSQL does not run as root, and there is neither a user postgres nor nobody");
}

bool anyone_may_enter(fs::path folder)
{
    for (;; folder = folder.parent_path()) {
        if ((fs::status(folder).permissions() & fs::perms::others_exec) == fs::perms::none) return false;
        if (folder == folder.root_path()) return true;
    }
}

fs::path make_folder(const std::optional<RunAs>& owner)
{
    fs::path above = fs::absolute(fs::temp_directory_path());
    if (owner && !anyone_may_enter(above)) above = "/tmp";
    std::string shape = (above / "boxoffice-postgres-XXXXXX").string();
    if (::mkdtemp(shape.data()) == nullptr) throw std::runtime_error("no folder can be made in " + above.string());
    if (owner && ::chown(shape.c_str(), owner->user, owner->group) != 0) throw std::runtime_error("chown of " + shape);
    return shape;
}

struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
};

}  // namespace

PostgresServer::PostgresServer(Options options) : options_(std::move(options)), programs_(find_programs()), run_as_(find_user())
{
    folder_ = make_folder(run_as_);
    try {
        make_cluster();
        for (int tries = 1; !postmaster_; ++tries) {
            port_ = free_port();
            try {
                start();
            } catch (const std::exception&) {
                if (tries == kPortTries) throw;
            }
        }
        if (!options_.follows) make_template();
    } catch (const std::exception& accident) {
        const std::string said = log();
        kill();
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
        throw std::runtime_error(std::string("PostgreSQL for a test: ") + accident.what() + "\n" + said);
    }
}

PostgresServer::~PostgresServer()
{
    try {
        stop(PostgresStop::immediate);
    } catch (const std::exception&) {
        postmaster_.reset();
    }
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

Launch PostgresServer::launch(std::vector<std::string> words) const
{
    words[0] = programs_ / words[0];
    Launch launch{.words = std::move(words), .environment = environment_with({"LC_ALL=C.UTF-8"}, {"PG", "LD_PRELOAD"})};
    launch.folder = folder_;
    launch.log = folder_ / "log";
    launch.run_as = run_as_;
    launch.death_signal = SIGQUIT;  // the postmaster then takes its children with it
    return launch;
}

void PostgresServer::make_cluster()
{
    if (options_.follows) {
        ChildProcess copy(launch({"pg_basebackup", "-D", folder_ / "data", "-d", options_.follows->url("postgres"), "-R", "-X",
                                  "stream", "--checkpoint=fast", "--no-sync"}));
        if (copy.wait(kPatience) != 0) throw std::runtime_error("pg_basebackup failed");
        return;
    }
    ChildProcess initdb(launch(
        {"initdb", "-D", folder_ / "data", "-A", "trust", "-U", "postgres", "--locale=C.UTF-8", "-E", "UTF8", "--no-sync"}));
    if (initdb.wait(kPatience) != 0) throw std::runtime_error("initdb failed");
}

void PostgresServer::start()
{
    if (postmaster_) return;
    std::vector<std::string> words{"postgres", "-D", folder_ / "data"};
    std::vector<std::string> settings{
        "listen_addresses=127.0.0.1", "port=" + std::to_string(port_), "unix_socket_directories=" + folder_.string(),
        "shared_buffers=128MB",       "max_connections=200",           options_.fsync == Fsync::on ? "fsync=on" : "fsync=off"};
    settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
    for (const std::string& setting : settings) words.insert(words.end(), {"-c", setting});
    postmaster_.emplace(launch(std::move(words)));

    const std::string at = url("postgres") + "?connect_timeout=5";
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (PQping(at.c_str()) != PQPING_OK) {
        const bool ended = postmaster_->ends_within(10ms);
        if (!ended && std::chrono::steady_clock::now() < deadline) continue;
        postmaster_.reset();
        throw std::runtime_error(ended ? "the server ended at its start" : "the server takes no connections");
    }
}

void PostgresServer::stop(PostgresStop how)
{
    if (!postmaster_) return;
    postmaster_->signal(how == PostgresStop::fast ? SIGINT : SIGQUIT);
    if (!postmaster_->ends_within(kPatience)) {
        kill();
        throw std::runtime_error("the server did not stop; it was killed");
    }
    postmaster_.reset();
}

void PostgresServer::restart(PostgresStop how)
{
    stop(how);
    start();
}

void PostgresServer::promote() { (void)value("postgres", "SELECT pg_promote(true, 60)"); }

void PostgresServer::wait_for_standby(const std::string& name)
{
    rows("postgres", "ALTER SYSTEM SET synchronous_standby_names = '" + name + "'");
    rows("postgres", "SELECT pg_reload_conf()");
    const std::string state = "SELECT coalesce(max(sync_state), '') FROM pg_stat_replication WHERE state = 'streaming'";
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (!name.empty() && value("postgres", state) != "sync") {
        if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("no standby follows");
    }
}

void PostgresServer::kill()
{
    if (!postmaster_) return;
    postmaster_->signal(SIGSTOP);  // so that it has no more children than are counted here
    const std::vector<pid_t> children = children_of(postmaster_->pid());
    postmaster_->kill_hard();
    postmaster_.reset();
    for (const pid_t child : children) {
        if (ends_within(child, kOrphans)) continue;
        ::kill(child, SIGKILL);
        if (!ends_within(child, kOrphans)) throw std::runtime_error("a backend does not end");
    }
}

std::string PostgresServer::url(const std::string& database) const
{
    return "postgresql://postgres@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

void PostgresServer::make_template()
{
    const std::string name = kTemplate;
    rows("postgres", "CREATE DATABASE " + name);
    rows(name, "CREATE EXTENSION postgis");
    rows(name, "VACUUM (FREEZE, ANALYZE)");
    rows("postgres", "ALTER DATABASE " + name + " WITH IS_TEMPLATE true ALLOW_CONNECTIONS false");
    rows("postgres", "CHECKPOINT");
}

void PostgresServer::create_database(const std::string& name)
{
    rows("postgres", "CREATE DATABASE \"" + name + "\" TEMPLATE " + kTemplate + " STRATEGY file_copy");
}

void PostgresServer::drop_database(const std::string& name)
{
    rows("postgres", "DROP DATABASE IF EXISTS \"" + name + "\" WITH (FORCE)");
}

std::string PostgresServer::fresh_database()
{
    static std::atomic<int> count = 0;
    const std::string name = "fresh_" + std::to_string(++count);
    create_database(name);
    return url(name);
}

std::vector<std::vector<std::string>> PostgresServer::rows(const std::string& database, const std::string& sql) const
{
    const std::unique_ptr<PGconn, Finish> connection(PQconnectdb(url(database).c_str()));
    if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
    PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
    const std::unique_ptr<PGresult, Finish> result(PQexec(connection.get(), sql.c_str()));
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        throw std::runtime_error(std::string(PQerrorMessage(connection.get())) + "in: " + sql.substr(0, 500));
    }
    std::vector<std::vector<std::string>> all(static_cast<std::size_t>(PQntuples(result.get())));
    for (int row = 0; row < PQntuples(result.get()); ++row) {
        for (int column = 0; column < PQnfields(result.get()); ++column)
            all[static_cast<std::size_t>(row)].emplace_back(PQgetvalue(result.get(), row, column));
    }
    return all;
}

std::string PostgresServer::value(const std::string& database, const std::string& sql) const
{
    const auto all = rows(database, sql);
    return all.empty() || all[0].empty() ? std::string() : all[0][0];
}

std::string PostgresServer::log() const { return read_text(folder_ / "log"); }

class PostgresSession::Self
{
public:
    explicit Self(const std::string& url) : connection_(PQconnectdb(url.c_str()))
    {
        if (PQstatus(connection_.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection_.get()));
    }
    void run(const std::string& sql)
    {
        const std::unique_ptr<PGresult, Finish> result(PQexec(connection_.get(), sql.c_str()));
        const ExecStatusType status = PQresultStatus(result.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            throw std::runtime_error(std::string(PQerrorMessage(connection_.get())) + "in: " + sql);
    }

private:
    std::unique_ptr<PGconn, Finish> connection_;
};

PostgresSession::PostgresSession(const PostgresServer& server, const std::string& database)
    : self_(std::make_unique<Self>(server.url(database)))
{
}
PostgresSession::~PostgresSession() = default;
void PostgresSession::run(const std::string& sql) { self_->run(sql); }

PostgresServer& shared_postgres()
{
    static PostgresServer server;
    return server;
}

}  // namespace boxoffice
