#include "cluster/cluster.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "api/token.hpp"

namespace cluster
{

using namespace std::chrono_literals;

const std::string& secret() { return blackbox::known_secret(); }

Cluster::Cluster(const Shape& shape) : environment_(shape.environment)
{
    boxoffice::shared_postgres().start();  // a test that failed may have left it down
    const std::string url = boxoffice::shared_postgres().fresh_database();
    database_ = url.substr(url.rfind('/') + 1);
    environment_.push_back("BOXOFFICE_DATABASE_URL=" + url);
    environment_.push_back("BOXOFFICE_JWT_SECRET=" + secret());
    if (shape.redis == Redis::with) {
        redis_ = std::make_unique<boxoffice::RedisServer>();
        environment_.push_back("BOXOFFICE_REDIS_URL=" + redis_->url());
    }
    std::vector<std::string> serve{"serve",          "--work",          "no", "--bcrypt-cost", "4", "--log-level", "warn",
                                   "--hold-seconds", shape.hold_seconds};
    serve.insert(serve.end(), shape.serve_flags.begin(), shape.serve_flags.end());
    for (int i = 0; i < shape.nodes; ++i) nodes_.emplace_back(home_.path(), "node" + std::to_string(i), serve, environment_);
    std::vector<std::string> work{"worker", "--log-level", "warn"};
    work.insert(work.end(), shape.work_flags.begin(), shape.work_flags.end());
    for (int i = 0; i < shape.workers; ++i) workers_.emplace_back(home_.path(), "worker" + std::to_string(i), work, environment_);
    for (Node& node : nodes_) node.launch();
    for (Node& worker : workers_) worker.launch();
    for (Node& node : nodes_) node.await_ready();
    for (Node& worker : workers_) worker.await_ready();
}

std::vector<Address> Cluster::addresses() const
{
    std::vector<Address> all;
    for (const Node& node : nodes_) all.push_back(node.address());
    return all;
}

std::string Cluster::sql(const std::string& statement) const { return boxoffice::shared_postgres().value(database_, statement); }

Cluster::Ran Cluster::run(std::vector<std::string> words) const
{
    const auto log = home_.path() / "command.log";
    std::filesystem::remove(log);
    words.insert(words.begin(), binary());
    boxoffice::Launch launch{.words = std::move(words),
                             .environment = boxoffice::environment_with(environment_, {"BOXOFFICE_", "PG"})};
    launch.folder = home_.path();
    launch.log = log;
    const int code = boxoffice::ChildProcess(launch).wait(30s);
    return {code, boxoffice::read_text(log)};
}

void Cluster::expect_healthy() const
{
    const Ran doctor = run({"doctor"});
    EXPECT_EQ(doctor.code, 0) << doctor.text;
}

void Cluster::expect_orderly_end()
{
    for (auto* const group : {&nodes_, &workers_}) {
        for (Node& node : *group) EXPECT_EQ(node.stop(), 0) << node.last_words();
    }
}

std::vector<Buyer> add_people(const Cluster& cluster, const Person& model, int count)
{
    // Every column as the model has it, but for what tells people apart; so this knows little of the schema.
    const std::string columns = cluster.sql(
        "SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = 'users' AND is_generated = 'NEVER'");
    const std::string values = cluster.sql(
        "SELECT string_agg(CASE WHEN column_name = 'id' THEN 'u.id + n' WHEN column_name LIKE 'email%' "
        "THEN '''buyer'' || n || ''@example.org''' ELSE 'u.' || quote_ident(column_name) END, ', ' ORDER BY ordinal_position) "
        "FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = 'users' AND is_generated = 'NEVER'");
    const std::string added =
        cluster.sql("WITH added AS (INSERT INTO users (" + columns + ") OVERRIDING SYSTEM VALUE SELECT " + values +
                    " FROM users u, generate_series(1, " + std::to_string(count) +
                    ") n WHERE u.id = " + std::to_string(model.id) + " RETURNING 1) SELECT count(*) FROM added");
    if (added != std::to_string(count)) throw std::runtime_error("only " + added + " people were added");
    (void)cluster.sql(
        "SELECT setval(pg_get_serial_sequence('users', 'id'), (SELECT max(id) FROM users)); ANALYZE users; SELECT 1");

    const blackbox::Token known = blackbox::take_apart(model.token());
    const auto key = blackbox::find_key(model.token(), secret());
    if (!key) throw std::runtime_error("the tokens are signed with another secret");
    std::vector<Buyer> people;
    for (std::int64_t id = model.id + 1; id <= model.id + count; ++id) {
        Json claims = known.claims;
        if (claims.at("sub").is_string()) {
            claims["sub"] = std::to_string(id);
        } else {
            claims["sub"] = id;
        }
        claims["jti"] = blackbox::fresh_word();
        people.push_back({id, blackbox::forge(known.header, claims, *key)});
    }
    return people;
}

}  // namespace cluster
