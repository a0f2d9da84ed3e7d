#include "postgres/rows.hpp"
#include "postgres/writes.hpp"
#include "text/text.hpp"

namespace boxoffice::postgres
{

namespace
{

constexpr std::string_view kUsers =
    "SELECT " BOXOFFICE_PG_USER_COLUMNS " FROM users u WHERE u.id = ANY($1::bigint[]) ORDER BY u.id FOR NO KEY UPDATE";
constexpr std::string_view kKnown = "SELECT id FROM users WHERE id = ANY($1::bigint[])";
constexpr std::string_view kEmails =
    "SELECT email_folded, id FROM users WHERE email_folded = ANY($1::text[]) UNION ALL "
    "SELECT email_key, id FROM users WHERE email_key = ANY($1::text[])";

constexpr std::string_view kAddUsers =
    "INSERT INTO users (id, email, email_folded, email_key, name, password_hash, latitude, longitude, created_at, updated_at) "
    "OVERRIDING SYSTEM VALUE SELECT id, email, folded, key, name, hash, latitude, longitude, at, at FROM unnest($1::bigint[], "
    "$2::text[], "
    "$3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[], $8::timestamptz[], $9::text[]) "
    "AS u(id, email, folded, name, hash, latitude, longitude, at, key) ORDER BY folded";
constexpr std::string_view kChangeUsers =
    "UPDATE users SET name = u.name, latitude = u.latitude, longitude = u.longitude, updated_at = u.at FROM unnest($1::bigint[], "
    "$2::text[], $3::float8[], $4::float8[], $5::timestamptz[]) AS u(id, name, latitude, longitude, at) WHERE users.id = u.id";

struct Places {
    std::vector<std::optional<double>> latitudes, longitudes;
    void add(const std::optional<GeoPoint>& point)
    {
        latitudes.push_back(point ? std::optional(point->latitude) : std::nullopt);
        longitudes.push_back(point ? std::optional(point->longitude) : std::nullopt);
    }
};

}  // namespace

void ask_people(const Wanted& wanted, Facts& facts, const Ask& ask)
{
    if (!wanted.users.empty()) {
        ask(kUsers, std::move(Params().ids(std::vector<UserId>(wanted.users.begin(), wanted.users.end()))),
            [&facts](const Rows& rows) {
                for (int row = 0; row < rows.count(); ++row) {
                    User user = read_user(rows, row);
                    facts.users.emplace(user.id, std::move(user));
                }
            });
    }
    if (!wanted.known.empty()) {
        ask(kKnown, std::move(Params().ids(std::vector<UserId>(wanted.known.begin(), wanted.known.end()))),
            [&facts](const Rows& rows) {
                for (int row = 0; row < rows.count(); ++row) facts.known.insert(rows.id<UserId>(row, 0));
            });
    }
    if (!wanted.emails.empty()) {
        ask(kEmails, std::move(Params().texts(std::vector<std::string>(wanted.emails.begin(), wanted.emails.end()))),
            [&facts](const Rows& rows) {
                for (int row = 0; row < rows.count(); ++row)
                    facts.emails.emplace(std::string(rows.text(row, 0)), rows.id<UserId>(row, 1));
            });
    }
}

void add_users(Flight& flight, const Plan& plan)
{
    if (plan.users_new.empty()) return;
    std::vector<UserId> ids;
    std::vector<std::string> emails, folded, keys, names;
    std::vector<Instant> at;
    Places places;
    for (const User& user : plan.users_new) {
        ids.push_back(user.id);
        emails.push_back(user.email);
        folded.push_back(fold_email(user.email));
        keys.push_back(text::address_key(user.email));
        names.push_back(user.name);
        places.add(user.location);
        at.push_back(user.created_at);
    }
    flight.add(kAddUsers, std::move(Params()
                                        .ids(ids)
                                        .texts(emails)
                                        .texts(folded)
                                        .texts(names)
                                        .texts(plan.hashes_new)
                                        .reals(places.latitudes)
                                        .reals(places.longitudes)
                                        .instants(at)
                                        .texts(keys)));
}

void change_users(Flight& flight, const Plan& plan, const Facts& facts)
{
    if (plan.users_changed.empty()) return;
    std::vector<UserId> ids;
    std::vector<std::string> names;
    std::vector<Instant> at;
    Places places;
    for (const auto& [id, when] : plan.users_changed) {
        const User& user = facts.users.at(id);
        ids.push_back(id);
        names.push_back(user.name);
        places.add(user.location);
        at.push_back(when);
    }
    flight.add(kChangeUsers,
               std::move(Params().ids(ids).texts(names).reals(places.latitudes).reals(places.longitudes).instants(at)));
}

}  // namespace boxoffice::postgres
