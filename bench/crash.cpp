#include <cstdio>
#include <random>
#include <stdexcept>
#include <utility>

#include "client.hpp"
#include "machine.hpp"
#include "scenarios.hpp"
#include "table.hpp"
#include "traffic.hpp"

namespace boxoffice::bench
{
namespace
{

constexpr unsigned kConnections = 64;
constexpr double kShortestLoad = 0.5;
constexpr double kLongestLoad = 2.5;
constexpr double kCheckSecondsMax = 300;
constexpr double kDoctorSecondsMax = 120;
constexpr int kShownLosses = 5;

/// A ticket that the server has said yes to: what a crash must not take back.
struct Promise {
    std::int64_t ticket = 0;
    std::size_t person = 0;
    bool paid = false;
};

std::string reference_of(std::int64_t ticket) { return "crash-" + std::to_string(ticket); }

/// Each connection reserves, pays what it reserved, and so on; keeps every promise it was given.
class BuyTraffic : public Traffic
{
public:
    BuyTraffic(const std::vector<Person>& people, std::int64_t event, std::vector<Promise>& promises)
        : people_(people), promises_(promises), slots_(kConnections)
    {
        for (const Person& person : people) reservations_.push_back(reserve_request(person, event));
    }

    std::optional<std::string_view> next(std::size_t slot) override
    {
        Slot& mine = slots_[slot];
        const std::size_t person = slot % people_.size();
        if (!mine.reserved) return reservations_[person];
        const std::int64_t ticket = promises_[*mine.reserved].ticket;
        mine.payment = compose_request("POST", "/api/v1/tickets/" + std::to_string(ticket) + "/pay", people_[person].token,
                                       R"({"payment_reference":")" + reference_of(ticket) + R"("})");
        return mine.payment;
    }

    Verdict answered(std::size_t slot, const Answer& answer) override
    {
        Slot& mine = slots_[slot];
        const auto reserved = std::exchange(mine.reserved, std::nullopt);
        if (reserved) {
            if (answer.status != 200) return Verdict::bad;
            promises_[*reserved].paid = true;
            return Verdict::good;
        }
        const auto ticket = integer_member(answer.body, "id");
        if (answer.status != 201 || !ticket) return Verdict::bad;
        mine.reserved = promises_.size();
        promises_.push_back({*ticket, slot % people_.size(), false});
        return Verdict::good;
    }

private:
    struct Slot {
        std::optional<std::size_t> reserved;  // the promise to be paid next
        std::string payment;
    };
    const std::vector<Person>& people_;
    std::vector<Promise>& promises_;
    std::vector<std::string> reservations_;
    std::vector<Slot> slots_;
};

/// Asks for every promised ticket once.
class CheckTraffic : public Traffic
{
public:
    CheckTraffic(const std::vector<Person>& people, const std::vector<Promise>& promises)
        : people_(people), promises_(promises), slots_(kConnections)
    {
    }

    std::optional<std::string_view> next(std::size_t slot) override
    {
        if (at_ == promises_.size()) return std::nullopt;
        Slot& mine = slots_[slot];
        mine.promise = at_++;
        const Promise& promise = promises_[mine.promise];
        mine.request =
            compose_request("GET", "/api/v1/tickets/" + std::to_string(promise.ticket), people_[promise.person].token, {});
        return mine.request;
    }

    Verdict answered(std::size_t slot, const Answer& answer) override
    {
        const Promise& promise = promises_[slots_[slot].promise];
        if (kept(promise, answer)) return Verdict::good;
        if (++broken_ <= kShownLosses) {
            std::fprintf(stderr, "  ticket %lld, %s: %d %.*s\n", static_cast<long long>(promise.ticket),
                         promise.paid ? "acknowledged as paid" : "acknowledged", answer.status,
                         static_cast<int>(answer.body.size()), answer.body.data());
        }
        return Verdict::bad;
    }

private:
    struct Slot {
        std::size_t promise = 0;
        std::string request;
    };

    static bool kept(const Promise& promise, const Answer& answer)
    {
        if (answer.status != 200 || integer_member(answer.body, "id") != promise.ticket) return false;
        if (!promise.paid) return true;
        return text_member(answer.body, "status") == "paid" &&
               text_member(answer.body, "payment_reference") == reference_of(promise.ticket);
    }

    const std::vector<Person>& people_;
    const std::vector<Promise>& promises_;
    std::vector<Slot> slots_;
    std::size_t at_ = 0;
    int broken_ = 0;
};

/// Loads the server, kills it at a random moment, and reads what it had still answered. Returns the load's seconds.
double load_and_kill(ServerProcess& server, BuyTraffic& traffic, double seconds)
{
    Tally tally;
    Loop loop(server.port());
    loop.add(traffic, {kConnections, 0, OnLoss::rest}, tally);
    loop.run_for(seconds);
    server.kill();
    loop.run_dry(10);
    if (tally.bad > 0) complain_of(tally);
    return seconds;
}

}  // namespace

bool run_crash(const Options& options)
{
    const TemporaryFolder folder(options.folder);
    const auto data = folder.path() / "data";
    const Program program = program_of(options);
    const auto arguments = serve_arguments(options.hold_seconds, 4);
    auto server = std::make_unique<ServerProcess>(program, data, arguments);
    const auto people = enrol(server->port(), options.people, "buyer");
    const std::int64_t event = create_event(server->port(), people.front(), "On sale", 1'000'000'000);
    std::vector<Promise> promises;
    std::mt19937_64 random(options.seed);
    std::uniform_real_distribution<double> moment(kShortestLoad, kLongestLoad);
    Table table("crash: kill -9 under reservations and payments on 64 connections (wanted: nothing lost, doctor content)",
                {{"load s", 2}, {"promised"}, {"in all"}, {"paid"}, {"lost"}, {"ready ms", 1}, {"doctor"}});
    bool kept = true;
    for (unsigned cycle = 0; cycle < options.cycles; ++cycle) {
        const std::size_t before = promises.size();
        BuyTraffic buying(people, event, promises);
        const double loaded = load_and_kill(*server, buying, moment(random));
        server = std::make_unique<ServerProcess>(program, data, arguments);
        CheckTraffic checking(people, promises);
        Tally checked;
        {
            Loop loop(server->port());
            loop.add(checking, {kConnections}, checked);
            loop.run_dry(kCheckSecondsMax);
        }
        const auto log = folder.path() / "doctor.log";
        const int doctor = run_to_end(program, {"doctor", "--data", data.string()}, log, kDoctorSecondsMax);
        if (doctor != 0) std::fprintf(stderr, "%s\n", tail_of(log).c_str());
        const auto lost = promises.size() - checked.good;
        std::size_t paid = 0;
        for (const Promise& promise : promises) paid += promise.paid ? 1 : 0;
        table.add({loaded, static_cast<double>(promises.size() - before), static_cast<double>(promises.size()),
                   static_cast<double>(paid), static_cast<double>(lost), server->ready_ms(), static_cast<double>(doctor)});
        kept = kept && lost == 0 && doctor == 0 && promises.size() > before;
    }
    server->stop();
    std::printf(kept ? "nothing acknowledged was lost\n" : "A PROMISE WAS BROKEN\n");
    return kept;
}

}  // namespace boxoffice::bench
