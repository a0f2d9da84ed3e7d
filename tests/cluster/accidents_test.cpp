#include "cluster/buyers.hpp"

using namespace cluster;
using boxoffice::PostgresStop;
using namespace std::chrono_literals;

/// Buyers buy while what they buy from is taken down, part after part. Nothing acknowledged may be lost, doubled or changed.
namespace
{

constexpr int kBuyers = 12;
constexpr int kSome = 150;  // answers between one failure and the next: enough to know that it goes on

class Accidents : public testing::Test
{
protected:
    void SetUp() override
    {
        buyers_.start();
        buyers_.wait_for_answers(kSome);
    }

    void TearDown() override
    {
        buyers_.wait_for_answers(kSome);
        buyers_.finish();
        buyers_.check();
        RecordProperty("repeats", buyers_.repeats());
    }

    void expect_health_everywhere(const Node::Health& wanted)
    {
        for (std::size_t i = 0; i < cluster_.size(); ++i) cluster_.node(i).expect_health(wanted, 10s);
    }

    void take_postgres_down(PostgresStop how)
    {
        boxoffice::shared_postgres().stop(how);
        expect_health_everywhere({503, ""});
        boxoffice::shared_postgres().start();
        expect_health_everywhere({200, ""});
        buyers_.wait_for_answers(kSome);
    }

    Cluster cluster_;
    Buyers buyers_{cluster_, kBuyers};
};

}  // namespace

TEST_F(Accidents, EachNodeKilledInTurnLosesNothing)
{
    for (std::size_t i = 0; i < cluster_.size(); ++i) {
        cluster_.node(i).kill_hard();
        buyers_.wait_for_answers(kSome);
        cluster_.node(i).start();
        buyers_.wait_for_answers(kSome);
    }
}

TEST_F(Accidents, PostgresStoppedAndCrashedLosesNothingAndReadyTells)
{
    take_postgres_down(PostgresStop::fast);
    take_postgres_down(PostgresStop::immediate);
}

TEST_F(Accidents, PostgresKilledLosesNothing)
{
    boxoffice::shared_postgres().kill();
    boxoffice::shared_postgres().start();
}

TEST_F(Accidents, RedisAwayStopsNoSaleAndReadySaysDegraded)
{
    expect_health_everywhere({200, "ready"});
    cluster_.redis().stop();
    expect_health_everywhere({200, "degraded"});
    buyers_.wait_for_answers(3 * kSome);
    cluster_.redis().start();
    expect_health_everywhere({200, "ready"});
}

TEST_F(Accidents, EverythingInTurnLosesNothing)
{
    cluster_.worker(0).kill_hard();
    cluster_.node(0).kill_hard();
    buyers_.wait_for_answers(kSome);
    cluster_.redis().kill();
    boxoffice::shared_postgres().restart(PostgresStop::immediate);
    buyers_.wait_for_answers(kSome);
    cluster_.node(0).start();
    cluster_.node(1).kill_hard();
    boxoffice::shared_postgres().restart(PostgresStop::fast);
    buyers_.wait_for_answers(kSome);
    cluster_.redis().start();
    cluster_.node(1).start();
    cluster_.worker(0).start();
}
