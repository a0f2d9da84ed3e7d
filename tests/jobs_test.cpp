#include "runtime/jobs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "app/notices.hpp"
#include "fake_zones.hpp"
#include "jobs_fixture.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;
using Row = FakeOutbox::Row;
using Rows = std::map<std::int64_t, Row>;
using Hope = MailFailure::Hope;

TEST_F(Jobs, AreDoneOnceAndSettled)
{
    for (int i = 0; i < 500; ++i) outbox.add(EffectKind::ticket_paid);
    start([&](const Effect& effect) { ledger.count(effect); });
    EXPECT_TRUE(outbox.wait_for_empty());
    for (int id = 1; id <= 500; ++id) EXPECT_EQ(ledger.times(id), 1) << id;
    EXPECT_TRUE(counted("boxoffice_jobs_total{kind=\"ticket_paid\",result=\"done\"} 500\n"));
}

TEST_F(Jobs, AreLookedForAtOnceWhenOneIsTold)
{
    JobRunner::Options options;
    options.look = 1h;
    start([&](const Effect& effect) { ledger.count(effect); }, nullptr, options);
    const auto first = outbox.add(EffectKind::hold_expired);
    runner->wake();
    EXPECT_TRUE(ledger.wait_for(first, 1));
}

TEST_F(Jobs, ThatFailAreTriedAgainAfterGrowingPauses)
{
    const auto id = outbox.add(EffectKind::ticket_paid);
    start([&](const Effect& effect) {
        ledger.count(effect);
        if (effect.tries < 3) throw std::runtime_error("not yet");
    });
    Micros pause = 5s;
    for (int tries = 1; tries <= 3; ++tries, pause *= 2) {
        ASSERT_TRUE(wait_for_try(id, tries));
        const Row row = *outbox.row(id);
        EXPECT_EQ(row.why, "not yet");
        EXPECT_GE(row.due_at - clock.now(), pause);
        EXPECT_LE(row.due_at - clock.now(), pause + pause / 4);
        EXPECT_EQ(ledger.times(id), tries);
        clock.set(row.due_at - 1us);
        runner->wake();
        clock.set(row.due_at);
    }
    EXPECT_TRUE(outbox.wait_for_empty());
    EXPECT_EQ(ledger.times(id), 4);
    EXPECT_TRUE(counted("boxoffice_jobs_total{kind=\"ticket_paid\",result=\"failed\"} 3\n"));
}

TEST_F(Jobs, PauseNoLongerThanTheLongestPause)
{
    const auto id = outbox.add(EffectKind::ticket_paid);
    JobRunner::Options options = quick();
    options.try_again_max = 12s;
    start([&](const Effect&) { throw std::runtime_error("no"); }, nullptr, options);
    for (int tries = 1; tries <= 5; ++tries) {
        ASSERT_TRUE(wait_for_try(id, tries));
        const Row row = *outbox.row(id);
        EXPECT_LE(row.due_at - clock.now(), 15s);
        clock.set(row.due_at);
    }
}

TEST_F(Jobs, AreDeadAfterTheLastTryAndNeverTakenAgain)
{
    const auto id = outbox.add(EffectKind::hold_expired);
    JobRunner::Options options = quick();
    options.tries_max = 3;
    start(
        [&](const Effect& effect) {
            ledger.count(effect);
            if (effect.id == id) throw std::runtime_error("never");
        },
        nullptr, options);
    for (int tries = 1; tries < 3; ++tries) {
        ASSERT_TRUE(wait_for_try(id, tries));
        clock.set(outbox.row(id)->due_at);
    }
    ASSERT_TRUE(outbox.wait_until([&](const Rows& rows) { return rows.at(id).dead; }));
    EXPECT_EQ(outbox.row(id)->why, "never");
    clock.add(24h);
    const auto next = outbox.add(EffectKind::hold_expired);
    EXPECT_TRUE(ledger.wait_for(next, 1));
    EXPECT_EQ(ledger.times(id), 3);
    EXPECT_TRUE(counted("boxoffice_jobs_total{kind=\"hold_expired\",result=\"dead\"} 1\n"));
}

TEST_F(Jobs, WithoutHopeAreDeadAtOnce)
{
    const auto id = outbox.add(EffectKind::ticket_paid);
    start([&](const Effect&) { throw MailFailure("no such address", Hope::none); });
    ASSERT_TRUE(outbox.wait_until([&](const Rows& rows) { return rows.at(id).dead; }));
    EXPECT_EQ(outbox.row(id)->effect.tries, 1);
}

TEST_F(Jobs, TakenByAProcessThatDiedAreTakenUpOnceItsLeaseHasLapsed)
{
    const auto id = outbox.add(EffectKind::ticket_paid);
    WriteJob taking{TakeEffects{clock.now(), 10, clock.now() + 2min}, {}, {}};
    WriteJob* const one = &taking;
    outbox.carry_out({&one, 1});
    start([&](const Effect& effect) { ledger.count(effect); });
    const auto other = outbox.add(EffectKind::ticket_paid);
    ASSERT_TRUE(ledger.wait_for(other, 1));
    EXPECT_EQ(ledger.times(id), 0);
    clock.add(2min);
    EXPECT_TRUE(outbox.wait_for_empty());
    EXPECT_EQ(ledger.times(id), 1);
}

TEST_F(Jobs, ThatRunAreFinishedByAStopAndTheRestIsDoneAfterTheRestart)
{
    std::latch begun(1);
    std::latch gate(1);
    for (int i = 0; i < 40; ++i) outbox.add(EffectKind::ticket_paid);
    start([&](const Effect& effect) {
        if (effect.id == 1) begun.count_down();
        gate.wait();
        ledger.count(effect);
    });
    begun.wait();
    std::thread stopper([&] { runner->stop(); });
    gate.count_down();
    stopper.join();
    stop();
    clock.add(10min);
    start([&](const Effect& effect) { ledger.count(effect); });
    EXPECT_TRUE(outbox.wait_for_empty());
    for (int id = 1; id <= 40; ++id) EXPECT_EQ(ledger.times(id), 1) << id;
}

TEST_F(Jobs, AreDoneAgainWhenTheStoreBrokeDownBeforeItKnew)
{
    const auto id = outbox.add(EffectKind::ticket_paid);
    start([&](const Effect& effect) {
        outbox.break_down();
        ledger.count(effect);
    });
    ASSERT_TRUE(ledger.wait_for(id, 1));
    stop();
    EXPECT_TRUE(outbox.row(id));
    outbox.mend();
    clock.add(10min);
    start([&](const Effect& effect) { ledger.count(effect); });
    EXPECT_TRUE(outbox.wait_for_empty());
    EXPECT_EQ(ledger.times(id), 2);
}

TEST_F(Jobs, GoOnOnceABrokenStoreIsWellAgain)
{
    const auto id = outbox.add(EffectKind::ticket_paid);
    outbox.break_down();
    start([&](const Effect& effect) { ledger.count(effect); });
    outbox.mend();
    EXPECT_TRUE(outbox.wait_for_empty());
    EXPECT_EQ(ledger.times(id), 1);
}

class SendingMailer final : public Mailer
{
public:
    void send(const Mail& mail) override
    {
        const std::lock_guard lock(mutex);
        sent.push_back(mail.key);
    }
    std::mutex mutex;
    std::vector<std::string> sent;
};

TEST_F(Jobs, SendNoMailTwiceWhenTheirEffectIsDeliveredTwice)
{
    outbox.users[UserId{2}] = {UserId{2}, "Anna", "anna@example.org", {}, {}};
    outbox.events[EventId{1}].id = EventId{1};
    for (const std::int64_t id : {1, 2, 3})
        outbox.tickets[TicketId{id}] = {TicketId{id}, UserId{2}, EventId{1}, {}, {}, {}, {}, {}};
    const FakeZones zones;
    SendingMailer mailer;
    const Notices notices(outbox, clock, zones, mailer, [&](Act act) { return carry_out(*lane, std::move(act), 5s); }, {});
    start([&](const Effect& effect) { notices.tell(effect); }, &stream);
    const std::vector<TicketId> tickets = {TicketId{1}, TicketId{2}, TicketId{3}};
    const auto id = outbox.add(EffectKind::hold_expired, tickets);
    const Effect again{id, EffectKind::hold_expired, EventId{1}, tickets, {}, 0};
    for (int i = 0; i < 3; ++i) stream.add({&again, 1});
    // Deliveries that met while one of them had the turn are put off.
    ASSERT_TRUE(outbox.wait_until([&](const Rows& rows) {
        clock.add(10s);
        return rows.empty();
    }));
    ASSERT_TRUE(stream.wait_until_nothing_is_left());
    stop();
    std::sort(mailer.sent.begin(), mailer.sent.end());
    EXPECT_EQ(mailer.sent, (std::vector<std::string>{"hold_expired:1", "hold_expired:2", "hold_expired:3"}));
}

TEST_F(Jobs, GoThroughTheStreamAndAreAcknowledged)
{
    for (int i = 0; i < 300; ++i) outbox.add(EffectKind::ticket_paid);
    start([&](const Effect& effect) { ledger.count(effect); }, &stream);
    EXPECT_TRUE(outbox.wait_for_empty());
    EXPECT_TRUE(stream.wait_until_nothing_is_left());
    for (int id = 1; id <= 300; ++id) EXPECT_EQ(ledger.times(id), 1) << id;
}

TEST_F(Jobs, ThatDieAreBuriedInTheStreamToo)
{
    const auto id = outbox.add(EffectKind::ticket_paid);
    start([&](const Effect&) { throw MailFailure("no such address", Hope::none); }, &stream);
    ASSERT_TRUE(outbox.wait_until([&](const Rows& rows) { return rows.at(id).dead; }));
    ASSERT_TRUE(stream.wait_until_nothing_is_left());
    EXPECT_EQ(stream.dead(), (std::map<std::int64_t, std::string>{{id, "no such address"}}));
}

TEST_F(Jobs, AreNotAcknowledgedWhileTheStoreDoesNotKnow)
{
    const auto id = outbox.add(EffectKind::ticket_paid);
    start(
        [&](const Effect& effect) {
            if (ledger.times(id) == 0) outbox.break_down();
            ledger.count(effect);
        },
        &stream);
    ASSERT_TRUE(ledger.wait_for(id, 1));
    runner->stop();
    EXPECT_EQ(stream.counts().waiting, 1);
    stop();
    outbox.mend();
    start([&](const Effect& effect) { ledger.count(effect); }, &stream);
    stream.deliver_abandoned_again();
    EXPECT_TRUE(outbox.wait_for_empty());
    EXPECT_TRUE(stream.wait_until_nothing_is_left());
    EXPECT_EQ(ledger.times(id), 2);
}

TEST_F(Jobs, WaitWhileTheStreamIsAwayAndNoneIsLostNorCountedAsTried)
{
    stream.go_away();
    for (int i = 0; i < 150; ++i) outbox.add(EffectKind::ticket_paid);
    start([&](const Effect& effect) { ledger.count(effect); }, &stream);
    EXPECT_EQ(outbox.size(), 150U);
    stream.come_back();
    EXPECT_TRUE(outbox.wait_for_empty());
    for (int id = 1; id <= 150; ++id) EXPECT_EQ(ledger.times(id), 1) << id;
    EXPECT_TRUE(counted("boxoffice_jobs_total{kind=\"ticket_paid\",result=\"failed\"} 0\n"));
}

TEST_F(Jobs, AreKeptInHandWhenTheStreamGoesAfterTheyWereTaken)
{
    stream.refuse_adds(3);
    const auto id = outbox.add(EffectKind::ticket_paid);
    start([&](const Effect& effect) { ledger.count(effect); }, &stream);
    EXPECT_TRUE(outbox.wait_for_empty()) << "no time has passed";
    EXPECT_EQ(ledger.times(id), 1);
}

TEST_F(Jobs, OfAStreamThatLostItsMemoryAreAddedAgain)
{
    JobRunner::Options options = quick();
    options.threads = 1;
    std::latch begun(1);
    std::latch gate(1);
    const auto held = outbox.add(EffectKind::ticket_paid);
    start(
        [&](const Effect& effect) {
            ledger.count(effect);
            if (effect.id != held || ledger.times(held) > 1) return;
            begun.count_down();
            gate.wait();
        },
        &stream, options);
    begun.wait();
    const auto lost = outbox.add(EffectKind::ticket_paid);
    ASSERT_TRUE(outbox.wait_until([&](const Rows& rows) { return rows.at(lost).due_at > clock.now(); })) << "on its way";
    stream.go_away();
    stream.come_back_empty();
    gate.count_down();
    EXPECT_TRUE(outbox.wait_until([&](const Rows& rows) {
        clock.add(1min);
        return rows.empty();
    }));
    EXPECT_GE(ledger.times(lost), 1);
}

TEST_F(Jobs, LeaveTheRestInTheOutboxWhileTheStreamIsFull)
{
    JobRunner::Options options = quick();
    options.batch = 10;
    options.threads = 1;
    std::latch gate(1);
    for (int i = 0; i < 400; ++i) outbox.add(EffectKind::ticket_paid);
    start(
        [&](const Effect& effect) {
            gate.wait();
            ledger.count(effect);
        },
        &stream, options);
    ASSERT_TRUE(outbox.wait_until([&](const Rows& rows) { return rows.at(100).due_at > clock.now(); }));
    ASSERT_TRUE(stream.wait_until_asked(3));
    EXPECT_EQ(stream.counts().waiting, 100);
    EXPECT_LE(outbox.row(101)->due_at, clock.now()) << "taken";
    gate.count_down();
    EXPECT_TRUE(outbox.wait_for_empty());
    for (int id = 1; id <= 400; ++id) EXPECT_EQ(ledger.times(id), 1) << id;
}

TEST_F(Jobs, StopPromptlyWhateverIsWaitedFor)
{
    for (JobStream* const through : {static_cast<JobStream*>(nullptr), static_cast<JobStream*>(&stream)}) {
        stream.go_away();
        outbox.add(EffectKind::ticket_paid);
        start([](const Effect&) { throw std::runtime_error("no"); }, through);
        const auto begun = std::chrono::steady_clock::now();
        stop();
        EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
    }
}

}  // namespace
}  // namespace boxoffice
