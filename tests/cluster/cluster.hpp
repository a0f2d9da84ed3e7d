#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/scene.hpp"
#include "cluster/node.hpp"
#include "servers/postgres_server.hpp"
#include "servers/redis_server.hpp"

/// Several real servers and workers over one real PostgreSQL and one real Redis, all on this machine and all of a test's own.
namespace cluster
{

using blackbox::Answer;
using blackbox::Caller;
using blackbox::Json;
using blackbox::Person;

enum class Redis : std::uint8_t { with, without };

struct Shape {
    int nodes = 3;
    int workers = 2;
    Redis redis = Redis::with;
    std::string hold_seconds = "120";
    std::vector<std::string> serve_flags{};  // for the nodes only
    std::vector<std::string> work_flags{};   // for the workers only
    std::vector<std::string> environment{"BOXOFFICE_RATE_LIMIT=off"};
};

class Cluster
{
public:
    /// Over an empty database of its own in shared_postgres(). Launches all at once and returns when all are ready.
    explicit Cluster(const Shape& shape = {});
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    [[nodiscard]] Node& node(std::size_t i) { return nodes_.at(i); }
    [[nodiscard]] Node& worker(std::size_t i) { return workers_.at(i); }
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] const Address& at(std::size_t i) const { return nodes_.at(i % nodes_.size()).address(); }
    [[nodiscard]] std::vector<Address> addresses() const;
    [[nodiscard]] boxoffice::RedisServer& redis() { return *redis_; }

    /// The first value that a statement gives in this cluster's database.
    [[nodiscard]] std::string sql(const std::string& statement) const;
    /// A command of the binary over this cluster's store: its exit code, and what it said.
    struct Ran {
        int code = 0;
        std::string text;
    };
    [[nodiscard]] Ran run(std::vector<std::string> words) const;
    /// `boxoffice doctor` finds nothing wrong.
    void expect_healthy() const;
    /// Every node and worker ends by itself with 0 when asked to.
    void expect_orderly_end();

private:
    blackbox::TempDir home_;
    std::string database_;
    std::unique_ptr<boxoffice::RedisServer> redis_;
    std::vector<std::string> environment_;
    std::deque<Node> nodes_, workers_;
};

/// A user whose token was minted here: no password was ever hashed.
struct Buyer {
    std::int64_t id = 0;
    std::string token;
};

/// Puts `count` people beside the one given in a few statements, and mints their tokens: registering them would take minutes.
[[nodiscard]] std::vector<Buyer> add_people(const Cluster& cluster, const Person& model, int count);

/// The secret that all nodes of this program sign with.
[[nodiscard]] const std::string& secret();

}  // namespace cluster
