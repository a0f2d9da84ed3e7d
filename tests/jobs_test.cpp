#include "runtime/jobs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "app/mail_notifier.hpp"
#include "fake_zones.hpp"
#include "jobs_fixture.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;
using Row = FakeOutbox::Row;
using Rows = std::map<std::int64_t, Row>;
using Kind = MailFailure::Kind;

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
    start([&](const Effect&) { throw MailFailure("no such address", Kind::permanent); });
    ASSERT_TRUE(outbox.wait_until([&](const Rows& rows) { return rows.at(id).dead; }));
    EXPECT_EQ(outbox.row(id)->effect.tries, 1);
}

TEST_F(Jobs, TakenByAProcessThatDiedAreTakenUpOnceItsLeaseHasLapsed)
{
    const auto id = outbox.add(EffectKind::ticket_paid);
    WriteJob taking{TakeEffects{clock.now(), 10, clock.now() + 2min}, {}, {}};
    WriteJob* const one = &taking;
    outbox.execute({&one, 1});
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

TEST_F(Jobs, ThatAreMessagesAreLeftToWhoCanSendThem)
{
    const auto paid = outbox.add(EffectKind::ticket_paid);
    const auto lapsed = outbox.add(EffectKind::hold_expired);
    const auto changed = outbox.add(EffectKind::event_changed);
    JobRunner::Options options = quick();
    options.mail = false;
    start([&](const Effect& effect) { ledger.count(effect); }, nullptr, options);
    ASSERT_TRUE(ledger.wait_for(changed, 1));
    const auto another = outbox.add(EffectKind::event_changed);
    ASSERT_TRUE(ledger.wait_for(another, 1));
    stop();
    EXPECT_EQ(ledger.times(paid) + ledger.times(lapsed), 0);
    EXPECT_EQ(outbox.row(paid)->due_at, Instant{}) << "not even hidden from others";
    start([&](const Effect& effect) { ledger.count(effect); });
    EXPECT_TRUE(outbox.wait_for_empty());
    EXPECT_EQ(ledger.times(paid), 1);
    EXPECT_EQ(ledger.times(lapsed), 1);
}

class SendingMailer final : public Mailer
{
public:
    void send(const Mail& mail) override
    {
        const std::lock_guard lock(mutex);
        sent.push_back(mail.key);
        if (after_each) after_each();
    }
    std::mutex mutex;
    std::vector<std::string> sent;
    std::function<void()> after_each;
};

/// Jobs that are mails about tickets of three people.
class Mails : public Jobs
{
protected:
    Mails()
    {
        outbox.events[EventId{1}].id = EventId{1};
        for (const std::int64_t n : {1, 2, 3}) {
            outbox.users[UserId{n}] = {UserId{n}, "Anna", "anna" + std::to_string(n) + "@example.org", {}, {}};
            outbox.tickets[TicketId{n}] = {TicketId{n}, UserId{n}, EventId{1}, TicketStatus::expired, {}, {}, {}, {}};
        }
    }
    void start_mails(JobStream* through = nullptr)
    {
        start(
            [this](const Effect& effect) {
                if (notifier.notify(effect) == MailNotifier::Progress::partial) throw JobLeftOff();
            },
            through);
    }
    std::vector<std::string> sent()
    {
        const std::lock_guard lock(mailer.mutex);
        auto keys = mailer.sent;
        std::sort(keys.begin(), keys.end());
        return keys;
    }

    const std::vector<TicketId> tickets = {TicketId{1}, TicketId{2}, TicketId{3}};
    const std::vector<std::string> all_sent = {"hold_expired:1:1:0", "hold_expired:1:2:0", "hold_expired:1:3:0"};
    const FakeZones zones;
    SendingMailer mailer;
    std::function<bool()> stopping = [] { return false; };  // asked after every try at what is insisted on, too
    const MailNotifier notifier{outbox,
                                clock,
                                zones,
                                mailer,
                                {.execute = [this](const Act& act) { return submit_and_wait(*lane, act, 5s); },
                                 .execute_with_retries =
                                     [this](const Act& act) {
                                         return submit_with_retries(*lane, act,
                                                                    {.pause = 1ms, .stopping = [this] { return stopping(); }});
                                     },
                                 .stopping = [this] { return stopping(); }},
                                {}};
};

TEST_F(Mails, AreNotSentTwiceWhenTheirEffectIsDeliveredTwice)
{
    start_mails(&stream);
    const auto id = outbox.add(EffectKind::hold_expired, tickets);
    const Effect again{id, EffectKind::hold_expired, EventId{1}, tickets, {}, 0};
    for (int i = 0; i < 3; ++i) stream.add({&again, 1});
    // Deliveries that met while one of them had the turn are put off.
    ASSERT_TRUE(outbox.wait_until([&](const Rows& rows) {
        clock.add(10s);
        return rows.empty();
    }));
    stream.deliver_abandoned_again();  // such as were left off because so much time passed under their hands
    ASSERT_TRUE(stream.wait_until_nothing_is_left());
    stop();
    EXPECT_EQ(sent(), all_sent);
}

TEST_F(Mails, AreNotSentTwiceWhenTheStoreIsAwayForAWhileRightAfterwards)
{
    std::atomic<bool> broken{false};
    std::atomic<int> asked_while_broken{0};
    mailer.after_each = [&] {
        outbox.break_down();
        asked_while_broken = 0;
        broken = true;
    };
    stopping = [&] {
        if (broken && ++asked_while_broken == 10) {
            broken = false;
            outbox.mend();
        }
        return false;
    };
    outbox.add(EffectKind::hold_expired, tickets);
    start_mails();
    EXPECT_TRUE(outbox.wait_for_empty()) << "no time has passed";
    stop();
    EXPECT_EQ(sent(), all_sent);
    EXPECT_TRUE(counted("boxoffice_jobs_total{kind=\"hold_expired\",result=\"failed\"} 0\n"));
}

TEST_F(Mails, OfOneEffectAreLeftOffByAStopAndTheRestIsSentAfterTheRestart)
{
    std::latch begun(1);
    std::latch gate(1);
    std::atomic<bool> to_end{false};
    stopping = [&] { return to_end.load(); };
    mailer.after_each = [&] {
        if (mailer.sent.size() > 1) return;
        begun.count_down();
        gate.wait();
    };
    const auto id = outbox.add(EffectKind::hold_expired, tickets);
    start_mails();
    begun.wait();
    to_end = true;
    gate.count_down();
    stop();
    EXPECT_EQ(sent().size(), 1U);
    ASSERT_TRUE(outbox.row(id));
    EXPECT_EQ(outbox.row(id)->effect.tries, 0);
    to_end = false;
    clock.add(2min);
    start_mails();
    EXPECT_TRUE(outbox.wait_for_empty());
    stop();
    EXPECT_EQ(sent(), all_sent);
}

TEST_F(Jobs, LeftOffAreNoFailedTryAndGoOnOnceTheirLeaseHasLapsed)
{
    const auto id = outbox.add(EffectKind::hold_expired);
    std::atomic<int> tries = -1;
    start([&](const Effect& effect) {
        tries = effect.tries;
        ledger.count(effect);
        if (ledger.times(id) == 1) throw JobLeftOff();
    });
    ASSERT_TRUE(ledger.wait_for(id, 1));
    const auto other = outbox.add(EffectKind::ticket_paid);
    ASSERT_TRUE(ledger.wait_for(other, 1));
    EXPECT_EQ(ledger.times(id), 1) << "its lease has not lapsed";
    EXPECT_TRUE(outbox.wait_until([&](const Rows& rows) {
        clock.add(30s);
        return rows.empty();
    }));
    EXPECT_EQ(ledger.times(id), 2);
    EXPECT_EQ(tries, 0);
    EXPECT_TRUE(counted("boxoffice_jobs_total{kind=\"hold_expired\",result=\"failed\"} 0\n"));
}

TEST_F(Jobs, LeftOffStayInTheStreamForWhoeverClaimsThem)
{
    const auto id = outbox.add(EffectKind::hold_expired);
    start(
        [&](const Effect& effect) {
            ledger.count(effect);
            if (ledger.times(id) == 1) throw JobLeftOff();
        },
        &stream);
    ASSERT_TRUE(ledger.wait_for(id, 1));
    runner->stop();
    EXPECT_EQ(stream.counts().waiting, 1);
    EXPECT_EQ(outbox.row(id)->effect.tries, 0);
    stop();
    start([&](const Effect& effect) { ledger.count(effect); }, &stream);
    stream.deliver_abandoned_again();
    EXPECT_TRUE(outbox.wait_for_empty());
    EXPECT_TRUE(stream.wait_until_nothing_is_left());
}

TEST_F(Jobs, ThatFailAreRememberedWithWholeCharactersOfTheReason)
{
    const std::map<std::string, std::string> kept = {
        {std::string(499, 'x') + "\u00e9 and more", std::string(499, 'x')},
        {std::string(498, 'x') + "\u00e9 and more", std::string(498, 'x') + "\u00e9"},
        {std::string(497, 'x') + "\U0001f39f and more", std::string(497, 'x')},
        {std::string(600, 'x'), std::string(500, 'x')},
    };
    std::map<std::int64_t, std::string> reasons;
    for (const auto& [reason, rest] : kept) reasons[outbox.add(EffectKind::ticket_paid)] = reason;
    start([&](const Effect& effect) { throw std::runtime_error(reasons.at(effect.id)); });
    for (const auto& [id, reason] : reasons) {
        ASSERT_TRUE(wait_for_try(id, 1));
        EXPECT_EQ(outbox.row(id)->why, kept.at(reason));
    }
}

class Retrying : public Jobs
{
protected:
    Outcome retry_for(Micros patience, const Act& act = MarkMailSent{"ticket_paid:7", {}})
    {
        lane = std::make_unique<WriteLane>(outbox, WriteLane::Options{}, metrics);
        return submit_with_retries(*lane, act,
                                   {.patience = patience, .pause = 1ms, .stopping = [this] { return asked(++tries_in_vain); }});
    }
    static std::optional<Code> code_of(const Outcome& outcome)
    {
        const Error* const error = std::get_if<Error>(&outcome);
        return error != nullptr ? std::optional(error->code) : std::nullopt;
    }

    int tries_in_vain = 0;
    std::function<bool(int)> asked = [](int) { return false; };
};

TEST_F(Retrying, GoesOnUntilTheStoreIsWellAgain)
{
    outbox.break_down();
    asked = [this](int tries) {
        if (tries == 5) outbox.mend();
        return false;
    };
    EXPECT_TRUE(std::holds_alternative<Done>(retry_for(10s)));
    EXPECT_EQ(tries_in_vain, 5);
    EXPECT_TRUE(outbox.turns.at("ticket_paid:7").sent);
}

TEST_F(Retrying, EndsWithTheProcess)
{
    outbox.break_down();
    asked = [](int tries) { return tries == 2; };
    EXPECT_EQ(code_of(retry_for(10s)), Code::storage_failed);
    EXPECT_EQ(tries_in_vain, 2);
}

TEST_F(Retrying, EndsWithItsPatience)
{
    outbox.break_down();
    EXPECT_EQ(code_of(retry_for(20ms)), Code::storage_failed);
    EXPECT_GE(tries_in_vain, 1);
}

TEST_F(Retrying, TakesAnAnswerForAnAnswer)
{
    EXPECT_EQ(code_of(retry_for(10s, Reserve{EventId{1}, UserId{2}, 120s, {}})), Code::internal);
    EXPECT_EQ(tries_in_vain, 0);
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
    start([&](const Effect&) { throw MailFailure("no such address", Kind::permanent); }, &stream);
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
