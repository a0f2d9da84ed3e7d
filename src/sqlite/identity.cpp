#include "sqlite/identity.hpp"

namespace boxoffice::sqlite
{

StoreIdentity read_identity(Connection& db)
{
    Rows rows = db.query("SELECT id, generation, plain_until FROM store_identity");
    if (!rows.next()) throw StoreFailure(Code::storage_failed, "the store has lost its identity: its table has no row");
    return {std::string(rows.text(0)), rows.integer(1), rows.instant(2)};
}

std::int64_t read_ids_after(Connection& db)
{
    Rows rows = db.query("SELECT ids_after FROM store_identity");
    return rows.next() ? rows.integer(0) : 0;
}

std::optional<Instant> latest_instant(Connection& db)
{
    {
        Rows rows = db.query(
            "SELECT max(created_at, ifnull(paid_at, 0)) FROM tickets WHERE id > ifnull((SELECT clock_ticket FROM "
            "store_identity), "
            "0) "
            "ORDER BY id DESC LIMIT 1");
        if (rows.next()) return rows.instant(0);
    }
    Rows rows = db.query("SELECT clock_accepted_at FROM store_identity WHERE clock_accepted_at IS NOT NULL");
    if (!rows.next()) return std::nullopt;
    return rows.instant(0);
}

}  // namespace boxoffice::sqlite
