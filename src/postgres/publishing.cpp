#include <algorithm>

#include "postgres/batch.hpp"

/// How many events an account may add in a day.
namespace boxoffice::postgres
{

namespace
{

constexpr std::string_view kPublished =
    "SELECT w.organizer, e.created_at FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w(organizer, skipped, wanted) "
    "CROSS JOIN LATERAL (SELECT created_at FROM events WHERE organizer_id = w.organizer ORDER BY created_at DESC OFFSET "
    "w.skipped "
    "LIMIT w.wanted) e ORDER BY w.organizer, e.created_at DESC";

}  // namespace

void Wanted::add_publisher(const AddEvent& act)
{
    auto& publishing = publishers[act.organizer];
    publishing.most_a_day = act.most_a_day;
    ++publishing.adds;
}

void ask_published(const Wanted& wanted, Facts& facts, const Ask& ask)
{
    if (wanted.publishers.empty()) return;
    std::vector<UserId> organizers;
    std::vector<std::int64_t> skipped, adds;
    for (const auto& [organizer, publishing] : wanted.publishers) {
        organizers.push_back(organizer);
        skipped.push_back(std::max<std::int64_t>(0, publishing.most_a_day - publishing.adds));
        adds.push_back(publishing.adds);
        facts.published[organizer].skipped = skipped.back();
    }
    ask(kPublished, std::move(Params().ids(organizers).integers(skipped).integers(adds)), [&facts](const Rows& rows) {
        for (int row = 0; row < rows.count(); ++row)
            facts.published[rows.id<UserId>(row, 0)].newest.push_back(rows.instant(row, 1));
    });
}

std::optional<Instant> Batch::nth_newest(const AddEvent& act) const
{
    const Facts::Published& published = facts_.published.at(act.organizer);
    const std::int64_t rank = act.most_a_day - published.added;  // among those that were there before this batch
    if (rank <= 0) return act.now;
    const auto place = static_cast<std::size_t>(rank - 1 - published.skipped);
    if (place >= published.newest.size()) return std::nullopt;
    return published.newest[place];
}

}  // namespace boxoffice::postgres
