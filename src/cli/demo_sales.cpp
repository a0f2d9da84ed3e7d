#include "cli/demo_sales.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <unordered_set>

namespace boxoffice::cli
{
namespace
{

constexpr std::size_t kBatch = 512;         // as the write lane does: beyond a few hundred the sync no longer dominates
constexpr std::size_t kBatchesToIdle = 32;  // how often the write-ahead log is folded back into the file
constexpr Micros kHistory = std::chrono::hours(24 * 60);
constexpr Micros kEventsAfter = std::chrono::hours(1);
constexpr Micros kSalesAfter = std::chrono::hours(24 * 30);
constexpr Micros kHold = std::chrono::minutes(2);

/// One ticket to sell: of which event, and when within the sales period, 0..1.
struct Sale {
    std::size_t event = 0;
    std::int64_t number = 0;
    double when = 0;
};

std::uint64_t mixed(std::uint64_t x)
{
    x += 0x9E3779B97F4A7C15U;  // splitmix64 (Steele, Lea, Flood 2014)
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
}

/// Good enough to tell who lives nearer; not a distance.
double squared_degrees(const GeoPoint& a, const GeoPoint& b)
{
    const double up = a.latitude - b.latitude;
    const double along = std::remainder(a.longitude - b.longitude, 360.0) * std::max(0.0, 1.0 - std::abs(a.latitude) / 90);
    return up * up + along * along;
}

class Player
{
public:
    Player(Store& store, const demo::Catalogue& catalogue, Instant before, const DemoProgress& progress)
        : store_(store), catalogue_(catalogue), start_(before - kHistory), end_(before), progress_(progress)
    {
        for (const demo::DemoEvent& event : catalogue.events) to_sell_ += event.sold;
        work_ = static_cast<std::int64_t>(catalogue.organizers.size() + catalogue.buyers.size() + catalogue.events.size()) +
                2 * to_sell_;
    }

    DemoTotals play()
    {
        organizers_ = add_people(catalogue_.organizers);
        buyers_ = add_people(catalogue_.buyers);
        add_events();
        sell();
        store_.idle();
        return totals_;
    }

private:
    std::vector<UserId> add_people(const std::vector<demo::DemoPerson>& people);
    void add_events();
    void sell();
    void sell_batch(std::span<const Sale> sales, Instant from);
    /// No mail is sent about tickets of the demo: their outbox rows are removed again.
    void forget_effects(const std::unordered_set<TicketId>& paid, Instant now);
    [[nodiscard]] std::vector<Sale> sales_in_order() const;
    [[nodiscard]] UserId buyer_of(const Sale& sale) const;
    void execute(std::vector<WriteJob>& jobs);

    /// What an act was for, or a failure with the store's own words.
    template <class Wanted>
    static const Wanted& made(const WriteJob& job, std::string_view what)
    {
        if (const auto* const wanted = std::get_if<Wanted>(&job.outcome)) return *wanted;
        const auto* const error = std::get_if<Error>(&job.outcome);
        throw std::runtime_error(
            fmt::format("The store would not take {}: {}", what, error != nullptr ? error->message : "no answer"));
    }

    Store& store_;
    const demo::Catalogue& catalogue_;
    const Instant start_;
    const Instant end_;
    const DemoProgress& progress_;
    std::int64_t to_sell_ = 0;
    std::int64_t work_ = 0;
    std::int64_t done_ = 0;
    std::size_t batches_ = 0;
    std::vector<UserId> organizers_;
    std::vector<UserId> buyers_;
    std::vector<EventId> events_;
    DemoTotals totals_;
};

void Player::execute(std::vector<WriteJob>& jobs)
{
    std::vector<WriteJob*> pointers;
    pointers.reserve(jobs.size());
    for (WriteJob& job : jobs) pointers.push_back(&job);
    store_.execute(pointers);
    if (++batches_ % kBatchesToIdle == 0) store_.idle();
    done_ += static_cast<std::int64_t>(jobs.size());
    progress_(done_, work_);
}

std::vector<UserId> Player::add_people(const std::vector<demo::DemoPerson>& people)
{
    std::vector<UserId> ids;
    ids.reserve(people.size());
    for (std::size_t from = 0; from < people.size(); from += kBatch) {
        std::vector<WriteJob> jobs;
        for (std::size_t i = from; i < std::min(from + kBatch, people.size()); ++i) {
            const demo::DemoPerson& person = people[i];
            // "!" is no bcrypt hash, so no password opens these accounts.
            jobs.push_back({.act = AddUser{person.email, person.name, "!", person.home, start_}, .claim = {}, .outcome = {}});
        }
        execute(jobs);
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            const auto* const refusal = std::get_if<Error>(&jobs[i].outcome);
            if (refusal != nullptr && refusal->code == Code::email_taken) {
                const auto login = store_.find_login(people[from + i].email);
                if (!login) throw std::runtime_error("The store knows an address that it cannot find.");
                ids.push_back(login->user);
            } else {
                ids.push_back(made<User>(jobs[i], "a person").id);
                ++totals_.people;
            }
        }
    }
    return ids;
}

void Player::add_events()
{
    const Instant first = start_ + kEventsAfter;
    const Micros step = (kSalesAfter - 2 * kEventsAfter) / static_cast<std::int64_t>(catalogue_.events.size() + 1);
    for (std::size_t from = 0; from < catalogue_.events.size(); from += kBatch) {
        std::vector<WriteJob> jobs;
        for (std::size_t i = from; i < std::min(from + kBatch, catalogue_.events.size()); ++i) {
            const demo::DemoEvent& event = catalogue_.events[i];
            const Instant now = first + step * static_cast<std::int64_t>(i);
            jobs.push_back({.act = AddEvent{organizers_.at(event.organizer), event.draft, now}, .claim = {}, .outcome = {}});
        }
        execute(jobs);
        for (const WriteJob& job : jobs) events_.push_back(made<Event>(job, "an event").id);
        totals_.events += static_cast<std::int64_t>(jobs.size());
    }
}

/// Each event sells evenly over the period, all of them side by side: so a popular event is also one that sells fast lately.
std::vector<Sale> Player::sales_in_order() const
{
    std::vector<Sale> sales;
    sales.reserve(static_cast<std::size_t>(to_sell_));
    for (std::size_t event = 0; event < catalogue_.events.size(); ++event) {
        const std::int64_t sold = catalogue_.events[event].sold;
        for (std::int64_t number = 0; number < sold; ++number) {
            sales.push_back({event, number, (static_cast<double>(number) + 0.5) / static_cast<double>(sold)});
        }
    }
    std::sort(sales.begin(), sales.end(), [](const Sale& a, const Sale& b) {
        return std::tie(a.when, a.event, a.number) < std::tie(b.when, b.event, b.number);
    });
    return sales;
}

/// Of a few drawn, the one who lives nearest: people mostly go out where they live.
UserId Player::buyer_of(const Sale& sale) const
{
    constexpr std::uint64_t kDrawn = 8;
    const GeoPoint& venue = catalogue_.events[sale.event].draft.venue.point;
    std::size_t best = 0;
    double least = HUGE_VAL;
    for (std::uint64_t i = 0; i < kDrawn; ++i) {
        const std::uint64_t drawn = mixed(mixed(sale.event) ^ mixed(static_cast<std::uint64_t>(sale.number) * kDrawn + i));
        const auto candidate = static_cast<std::size_t>(drawn % buyers_.size());
        const double far = squared_degrees(venue, catalogue_.buyers[candidate].home);
        if (far >= least) continue;
        least = far;
        best = candidate;
    }
    return buyers_[best];
}

void Player::sell_batch(std::span<const Sale> sales, Instant from)
{
    const Micros step = kHold / 2 / static_cast<std::int64_t>(kBatch);
    std::vector<WriteJob> jobs;
    for (std::size_t i = 0; i < sales.size(); ++i) {
        const Instant now = from + step * static_cast<std::int64_t>(i);
        jobs.push_back({.act = Reserve{events_[sales[i].event], buyer_of(sales[i]), kHold, now}, .claim = {}, .outcome = {}});
    }
    execute(jobs);
    std::vector<WriteJob> payments;
    for (const WriteJob& job : jobs) {
        const Ticket& ticket = made<Ticket>(job, "a reservation");
        const std::string reference = fmt::format("demo-{}", ticket.id.value);
        payments.push_back(
            {.act = Pay{ticket.id, ticket.user_id, reference, ticket.created_at + kHold / 2}, .claim = {}, .outcome = {}});
    }
    execute(payments);
    std::unordered_set<TicketId> paid;
    for (const WriteJob& job : payments) {
        paid.insert(made<Ticket>(job, "a payment").id);
        ++totals_.tickets;
    }
    forget_effects(paid, std::get<Pay>(payments.back().act).now);
}

void Player::forget_effects(const std::unordered_set<TicketId>& paid, Instant now)
{
    // No part of the work that is shown.
    WriteJob take{.act = TakeEffects{now, 2 * kBatch, now}, .claim = {}, .outcome = {}};  // a lease of no length
    WriteJob* one = &take;
    store_.execute(std::span(&one, 1));
    SettleEffects settle;
    for (const Effect& effect : made<Effects>(take, "a look at the outbox").taken) {
        if (effect.tickets.size() == 1 && paid.contains(effect.tickets.front())) settle.effects.push_back(effect.id);
    }
    WriteJob forget{.act = std::move(settle), .claim = {}, .outcome = {}};
    one = &forget;
    store_.execute(std::span(&one, 1));
}

void Player::sell()
{
    if (to_sell_ > 0 && buyers_.empty()) throw std::runtime_error("The catalogue has tickets sold and nobody who bought them.");
    const std::vector<Sale> sales = sales_in_order();
    const std::size_t batches = (sales.size() + kBatch - 1) / kBatch;
    const Instant first = start_ + kSalesAfter;
    // Times never run backwards from one act to the next, as they do not in life; and a batch takes as long as a hold, which
    // leaves room for eleven million tickets before `end_`: more than the largest catalogue sells.
    const Micros step = std::max((end_ - first) / static_cast<std::int64_t>(batches + 1), kHold);
    for (std::size_t batch = 0; batch < batches; ++batch) {
        const std::size_t from = batch * kBatch;
        const std::span<const Sale> some(sales.data() + from, std::min(kBatch, sales.size() - from));
        sell_batch(some, first + step * static_cast<std::int64_t>(batch));
    }
}

}  // namespace

DemoTotals play_catalogue(Store& store, const demo::Catalogue& catalogue, Instant before, const DemoProgress& progress)
{
    return Player(store, catalogue, before, progress).play();
}

}  // namespace boxoffice::cli
