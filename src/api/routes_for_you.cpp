#include <fmt/core.h>

#include <cmath>

#include "api/encode.hpp"
#include "api/paging.hpp"
#include "api/query.hpp"
#include "api/routes.hpp"
#include "core/rules.hpp"

namespace boxoffice::http
{

namespace
{

constexpr std::int64_t kSuggestedUnlessAsked = 10;
constexpr double kRadiusKmUnlessAsked = 10;

struct NearbyAsk {
    NearbyQuery query;
    enum class Around : std::uint8_t { the_point_given, the_users_place } around = Around::the_point_given;
    Fields fields = Fields::full;
};

NearbyAsk read_nearby(Query& query, Instant now)
{
    NearbyAsk ask;
    const auto latitude = query.number("latitude");
    const auto longitude = query.number("longitude");
    if (latitude || longitude) {
        ask.query.center = {latitude.value_or(0), longitude.value_or(0)};
        check_point(ask.query.center, {nullptr, "query"}, query.errors());
    }
    if (query.has("latitude") != query.has("longitude")) {
        query.refuse(query.has("latitude") ? "longitude" : "latitude",
                     "Latitude and longitude belong together: give both or neither", "missing");
    } else if (!query.has("latitude")) {
        ask.around = NearbyAsk::Around::the_users_place;
    }
    const double radius_km = query.number("radius_km").value_or(kRadiusKmUnlessAsked);
    if (!(radius_km > 0)) query.refuse("radius_km", "Input should be greater than 0", "greater_than");
    if (radius_km > kRadiusKmMax) {
        query.refuse("radius_km", fmt::format("Input should be less than or equal to {}", kRadiusKmMax), "less_than_equal");
    }
    ask.query.radius_m = radius_km * 1000;
    const Slice slice = query.slice(kSuggestedUnlessAsked);
    ask.query.skip = slice.skip;
    ask.query.limit = slice.limit;
    ask.query.from = query.after<DistanceKey>(slice);
    ask.fields = query.fields();
    ask.query.include_past = query.flag("include_past");
    ask.query.include_sold_out = query.flag("include_sold_out");
    ask.query.now = now;
    return ask;
}

/// For want of a place to look around: what the caller can do about it.
Error no_place(std::string_view way_out)
{
    Error error{Code::invalid, {}};
    error.fields.push_back({{"query", "latitude"}, std::string(way_out), "missing"});
    error.fields.push_back({{"query", "longitude"}, std::string(way_out), "missing"});
    return error;
}

void answer_nearby(Call& call, const NearbyQuery& asked, Fields fields, std::string_view cache_control)
{
    const auto page = call.parts().store.nearby(asked);
    Reply reply = json_reply(200, encode_nearby(page.items, fields));
    add_paging(reply, call.request().target, {asked.skip, asked.limit}, page.total,
               ends_of(page, asked.from, [](const NearbyEvent& found) { return DistanceKey{found.distance_m, found.event.id}; }));
    answer_read(call, std::move(reply), cache_control);
}

}  // namespace

void nearby_events(const CallPtr& call)
{
    // A token is not needed beside coordinates, but a bad one is never passed over in silence.
    if (call->has_authorization()) {
        if (const auto signed_in = call->sign_in(); !signed_in) return call->refuse(signed_in.error());
    }
    auto query = call->query();
    if (!query) return call->refuse(query.error());
    const NearbyAsk ask = read_nearby(*query, call->now());
    if (!query->good()) return call->refuse(query->error());
    if (ask.around == NearbyAsk::Around::the_point_given) {
        return call->search(price_of(ask.query), [ask](Call& self) { answer_nearby(self, ask.query, ask.fields, "no-cache"); });
    }
    if (!call->has_authorization()) {
        return call->refuse(no_place("Give latitude and longitude, or the bearer token of a user who has saved a location"));
    }
    call->search(price_of(ask.query), [ask](Call& self) {
        const auto user = self.parts().store.find_user(self.user());
        if (!user) return self.refuse(Code::unauthenticated);
        if (!user->location) return self.refuse(no_place("Give latitude and longitude, or save a location in your profile"));
        NearbyQuery around_home = ask.query;
        around_home.center = *user->location;
        answer_nearby(self, around_home, ask.fields, "no-store");
    });
}

void recommended_events(const CallPtr& call)
{
    auto query = call->query();
    if (!query) return call->refuse(query.error());
    const Slice slice = query->slice(kSuggestedUnlessAsked);
    const auto user_id = query->id("user_id");
    const Fields fields = query->fields();
    if (!query->good()) return call->refuse(query->error());
    if (user_id && *user_id != call->user().value) return call->refuse(Code::not_yourself);
    call->search(kPriceOfRecommended, [slice, fields](Call& self) {
        Store& store = self.parts().store;
        const auto user = store.find_user(self.user());
        if (!user) return self.refuse(Code::unauthenticated);
        const auto page = ForYou(store).recommended({user->id, user->location, self.now()}, slice.skip, slice.limit);
        Reply reply = json_reply(200, encode_suggestions(page.items, fields));
        add_paging(reply, self.request().target, slice, page.total);
        answer_read(self, std::move(reply), "no-store");
    });
}

}  // namespace boxoffice::http
