#include "app/revive.hpp"

#include <algorithm>

namespace boxoffice
{

Revived revive(ArchiveTarget& store, Instant now)
{
    auto rows = std::get<std::vector<IdentityRow>>(store.next(std::vector<IdentityRow>{}, 1));
    if (rows.empty()) throw StoreFailure(Code::storage_failed, "The store has lost its identity: store_identity has no row.");
    IdentityRow& identity = rows.front();

    std::int64_t highest = identity.ids_after;
    for_each_table([&]<class Row>() { highest = std::max(highest, store.last_id(std::vector<Row>{})); });
    identity.ids_after = ids_after_restore(highest, now);
    identity.generation = generation_after(identity.generation, now);
    identity.plain_until = Instant{};

    // The ids first: where this breaks off, no number that is in the way has been given.
    for_each_table([&]<class Row>() {
        if (Row::kGivesIds) store.give_ids_after(std::vector<Row>{}, identity.ids_after);
    });
    const Revived revived{identity.ids_after, identity.generation};
    store.put(std::move(rows));
    store.still_alone();
    return revived;
}

}  // namespace boxoffice
