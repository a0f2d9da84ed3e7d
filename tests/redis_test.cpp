#include "redis/redis.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <rapidcheck/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "redis/link.hpp"
#include "servers/redis_server.hpp"

namespace boxoffice
{

namespace
{

using namespace std::chrono_literals;

constexpr auto kPatience = 30s;
const Instant kNow = Instant(std::chrono::sys_days(std::chrono::year(2031) / 5 / 17));

RedisOptions options_of(const RedisServer& server, std::string consumer = "one")
{
    return {server.url(), std::move(consumer), 5s, 100ms};
}

/// Asks until it is so; what is waited for lies in another process, so there is no event to wait for.
template <class Condition>
bool soon(Condition is_so)
{
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!is_so()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

redis::Reply ask(const RedisServer& server, const redis::Command& command)
{
    redis::Link link(redis::parse_url(server.url()).value(), 5s);
    link.open();
    return link.ask(command);
}

Effect an_effect(std::int64_t id)
{
    return {id, EffectKind::hold_expired, EventId{7}, {TicketId{id * 10}, TicketId{id * 10 + 1}}, kNow + Micros(id), 2};
}

std::vector<StreamedJob> take_soon(JobStream& jobs)
{
    std::vector<StreamedJob> taken;
    EXPECT_TRUE(soon([&] {
        try {
            taken = jobs.take(10, 100ms);
        } catch (const StreamFailure&) {  // not back yet
        }
        return !taken.empty();
    }));
    return taken;
}

bool can_add(JobStream& jobs, const Effect& effect)
{
    try {
        jobs.add(std::span(&effect, 1));
        return true;
    } catch (const StreamFailure&) {
        return false;
    }
}

void acknowledge(JobStream& jobs, const std::vector<StreamedJob>& taken)
{
    std::vector<std::string> tokens;
    for (const StreamedJob& job : taken) tokens.push_back(job.token);
    jobs.acknowledge(tokens);
}

/// Counts for this process alone, as the in-process limits do.
class AloneRates final : public RateLimits
{
public:
    void take(std::string key, const RatePolicy& policy, Instant now, std::function<void(RateAnswer)> done) override
    {
        RateAnswer answer;
        {
            const std::lock_guard lock(mutex_);
            Bucket& bucket = buckets_.try_emplace(key, Bucket{policy.burst, now}).first->second;
            answer = take_token(bucket, policy, now);
            ++asked;
        }
        done(answer);
    }
    std::atomic<int> asked = 0;

private:
    std::mutex mutex_;
    std::map<std::string, Bucket> buckets_;
};

RateAnswer take_one(RateLimits& limits, const std::string& key, const RatePolicy& policy, Instant now)
{
    std::promise<RateAnswer> answer;
    limits.take(key, policy, now, [&](RateAnswer given) { answer.set_value(given); });
    return answer.get_future().get();
}

/// What docs/operating.md gives boxoffice's user of an access list.
const redis::Command kRights = {"~boxoffice:*", "&boxoffice:*", "+@connection", "+@read", "+@write",
                                "+@pubsub",     "+@scripting",  "-@dangerous",  "+info"};

/// What a Redis that answers takes no writes for, and the remedy.
struct Trouble {
    const char* name;
    std::vector<redis::Command> begin, end;
};
const std::vector<Trouble> kTroubles = {
    {"full", {{"CONFIG", "SET", "maxmemory", "1"}}, {{"CONFIG", "SET", "maxmemory", "0"}}},
    {"a replica", {{"REPLICAOF", "127.0.0.1", "1"}}, {{"REPLICAOF", "NO", "ONE"}}},
    {"without replicas", {{"CONFIG", "SET", "min-replicas-to-write", "1"}}, {{"CONFIG", "SET", "min-replicas-to-write", "0"}}},
};

void send_all(const RedisServer& server, const std::vector<redis::Command>& commands)
{
    for (const redis::Command& command : commands) {
        const redis::Reply reply = ask(server, command);
        ASSERT_FALSE(redis::is_error(*reply)) << redis::text_of(*reply);
    }
}

/// Asks until Redis, not `alone`, is what counts: at the start, and after a machine that stood still for too long.
bool together(RateLimits& limits, AloneRates& alone)
{
    return soon([&] {
        const int before = alone.asked;
        (void)take_one(limits, "another", {60, 5}, kNow);
        return alone.asked == before;
    });
}

/// What a listener has heard.
class Heard
{
public:
    void hear(std::span<const EventId> events)
    {
        const std::lock_guard lock(mutex_);
        for (const EventId event : events) events_.insert(event.value);
    }
    bool has(std::int64_t event)
    {
        const std::lock_guard lock(mutex_);
        return events_.contains(event);
    }
    std::size_t count()
    {
        const std::lock_guard lock(mutex_);
        return events_.size();
    }

private:
    std::mutex mutex_;
    std::multiset<std::int64_t> events_;
};

void publish(ChangeBus& bus, std::int64_t event)
{
    const EventId id{event};
    bus.publish(std::span(&id, 1));
}

}  // namespace

TEST(RedisUrl, SaysWhatIsWrongAndNeverRepeatsThePassword)
{
    for (const char* const good : {"redis://localhost", "redis://h:1", "redis://u:p%40@h:6380/3", "redis://:p@[::1]:6379",
                                   "redis://secret@h/", "unix:///run/redis.sock", "redis://u:@h", "rediss://u:p%3F@h:6380/3",
                                   "rediss://h?cacert=/etc/passwd", "rediss://h/0?cert=/etc/passwd&key=/etc/passwd"})
        EXPECT_EQ(why_bad_redis_url(good), "") << good;
    for (const char* const bad : {"",
                                  "http://h",
                                  "redis://",
                                  "redis://:6379",
                                  "redis://secret@",
                                  "redis://@h",
                                  "redis://u:secret%4@h",
                                  "redis://h:0",
                                  "redis://h:65536",
                                  "redis://h:x",
                                  "redis://h/one",
                                  "redis://h/-1",
                                  "redis://[::1",
                                  "redis://[::1]6379",
                                  "unix://run/redis.sock",
                                  "redis://:secret@h?db=1",
                                  "redis://h?cacert=/etc/passwd",
                                  "rediss://u:secret?@h",
                                  "rediss://h?ca=/x",
                                  "rediss://:secret@h?cacert=/not/there",
                                  "rediss://h?cacert=",
                                  "rediss://h?cert=/etc/passwd",
                                  "rediss://:secret@h#x",
                                  "rediss://",
                                  "rediss://h?cacert=%4"}) {
        EXPECT_NE(why_bad_redis_url(bad), "") << bad;
        EXPECT_EQ(why_bad_redis_url(bad).find("secret"), std::string::npos) << bad;
    }
    const auto whole = redis::parse_url("redis://us:p%40%2F@[fe80::1]:6380/3").value();
    EXPECT_EQ(whole.user, "us");
    EXPECT_EQ(whole.password, "p@/");
    EXPECT_EQ(whole.host, "fe80::1");
    EXPECT_EQ(whole.port, 6380);
    EXPECT_EQ(whole.database, 3);
    EXPECT_THROW((void)make_redis_jobs({"http://h", "one"}), std::invalid_argument);
}

TEST(RedisLink, IsLetInWithThePasswordAndOnlyWithIt)
{
    const RedisServer server;
    ASSERT_FALSE(redis::is_error(*ask(server, {"CONFIG", "SET", "requirepass", "open sesame"})));
    const std::string place = "127.0.0.1:" + std::to_string(server.port());
    const auto right = make_redis_jobs({"redis://:open%20sesame@" + place + "/2", "one"});
    EXPECT_EQ(right->counts().waiting, 0);
    const auto wrong = make_redis_jobs({"redis://:closed@" + place, "one"});
    EXPECT_THROW((void)wrong->counts(), StreamFailure);
}

TEST(RedisLink, IsLetInAsAUserOfTheAccessListWithWhatThisHouseNeedsAndNoMore)
{
    const std::string word = "p@ss/w:rd?#%";
    std::vector<std::string> settings = {"--user", "default", "off"};
    for (const char* const user : {"box", "open"}) {
        settings.insert(settings.end(), {"--user", user, "on", user == std::string("box") ? ">" + word : "nopass"});
        settings.insert(settings.end(), kRights.begin(), kRights.end());
    }
    const RedisServer server(RedisServer::Memory::none, settings);
    const std::string place = "@127.0.0.1:" + std::to_string(server.port());
    for (const std::string user : {"box:p%40ss%2Fw%3Ard%3F%23%25", "open:"}) {
        RedisOptions options{"redis://" + user + place, "one", 5s, 100ms};
        const auto jobs = make_redis_jobs(options);
        ASSERT_TRUE(can_add(*jobs, an_effect(1)));
        acknowledge(*jobs, take_soon(*jobs));
        jobs->dead_letter(an_effect(2), "why");
        EXPECT_EQ(jobs->counts().dead, 1);
        const std::int64_t buried[] = {2};
        forget_dead_jobs(options, buried);
        EXPECT_EQ(jobs->counts().dead, 0);
        AloneRates alone;
        const auto rates = make_redis_rates(options, alone);
        EXPECT_TRUE(together(*rates, alone));
        Heard heard;
        const auto bus = make_redis_change_bus(options);
        bus->listen([&](std::span<const EventId> events) { heard.hear(events); });
        EXPECT_TRUE(soon([&] {
            publish(*bus, 7);
            return heard.has(7);
        }));
        RedisWatch watch(options);
        EXPECT_EQ(watch.trouble(), "");
        for (const Finding& finding : examine_redis(options)) EXPECT_TRUE(finding.good) << finding.detail;
    }
    for (const std::string& url :
         {"redis://box:wrong" + place, "redis://nobody:x" + place, "redis://127.0.0.1" + place.substr(10)}) {
        RedisWatch watch({url, "one", 5s, 100ms});
        EXPECT_NE(watch.trouble(), "") << url;
    }
}

TEST(RedisLink, GoesOverTlsToWhoProvesWhoItIs)
{
    const RedisServer server(RedisServer::Memory::none, {"--tls-auth-clients", "no", "--requirepass", "word"},
                             RedisServer::Tls::yes);
    const auto url = [&](const std::string& host, const std::string& ca) {
        return "rediss://:word@" + host + ":" + std::to_string(server.port()) + (ca.empty() ? "" : "?cacert=" + server.file(ca));
    };
    for (const char* const host : {"127.0.0.1", "localhost"}) {
        const auto jobs = make_redis_jobs({url(host, "ca.crt"), "one", 5s, 100ms});
        for (int i = 1; i <= 3; ++i) ASSERT_TRUE(can_add(*jobs, an_effect(i))) << host;
        acknowledge(*jobs, take_soon(*jobs));
    }
    redis::Link link(redis::parse_url(url("127.0.0.1", "ca.crt")).value(), 20s);
    link.open();
    const std::string long_word(200'000, 'x');
    const auto replies = link.exchange(std::vector<redis::Command>(50, {"ECHO", long_word}));
    ASSERT_EQ(replies.size(), 50U);
    EXPECT_EQ(redis::text_of(*replies.back()), long_word);
    EXPECT_TRUE(link.still_stands());
    EXPECT_FALSE(redis::is_error(*link.ask({"PING"})));

    const auto why = [&](const std::string& where) {
        RedisWatch watch({where, "one", 5s, 100ms});
        return watch.trouble();
    };
    EXPECT_EQ(why(url("127.0.0.1", "ca.crt")), "");
    EXPECT_NE(why(url("127.0.0.1", "other.crt")).find("certificate is not believed"), std::string::npos)
        << why(url("127.0.0.1", "other.crt"));
    EXPECT_NE(why(url("127.0.0.1", "")).find("certificate is not believed"), std::string::npos) << "no authority of the system's";
    EXPECT_NE(why(url("127.1", "ca.crt")).find("mismatch"), std::string::npos) << why(url("127.1", "ca.crt"));
    EXPECT_NE(why("redis://:word@127.0.0.1:" + std::to_string(server.port())), "") << "in the clear";
    const RedisServer clear;
    EXPECT_NE(why("rediss://127.0.0.1:" + std::to_string(clear.port())), "") << "TLS to one without";
}

TEST(RedisLink, ProvesWhoItIsToAServerThatAsks)
{
    const RedisServer server(RedisServer::Memory::none, {}, RedisServer::Tls::yes);
    const std::string url = "rediss://localhost:" + std::to_string(server.port()) + "?cacert=" + server.file("ca.crt");
    EXPECT_THROW((void)make_redis_jobs({url, "one"})->counts(), StreamFailure);
    const std::string known = url + "&cert=" + server.file("client.crt") + "&key=" + server.file("client.key");
    EXPECT_EQ(make_redis_jobs({known, "one"})->counts().waiting, 0);
    AloneRates alone;
    EXPECT_TRUE(together(*make_redis_rates({known, "one"}, alone), alone));
}

TEST(RedisChangeBus, IsHeardOverTls)
{
    const RedisServer server(RedisServer::Memory::none, {"--tls-auth-clients", "no"}, RedisServer::Tls::yes);
    const RedisOptions options{"rediss://localhost:" + std::to_string(server.port()) + "?cacert=" + server.file("ca.crt"), "one"};
    Heard heard;
    const auto bus = make_redis_change_bus(options);
    bus->listen([&](std::span<const EventId> events) { heard.hear(events); });
    EXPECT_TRUE(soon([&] { return bus->connected(); }));
    for (int event = 1; event <= 3000; ++event) publish(*bus, event);
    EXPECT_TRUE(soon([&] { return heard.count() >= 3000; }));
    EXPECT_TRUE(bus->connected());
}

TEST(RedisLink, GoesThroughASocketInTheFileSystem)
{
    const RedisServer server;
    EXPECT_EQ(make_redis_jobs({server.socket_url(), "one"})->counts().waiting, 0);
}

TEST(RedisLink, CarriesAFlightThatFillsTheBuffersOfBothSides)
{
    const RedisServer server;
    redis::Link link(redis::parse_url(server.url()).value(), 20s);
    link.open();
    const std::string long_word(200'000, 'x');
    const std::vector<redis::Command> pipeline(200, {"ECHO", long_word});
    const auto replies = link.exchange(pipeline);
    ASSERT_EQ(replies.size(), pipeline.size());
    EXPECT_EQ(redis::text_of(*replies.back()), long_word);
}

TEST(RedisJobs, DeliversEachJobWholeToOneOfTwoTakers)
{
    const RedisServer server;
    // Long enough that nothing counts as abandoned here.
    const auto one = make_redis_jobs({server.url(), "one", 20s, 60s});
    const auto other = make_redis_jobs({server.url(), "other", 20s, 60s});
    std::vector<Effect> effects;
    for (std::int64_t id = 1; id <= 2500; ++id) effects.push_back(an_effect(id));
    effects.push_back({9999, EffectKind::event_changed, EventId{8}, {}, kNow, 0});
    one->add(effects);
    EXPECT_EQ(one->counts().waiting, 2501);

    std::mutex mutex;
    std::map<std::int64_t, Effect> seen;
    std::size_t deliveries = 0;
    const auto take_all = [&](JobStream& jobs) {
        for (;;) {
            const auto taken = jobs.take(100, 100ms);
            if (taken.empty()) return;
            acknowledge(jobs, taken);
            const std::lock_guard lock(mutex);
            deliveries += taken.size();
            for (const StreamedJob& job : taken) seen[job.effect.id] = job.effect;
        }
    };
    std::vector<std::thread> takers;
    for (JobStream* const jobs : {one.get(), one.get(), other.get()}) takers.emplace_back([&take_all, jobs] { take_all(*jobs); });
    for (std::thread& taker : takers) taker.join();

    EXPECT_EQ(deliveries, 2501U);
    EXPECT_EQ(seen.size(), 2501U);
    const Effect& some = seen[1234];
    EXPECT_EQ(some.kind, EffectKind::hold_expired);
    EXPECT_EQ(some.event, EventId{7});
    EXPECT_EQ(some.tickets, (std::vector{TicketId{12'340}, TicketId{12'341}}));
    EXPECT_EQ(some.made_at, kNow + Micros(1234));
    EXPECT_EQ(some.tries, 2);
    EXPECT_TRUE(seen[9999].tickets.empty());
    EXPECT_EQ(one->counts().waiting, 0);
}

TEST(RedisJobs, GivesWhatATakerAbandonedToAnother)
{
    const RedisServer server;
    const auto lost = make_redis_jobs(options_of(server, "lost"));
    const auto other = make_redis_jobs(options_of(server, "other"));
    ASSERT_TRUE(can_add(*lost, an_effect(5)));
    ASSERT_EQ(take_soon(*lost).size(), 1U);
    const auto taken = take_soon(*other);
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].effect.id, 5);
    acknowledge(*other, taken);
    EXPECT_EQ(other->counts().waiting, 0);
    EXPECT_TRUE(other->take(10, 1ms).empty());
}

TEST(RedisJobs, WaitsForTheFirstJobNoLongerThanItMay)
{
    const RedisServer server;
    const auto jobs = make_redis_jobs(options_of(server));
    const auto before = std::chrono::steady_clock::now();
    EXPECT_TRUE(jobs->take(10, 200ms).empty());
    EXPECT_GE(std::chrono::steady_clock::now() - before, 190ms);
    EXPECT_TRUE(jobs->take(10, 0ms).empty());

    auto taken = std::async(std::launch::async, [&] { return take_soon(*jobs); });
    ASSERT_TRUE(can_add(*jobs, an_effect(1)));
    EXPECT_EQ(taken.get().size(), 1U);
}

TEST(RedisJobs, ThrowsWhileRedisIsAwayAndGoesOnWithOneThatForgotEverything)
{
    RedisServer server;
    const auto jobs = make_redis_jobs(options_of(server));
    ASSERT_TRUE(can_add(*jobs, an_effect(1)));
    ASSERT_EQ(take_soon(*jobs).size(), 1U);
    server.kill();
    EXPECT_FALSE(can_add(*jobs, an_effect(2)));
    EXPECT_THROW((void)jobs->take(1, 10ms), StreamFailure);
    EXPECT_THROW((void)jobs->counts(), StreamFailure);
    EXPECT_THROW(jobs->dead_letter(an_effect(1), "gone"), StreamFailure);
    server.start();
    // The group is gone with everything else, and the first to take makes it anew.
    ASSERT_TRUE(soon([&] { return can_add(*jobs, an_effect(3)); }));
    const auto taken = take_soon(*jobs);
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].effect.id, 3);
    acknowledge(*jobs, taken);
    EXPECT_EQ(jobs->counts().waiting, 0);
}

TEST(RedisJobs, KeepsWhatWasAddedAcrossARestartOfARedisThatRemembers)
{
    RedisServer server(RedisServer::Memory::append_only);
    const auto jobs = make_redis_jobs(options_of(server));
    ASSERT_TRUE(can_add(*jobs, an_effect(1)));
    server.kill();
    server.start();
    EXPECT_EQ(take_soon(*jobs).size(), 1U);
}

TEST(RedisJobs, MakesTheGroupAnewWhenItWasRemovedWhileSomebodyWaits)
{
    const RedisServer server;
    const auto jobs = make_redis_jobs(options_of(server));
    EXPECT_TRUE(jobs->take(1, 1ms).empty());
    auto taken = std::async(std::launch::async, [&] { return take_soon(*jobs); });
    EXPECT_FALSE(redis::is_error(*ask(server, {"FLUSHALL"})));
    ASSERT_TRUE(can_add(*jobs, an_effect(1)));
    EXPECT_EQ(taken.get().size(), 1U);
}

TEST(RedisJobs, FailsInTimeWhenRedisHangs)
{
    const RedisServer server;
    const auto jobs = make_redis_jobs({server.url(), "one", 200ms, 60s});
    ASSERT_TRUE(soon([&] { return can_add(*jobs, an_effect(1)); }));
    server.freeze();
    EXPECT_THROW((void)jobs->counts(), StreamFailure);
    const auto before = std::chrono::steady_clock::now();
    EXPECT_THROW((void)jobs->counts(), StreamFailure);  // at once: it was unavailable a moment ago
    EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
    server.thaw();
    EXPECT_TRUE(soon([&] { return can_add(*jobs, an_effect(2)); }));
}

TEST(RedisJobs, CountsTheDeadAndTellsWhyTheNewestDied)
{
    const RedisServer server;
    const auto jobs = make_redis_jobs(options_of(server));
    ASSERT_TRUE(can_add(*jobs, an_effect(1)));
    jobs->dead_letter(an_effect(2), "550 no such mailbox");
    EXPECT_EQ(jobs->counts().waiting, 1);
    EXPECT_EQ(jobs->counts().dead, 1);
    const auto findings = examine_redis(options_of(server));
    ASSERT_EQ(findings.size(), 3U);
    EXPECT_TRUE(findings[0].good);
    EXPECT_NE(findings[0].detail.find("version 7"), std::string::npos) << findings[0].detail;
    EXPECT_EQ(findings[1].detail, "1 in the stream");
    EXPECT_FALSE(findings[2].good);
    EXPECT_NE(findings[2].detail.find("550 no such mailbox"), std::string::npos) << findings[2].detail;
}

StoreOfJobs of_store(const std::string& id, std::int64_t generation, std::function<bool(const Effect&)> has_effect = {})
{
    return {[store = std::make_shared<const StoreIdentity>(StoreIdentity{id, generation, {}})] { return store; },
            std::move(has_effect)};
}

TEST(RedisJobs, DropWhatAnotherStoreOrAnotherLifeHasLeft)
{
    const RedisServer server;
    const auto before = make_redis_jobs(options_of(server), of_store("ab12", 1));
    const auto other = make_redis_jobs(options_of(server), of_store("cd34", 2));
    const auto jobs = make_redis_jobs(options_of(server), of_store("ab12", 2));
    ASSERT_TRUE(can_add(*before, an_effect(1)));
    ASSERT_TRUE(can_add(*other, an_effect(2)));
    ASSERT_TRUE(can_add(*jobs, an_effect(3)));
    const auto taken = take_soon(*jobs);
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].effect.id, 3);
    EXPECT_EQ(jobs->counts().waiting, 1) << "what was dropped is still there";
    EXPECT_EQ(jobs->counts().dead, 0);
}

TEST(RedisJobs, DropWhatTheOutboxDoesNotHaveAlsoOfNodesThatNameNoStore)
{
    const RedisServer server;
    const auto plain = make_redis_jobs(options_of(server));
    const auto jobs =
        make_redis_jobs(options_of(server), of_store("ab12", 2, [](const Effect& effect) { return effect.id == 2; }));
    for (std::int64_t id = 1; id <= 3; ++id) ASSERT_TRUE(can_add(*plain, an_effect(id)));
    const auto taken = take_soon(*jobs);
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].effect.id, 2);
    EXPECT_EQ(jobs->counts().waiting, 1);
}

TEST(RedisJobs, AreReadByNodesThatKnowOfNoStore)
{
    const RedisServer server;
    ASSERT_TRUE(can_add(*make_redis_jobs(options_of(server), of_store("ab12", 2)), an_effect(4)));
    const auto plain = make_redis_jobs(options_of(server));
    const auto taken = take_soon(*plain);
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].effect.tickets, an_effect(4).tickets);
}

TEST(RedisJobs, BuriesWhatItCannotReadAndDeliversTheRest)
{
    const RedisServer server;
    const auto jobs = make_redis_jobs(options_of(server));
    (void)ask(server, {"XADD", "boxoffice:jobs", "*", "id", "one", "kind", "9"});
    (void)ask(server, {"XADD", "boxoffice:jobs", "*", "nonsense", ""});
    ASSERT_TRUE(can_add(*jobs, an_effect(3)));
    const auto taken = take_soon(*jobs);
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].effect.id, 3);
    EXPECT_EQ(jobs->counts().waiting, 1);
    EXPECT_EQ(jobs->counts().dead, 2);
}

TEST(RedisChangeBus, ReachesListenersOnEveryWire)
{
    const RedisServer server;
    Heard first;
    Heard second;
    const auto one = make_redis_change_bus(options_of(server));
    const auto other = make_redis_change_bus(options_of(server));
    EXPECT_FALSE(one->connected());
    one->listen([&](std::span<const EventId> events) { first.hear(events); });
    other->listen([&](std::span<const EventId> events) { second.hear(events); });
    ASSERT_TRUE(soon([&] { return one->connected() && other->connected(); }));
    publish(*one, 5);
    EXPECT_TRUE(soon([&] { return first.has(5) && second.has(5); }));
    publish(*other, 6);
    EXPECT_TRUE(soon([&] { return first.has(6) && second.has(6); }));
}

TEST(RedisChangeBus, TellsOnceOfAnEventThatChangedOften)
{
    const RedisServer server;
    Heard heard;
    const auto bus = make_redis_change_bus(options_of(server));
    bus->listen([&](std::span<const EventId> events) { heard.hear(events); });
    ASSERT_TRUE(soon([&] { return bus->connected(); }));
    std::vector<EventId> many;
    for (std::int64_t i = 0; i < 10'000; ++i) many.push_back(EventId{1 + i % 2500});
    bus->publish(many);
    publish(*bus, 9000);
    ASSERT_TRUE(soon([&] { return heard.has(9000) && heard.count() >= 2501; }));
    EXPECT_EQ(heard.count(), 2501U);
}

TEST(RedisChangeBus, PassesOverWhatIsNoEvent)
{
    const RedisServer server;
    Heard heard;
    const auto bus = make_redis_change_bus(options_of(server));
    bus->listen([&](std::span<const EventId> events) { heard.hear(events); });
    ASSERT_TRUE(soon([&] { return bus->connected(); }));
    (void)ask(server, {"PUBLISH", "boxoffice:live", "x,,-1,99999999999999999999,4,"});
    EXPECT_TRUE(soon([&] { return heard.has(4); }));
    EXPECT_EQ(heard.count(), 1U);
}

TEST(RedisChangeBus, ConnectsAgainAfterARestart)
{
    RedisServer server;
    Heard heard;
    const auto bus = make_redis_change_bus(options_of(server));
    bus->listen([&](std::span<const EventId> events) { heard.hear(events); });
    ASSERT_TRUE(soon([&] { return bus->connected(); }));
    server.kill();
    EXPECT_TRUE(soon([&] { return !bus->connected(); }));
    server.start();
    ASSERT_TRUE(soon([&] { return bus->connected(); }));
    publish(*bus, 7);
    EXPECT_TRUE(soon([&] { return heard.has(7); }));
}

TEST(RedisChangeBus, NoticesAConnectionThatHasFallenSilent)
{
    const RedisServer server;
    const auto bus = make_redis_change_bus({server.url(), "one", 200ms, 60s});
    bus->listen([](std::span<const EventId>) {});
    ASSERT_TRUE(soon([&] { return bus->connected(); }));
    server.freeze();
    EXPECT_TRUE(soon([&] { return !bus->connected(); }));
    server.thaw();
    EXPECT_TRUE(soon([&] { return bus->connected(); }));
}

TEST(RedisChangeBus, KeepsWhatItCouldNotTellForLater)
{
    const RedisServer server;
    Heard heard;
    const auto bus = make_redis_change_bus(options_of(server));
    bus->listen([&](std::span<const EventId> events) { heard.hear(events); });
    ASSERT_TRUE(soon([&] { return bus->connected(); }));
    ASSERT_FALSE(redis::is_error(*ask(server, {"ACL", "SETUSER", "default", "-publish"})));
    publish(*bus, 8);
    EXPECT_TRUE(soon([&] { return redis::parts_of(*ask(server, {"ACL", "LOG"})).size() == 1; }));
    EXPECT_EQ(heard.count(), 0U);
    ASSERT_FALSE(redis::is_error(*ask(server, {"ACL", "SETUSER", "default", "+publish"})));
    EXPECT_TRUE(soon([&] { return heard.has(8); }));
}

TEST(RedisRates, LetThroughExactlyTheBurstOverAllNodes)
{
    const RedisServer server;
    AloneRates alone;
    const auto one = make_redis_rates(options_of(server), alone);
    const auto other = make_redis_rates(options_of(server), alone);
    constexpr int kAsked = 4000;
    constexpr int kAttempts = 10;  // a machine that stands still for 200 ms has them count alone, as it should
    for (int attempt = 1; attempt <= kAttempts; ++attempt) {
        ASSERT_TRUE(together(*one, alone) && together(*other, alone));
        const int alone_before = alone.asked;
        std::atomic<int> allowed = 0;
        std::atomic<int> answered = 0;
        for (int i = 0; i < kAsked; ++i) {
            (i % 2 == 0 ? *one : *other).take("account:" + std::to_string(attempt), {60, 1500}, kNow, [&](RateAnswer answer) {
                if (answer.allowed) ++allowed;
                ++answered;
            });
        }
        ASSERT_TRUE(soon([&] { return answered == kAsked; }));
        if (alone.asked != alone_before) continue;
        EXPECT_EQ(allowed, 1500);
        return;
    }
    FAIL() << "never undisturbed in " << kAttempts << " attempts";
}

TEST(RedisRates, SayWhenTheNextIsLetThroughWhicheverNodeIsAsked)
{
    const RedisServer server;
    AloneRates alone;
    const auto one = make_redis_rates(options_of(server), alone);
    const auto other = make_redis_rates(options_of(server), alone);
    ASSERT_TRUE(together(*one, alone) && together(*other, alone));
    EXPECT_TRUE(take_one(*one, "account:1", {60, 1}, kNow).allowed);
    const RateAnswer refused = take_one(*other, "account:1", {60, 1}, kNow);
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.retry_after, 1s);
}

TEST(RedisRates, LetEverybodyThroughWithoutAPolicy)
{
    RedisServer server;
    server.stop();
    AloneRates alone;
    const auto rates = make_redis_rates(options_of(server), alone);
    EXPECT_TRUE(take_one(*rates, "account:1", {}, kNow).allowed);
    EXPECT_EQ(alone.asked, 0);
}

TEST(RedisRates, CountAloneWhileRedisIsAwayAndTogetherAgainAfterwards)
{
    RedisServer server;
    AloneRates alone;
    const auto rates = make_redis_rates(options_of(server), alone);
    ASSERT_TRUE(together(*rates, alone));
    const RatePolicy policy{1, 2};
    const int alone_before = alone.asked;
    EXPECT_EQ(take_one(*rates, "account:1", policy, kNow).remaining, 1);
    EXPECT_EQ(alone.asked, alone_before);
    server.stop();
    EXPECT_EQ(take_one(*rates, "account:1", policy, kNow).remaining, 1);
    EXPECT_EQ(take_one(*rates, "account:1", policy, kNow).remaining, 0);
    EXPECT_FALSE(take_one(*rates, "account:1", policy, kNow).allowed);
    EXPECT_EQ(alone.asked, alone_before + 3);
    server.start();
    EXPECT_TRUE(together(*rates, alone));
    EXPECT_EQ(take_one(*rates, "account:1", policy, kNow).remaining, 1);
}

TEST(RedisRates, CountAloneWhileRedisTakesNoWrites)
{
    for (const Trouble& trouble : kTroubles) {
        const RedisServer server;
        AloneRates alone;
        const auto rates = make_redis_rates(options_of(server), alone);
        ASSERT_TRUE(together(*rates, alone));
        const RatePolicy policy{1, 5};
        for (int i = 0; i < 3; ++i) EXPECT_TRUE(take_one(*rates, "account:1", policy, kNow).allowed);
        send_all(server, trouble.begin);
        int allowed = 0;
        for (int i = 0; i < 200; ++i) allowed += take_one(*rates, "account:1", policy, kNow).allowed ? 1 : 0;
        EXPECT_EQ(allowed, 5) << trouble.name << ": this node's own limit";
        send_all(server, trouble.end);
        EXPECT_TRUE(together(*rates, alone)) << trouble.name;
        // One that was so at the start.
        send_all(server, trouble.begin);
        const auto late = make_redis_rates(options_of(server), alone);
        allowed = 0;
        for (int i = 0; i < 200; ++i) allowed += take_one(*late, "account:2", policy, kNow).allowed ? 1 : 0;
        EXPECT_EQ(allowed, 5) << trouble.name;
    }
}

TEST(RedisRates, KeepNobodyWaitingForARedisThatHangs)
{
    const RedisServer server;
    AloneRates alone;
    const auto rates = make_redis_rates(options_of(server), alone);
    ASSERT_TRUE(together(*rates, alone));
    EXPECT_TRUE(take_one(*rates, "account:1", {60, 5}, kNow).allowed);
    const int alone_before = alone.asked;
    server.freeze();
    EXPECT_TRUE(take_one(*rates, "account:1", {60, 5}, kNow).allowed);
    EXPECT_EQ(alone.asked, alone_before + 1);
    server.thaw();
    EXPECT_TRUE(together(*rates, alone));
}

/// Listens where a Redis was, takes connections up and says nothing.
class Mute
{
public:
    explicit Mute(int port) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int yes = 1;
        ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(listener_, 8) != 0)
            throw std::runtime_error("the port is taken");
    }
    ~Mute() { ::close(listener_); }
    Mute(const Mute&) = delete;
    Mute& operator=(const Mute&) = delete;

    /// Whether a client has come and has already given up.
    [[nodiscard]] bool was_left() const
    {
        const int guest = ::accept(listener_, nullptr, nullptr);
        if (guest < 0) return false;
        pollfd end{guest, POLLRDHUP, 0};
        const bool left = ::poll(&end, 1, 0) > 0;
        ::close(guest);
        return left;
    }

private:
    int listener_;
};

TEST(RedisRates, KeepNobodyWaitingForANewConnection)
{
    for (int attempt = 0; attempt < 5; ++attempt) {
        RedisServer server;
        AloneRates alone;
        const auto rates = make_redis_rates(options_of(server), alone);
        ASSERT_TRUE(together(*rates, alone));
        const int alone_before = alone.asked;
        const int port = server.port();
        server.stop();
        const Mute mute(port);
        EXPECT_TRUE(take_one(*rates, "account:1", {60, 5}, kNow).allowed);
        EXPECT_EQ(alone.asked, alone_before + 1);
        if (!mute.was_left()) return;  // the answer came before the new connection was despaired of
    }
    FAIL() << "the caller was answered only when the connection had failed";
}

TEST(RedisRates, GoOnWhenRedisWasToldToForgetItsScripts)
{
    const RedisServer server;
    AloneRates alone;
    const auto rates = make_redis_rates(options_of(server), alone);
    ASSERT_TRUE(together(*rates, alone));
    const int alone_before = alone.asked;
    EXPECT_EQ(take_one(*rates, "account:1", {60, 5}, kNow).remaining, 4);
    (void)ask(server, {"SCRIPT", "FLUSH"});
    EXPECT_EQ(take_one(*rates, "account:1", {60, 5}, kNow).remaining, 3);
    EXPECT_EQ(alone.asked, alone_before);
}

TEST(RedisRates, LeaveNothingBehindOnceABucketIsFull)
{
    const RedisServer server;
    AloneRates alone;
    const auto rates = make_redis_rates(options_of(server), alone);
    ASSERT_TRUE(together(*rates, alone));
    (void)take_one(*rates, "account:1", {60, 5}, kNow);
    const auto left = ask(server, {"PTTL", "boxoffice:rate:account:1"})->integer;
    EXPECT_GT(left, 0);
    EXPECT_LE(left, 2000);
}

TEST(RedisRates, CountAsTakeTokenDoes)
{
    const RedisServer server;
    AloneRates alone;
    const auto rates = make_redis_rates(options_of(server), alone);
    ASSERT_TRUE(together(*rates, alone));
    int sequences = 0;
    int steps = 0;
    EXPECT_TRUE(rc::check([&] {
        const std::string key = "sequence:" + std::to_string(++sequences);
        RatePolicy policy{*rc::gen::inRange(1, 60'000'000) / 1000.0, *rc::gen::inRange(1, 200) / 7.0};
        std::optional<Bucket> bucket;  // a fresh one is full as of its first use
        Instant now = kNow;
        ASSERT_TRUE(together(*rates, alone));
        const int alone_before = alone.asked;
        for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(-1'000'000, 20'000'000))) {
            now += Micros(step);
            if (!bucket) bucket = Bucket{policy.burst, now};
            const RateAnswer here = take_token(*bucket, policy, now);
            const RateAnswer there = take_one(*rates, key, policy, now);
            if (alone.asked != alone_before) return;  // the machine stood still: what is left of the sequence proves nothing
            ++steps;
            RC_ASSERT(there.allowed == here.allowed);
            RC_ASSERT(there.remaining == here.remaining);
            RC_ASSERT(there.retry_after == here.retry_after);
            RC_ASSERT(there.reset == here.reset);
        }
    }));
    EXPECT_GT(steps, 1000);
}

TEST(RedisWatch, KnowsWhetherRedisTakesWrites)
{
    for (const Trouble& trouble : kTroubles) {
        const RedisServer server;
        RedisWatch watch(options_of(server));
        EXPECT_EQ(watch.trouble(), "");
        send_all(server, trouble.begin);
        EXPECT_TRUE(soon([&] { return !watch.ok(); })) << trouble.name;
        const auto findings = examine_redis(options_of(server));
        ASSERT_FALSE(findings.empty());
        EXPECT_FALSE(findings[0].good) << trouble.name;
        EXPECT_NE(findings[0].detail.find("takes no writes"), std::string::npos) << findings[0].detail;
        send_all(server, trouble.end);
        EXPECT_TRUE(soon([&] { return watch.ok(); })) << trouble.name;
    }
}

TEST(RedisJobs, ForgetsDeadLettersOfJobsThatAreDeadNoMore)
{
    const RedisServer server;
    const auto jobs = make_redis_jobs(options_of(server));
    std::vector<std::int64_t> some;
    for (int i = 1; i <= 2500; ++i) {
        jobs->dead_letter(an_effect(i), "why");
        if (i % 2 == 0) some.push_back(i);
    }
    forget_dead_jobs(options_of(server), some);
    EXPECT_EQ(jobs->counts().dead, 1250);
    forget_dead_jobs(options_of(server), some);
    EXPECT_EQ(jobs->counts().dead, 1250);
}

TEST(RedisWatch, KnowsWhetherRedisAnswers)
{
    RedisServer server;
    RedisWatch watch(options_of(server));
    EXPECT_TRUE(watch.ok());
    server.kill();
    EXPECT_TRUE(soon([&] { return !watch.ok(); }));
    const auto findings = examine_redis(options_of(server));
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_FALSE(findings[0].good);
    server.start();
    EXPECT_TRUE(soon([&] { return watch.ok(); }));
}

}  // namespace boxoffice
