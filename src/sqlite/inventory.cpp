#include "sqlite/inventory.hpp"

namespace boxoffice::sqlite
{

Inventory::Stock* Inventory::find(EventId event)
{
    if (const auto found = stocks_.find(event); found != stocks_.end()) return &found->second;
    Rows rows = db_.query(
        "SELECT i.total, i.sold, e.end_time, i.pace, i.paced_at FROM events e JOIN inventory i ON i.event_id = e.id "
        "WHERE e.id = ?1 AND e.removed_at IS NULL",
        event);
    if (!rows.next()) return nullptr;
    Stock stock;
    stock.total = rows.integer(0);
    stock.sold = rows.integer(1);
    stock.end_time = rows.instant(2);
    stock.pace = {rows.real(3), rows.instant(4)};
    return &stocks_.emplace(event, stock).first->second;
}

void Inventory::sell(Stock& stock, std::int64_t count, Instant now)
{
    stock.sold += count;
    stock.unsaved += count;
    stock.changed = true;
    if (stock.sold < 0 || stock.sold > stock.total) throw StoreFailure(Code::internal, "a counter would leave its bounds");
    if (count > 0) stock.pace = advance(stock.pace, now, static_cast<double>(count));
}

void Inventory::save_one(EventId event, Stock& stock)
{
    if (!stock.changed) return;
    const auto changed = db_.execute(
        "UPDATE inventory SET sold = sold + ?2, pace = ?3, paced_at = ?4 WHERE event_id = ?1 AND sold + ?2 BETWEEN 0 AND total",
        event, stock.unsaved, stock.pace.tickets_a_day, stock.pace.as_of);
    if (changed != 1)
        throw StoreFailure(Code::internal, "the guard of event " + std::to_string(event.value) + " refused its counter");
    stock.unsaved = 0;
    stock.changed = false;
    saved_.insert_or_assign(event, Saved{stock.sold, stock.pace});
}

void Inventory::forget(EventId event)
{
    const auto found = stocks_.find(event);
    if (found == stocks_.end()) return;
    save_one(event, found->second);
    stocks_.erase(found);
}

void Inventory::save()
{
    for (auto& [event, stock] : stocks_) save_one(event, stock);
}

void Inventory::tell(Places& places) const
{
    for (const auto& [event, saved] : saved_) places.count(event, saved.sold, saved.pace);
}

}  // namespace boxoffice::sqlite
