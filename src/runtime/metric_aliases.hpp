#pragma once
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace boxoffice
{

/// A metric that has another name now: under its old one it is shown for one more version, with the same values.
struct MetricAlias {
    std::string_view name;
    std::string_view old_name;
};

inline constexpr std::array<MetricAlias, 5> kMetricAliases{{
    {"boxoffice_holds_created_total", "boxoffice_holds_made_total"},
    {"boxoffice_holds_active", "boxoffice_holds_live"},
    {"boxoffice_lane_deferred", "boxoffice_lane_parked"},
    {"boxoffice_store_locked_rows", "boxoffice_blocked_rows"},
    {"boxoffice_store_wal_bytes", "boxoffice_store_log_bytes"},
}};

/// The family once more under the name that it had in the version before; nothing when that was the same.
template <class Family>
[[nodiscard]] std::optional<Family> under_old_name(const Family& family)
{
    const auto* const alias = std::find_if(kMetricAliases.begin(), kMetricAliases.end(),
                                           [&](const MetricAlias& one) { return one.name == family.name; });
    if (alias == kMetricAliases.end()) return std::nullopt;
    Family old = family;
    old.name = alias->old_name;
    old.help = "Deprecated: use " + family.name + ". " + family.help;
    return old;
}

}  // namespace boxoffice
