#pragma once
#include "core/ports.hpp"

namespace boxoffice
{

/// UTC, Test/Plus2 (always two hours ahead) and Test/Gap (UTC, but 02:00 to 03:00 is skipped every day).
class FakeZones final : public Zones
{
public:
    bool exists(std::string_view zone) const override { return zone == "UTC" || zone == "Test/Plus2" || zone == "Test/Gap"; }
    std::optional<Instant> to_instant(LocalTime local, std::string_view zone) const override
    {
        const Instant utc{local.time_since_epoch()};
        if (zone == "UTC") return utc;
        if (zone == "Test/Plus2") return utc - std::chrono::hours(2);
        const auto time_of_day = utc - std::chrono::floor<std::chrono::days>(utc);
        if (zone == "Test/Gap" && (time_of_day < std::chrono::hours(2) || time_of_day >= std::chrono::hours(3))) return utc;
        return std::nullopt;
    }
    std::optional<LocalTime> to_local(Instant instant, std::string_view zone) const override
    {
        if (!exists(zone)) return std::nullopt;
        return LocalTime(instant.time_since_epoch() + std::chrono::hours(zone == "Test/Plus2" ? 2 : 0));
    }
};

}  // namespace boxoffice
