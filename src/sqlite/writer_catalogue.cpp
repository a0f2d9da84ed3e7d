#include <algorithm>

#include "core/refuse.hpp"
#include "core/search.hpp"
#include "sqlite/rows.hpp"
#include "sqlite/writer.hpp"
#include "text/text.hpp"

namespace boxoffice::sqlite
{

namespace
{

/// Due holds of an event that is to be removed lapse so many at a time: its lane has other sales to make in between.
constexpr std::int64_t kLapsedAtOnceToRemove = 2000;

Place place_of(const Event& event, Pace pace)
{
    return {event.id,           event.venue.point,   event.start_time,   event.end_time,
            event.organizer_id, event.total_tickets, event.tickets_sold, pace};
}

}  // namespace

Outcome Writer::act(const AddUser& act)
{
    User user;
    user.name = act.name;
    user.email = act.email;
    user.location = act.location;
    user.created_at = act.now;
    std::optional<double> latitude;
    std::optional<double> longitude;
    if (act.location) {
        latitude = act.location->latitude;
        longitude = act.location->longitude;
    }
    const std::string key = text::address_key(act.email);
    if (owner_of(key)) return refuse(Code::email_taken);
    try {
        db_.execute(
            "INSERT INTO users (id, email, email_folded, email_key, name, password_hash, latitude, longitude, created_at, "
            "updated_at) VALUES (?9, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
            act.email, fold_email(act.email), key, act.name, act.password_hash, latitude, longitude, act.now,
            first_id(Numbered::user));
    } catch (const SqliteError& error) {
        if (error.extended_code() == SQLITE_CONSTRAINT_UNIQUE) return refuse(Code::email_taken);
        throw;
    }
    user.id = UserId{given_id(Numbered::user)};
    return user;
}

Outcome Writer::act(const ChangeUser& act)
{
    std::optional<User> user;
    {
        Rows rows = db_.query("SELECT " BOXOFFICE_USER_COLUMNS " FROM users u WHERE u.id = ?1", act.user);
        if (rows.next()) user = read_user(rows);
    }
    if (!user) return refuse(Code::unauthenticated);
    if (act.name) user->name = *act.name;
    if (act.sets_location) user->location = act.location;
    std::optional<double> latitude;
    std::optional<double> longitude;
    if (user->location) {
        latitude = user->location->latitude;
        longitude = user->location->longitude;
    }
    db_.execute("UPDATE users SET name = ?2, latitude = ?3, longitude = ?4, updated_at = ?5 WHERE id = ?1", user->id, user->name,
                latitude, longitude, act.now);
    return *user;
}

Outcome Writer::act(const RenewHash& act)
{
    db_.execute("UPDATE users SET password_hash = ?3, updated_at = max(updated_at, ?4) WHERE id = ?1 AND password_hash = ?2",
                act.user, act.old_hash, act.new_hash, act.now);
    return Done{};
}

std::optional<Event> Writer::event_row(EventId id)
{
    inventory_.forget(id);  // the row is about to be read, and maybe changed, by statements of its own
    Rows rows = db_.query("SELECT " BOXOFFICE_EVENT_COLUMNS
                          " FROM events e JOIN inventory i ON i.event_id = e.id WHERE e.id = ?1 AND e.removed_at IS NULL",
                          id);
    if (!rows.next()) return std::nullopt;
    return read_event(rows);
}

Outcome Writer::act(const AddEvent& act)
{
    auto decision = decide_add_event(act.draft, act.organizer, zones_, act.now);
    if (!decision) return decision.error();
    if (act.most_a_day > 0) {
        std::optional<Instant> nth_newest;
        Rows rows = db_.query("SELECT created_at FROM events WHERE organizer_id = ?1 ORDER BY created_at DESC LIMIT 1 OFFSET ?2",
                              act.organizer, act.most_a_day - 1);
        if (rows.next()) nth_newest = rows.instant(0);
        if (const auto may = decide_publishing(nth_newest, act.now); !may) return may.error();
    }
    Event event = std::move(*decision);
    try {
        db_.execute(
            "INSERT INTO events (id, organizer_id, start_time, end_time, latitude, longitude, created_at, updated_at, timezone, "
            "title, venue_address, "
            "description, words_version) VALUES (?12, ?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10, ?11)",
            act.organizer, event.start_time, event.end_time, event.venue.point.latitude, event.venue.point.longitude, act.now,
            event.timezone, event.title, event.venue.address, event.description, std::int64_t{text::words_version()},
            first_id(Numbered::event));
    } catch (const SqliteError& error) {
        if (error.extended_code() == SQLITE_CONSTRAINT_FOREIGNKEY) return refuse(Code::unauthenticated);
        throw;
    }
    event.id = EventId{given_id(Numbered::event)};
    index_words(event.id, words_of_event(event.title, event.description, event.venue.address));
    db_.execute("INSERT INTO inventory (event_id, total, paced_at) VALUES (?1, ?2, ?3)", event.id, event.total_tickets, act.now);
    put_.push_back(place_of(event, Pace{0, act.now}));
    catalogue_changed_ = true;
    return event;
}

Outcome Writer::act(const ChangeEvent& act)
{
    const std::optional<Event> before = event_row(act.event);
    if (!before) return refuse(Code::not_found);
    auto decision = decide_change_event(*before, act.by, act.patch, zones_, act.now, act.only_at);
    if (!decision) return decision.error();
    Event event = std::move(*decision);
    if (event.version == before->version) return event;  // nothing to be changed
    db_.execute(
        "UPDATE events SET start_time = ?2, end_time = ?3, latitude = ?4, longitude = ?5, updated_at = ?6, timezone = ?7, "
        "version = ?8 WHERE id = ?1",
        event.id, event.start_time, event.end_time, event.venue.point.latitude, event.venue.point.longitude, act.now,
        event.timezone, event.version);
    // Apart from the above, because these are the longest columns, and their words go with them.
    if (event.title != before->title || event.venue.address != before->venue.address ||
        event.description != before->description) {
        db_.execute("UPDATE events SET title = ?2, venue_address = ?3, description = ?4, words_version = ?5 WHERE id = ?1",
                    event.id, event.title, event.venue.address, event.description, std::int64_t{text::words_version()});
        index_words(event.id, words_of_event(event.title, event.description, event.venue.address));
    }
    const auto changed =
        db_.execute("UPDATE inventory SET total = ?2 WHERE event_id = ?1 AND sold <= ?2", event.id, event.total_tickets);
    if (changed != 1) throw StoreFailure(Code::internal, "the guard of an event refused its new total");
    Inventory::Stock* const stock = inventory_.find(event.id);
    put_.push_back(place_of(event, stock ? stock->pace : Pace{}));
    note(EffectKind::event_changed, event.id, {}, act.now);
    catalogue_changed_ = true;
    return event;
}

Outcome Writer::act(const RemoveEvent& act)
{
    std::optional<Event> event = event_row(act.event);
    if (!event) return refuse(Code::not_found);
    // Holds whose time is up stand in nobody's way: they lapse here if the tidier has not come round.
    const std::int64_t most = current_->deferrable ? std::min(kLapsedAtOnceToRemove, event->tickets_sold) : event->tickets_sold;
    std::vector<TicketId> due;
    if (event->organizer_id == act.by) due = due_holds(act.event, act.now, static_cast<std::size_t>(most));
    if (!due.empty()) {
        lapse(act.event, *inventory_.find(act.event), due, act.now);
        inventory_.forget(act.event);
        if (const auto lapsed = static_cast<std::int64_t>(due.size()); lapsed == most && lapsed < event->tickets_sold) {
            current_->deferred = Deferred::unfinished;  // there may be more
            return std::monostate{};
        }
    }
    const std::int64_t live = event->tickets_sold - static_cast<std::int64_t>(due.size());
    if (const auto decision = decide_remove_event(*event, act.by, live, act.only_at); !decision) return decision.error();
    inventory_.forget(act.event);
    db_.execute("UPDATE events SET removed_at = ?2 WHERE id = ?1", act.event, act.now);
    db_.execute("DELETE FROM event_tokens WHERE rowid = ?1", act.event);
    removed_.push_back(act.event);
    note(EffectKind::event_changed, act.event, {}, act.now);
    catalogue_changed_ = true;
    return Done{};
}

}  // namespace boxoffice::sqlite
