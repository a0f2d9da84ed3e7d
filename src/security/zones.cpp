// As Debian's libdate-tz was built: with another answer its types have another shape.
#define USE_OS_TZDB 1
#define ONLY_C_LOCALE 1
#define HAS_STRING_VIEW 1
#include <date/tz.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "security/security.hpp"

// ptz.h is older than C++20 and no longer sees which hh_mm_ss it means.
namespace Posix  // NOLINT(readability-identifier-naming): the header's own
{
using date::hh_mm_ss;
}
#include <date/ptz.h>

namespace boxoffice
{
namespace
{

constexpr std::string_view kFolder = "/usr/share/zoneinfo/";

// The tables end in 2037; what holds from then on is a rule in the last line of the zone's file (RFC 8536, section 3.3), which
// libdate does not read. Nothing when there is no such rule or it cannot be read: then the table's last offset goes on.
std::optional<Posix::time_zone> rule_after_the_table(const std::string& zone)
{
    std::ifstream file(std::string(kFolder) + zone, std::ios::binary);
    std::string line;
    std::string last;
    while (std::getline(file, line)) last.swap(line);
    if (last.find(',') == std::string::npos) return std::nullopt;
    try {
        return Posix::time_zone(last);
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

class SystemZones final : public Zones
{
public:
    SystemZones()
    {
        try {
            for (const auto& zone : date::get_tzdb().zones) {
                if (zone.name() != "localtime")
                    zones_.try_emplace(zone.name(), zone);  // a name for whatever this machine is set to
            }
        } catch (const std::exception& error) {
            throw std::runtime_error("the system's time zones cannot be read; install tzdata: " + std::string(error.what()));
        }
        if (!zones_.contains("UTC")) throw std::runtime_error("the system knows no time zones; install tzdata");
    }

    bool exists(std::string_view zone) const override { return zones_.find(zone) != zones_.end(); }

    std::optional<Instant> to_instant(LocalTime local, std::string_view zone) const override
    {
        const auto found = zones_.find(zone);
        if (found == zones_.end()) return std::nullopt;
        try {
            return found->second.to_instant(local);
        } catch (const std::exception&) {
            return std::nullopt;  // the zone's file is broken: as good as none
        }
    }

    std::optional<LocalTime> to_local(Instant instant, std::string_view zone) const override
    {
        const auto found = zones_.find(zone);
        if (found == zones_.end()) return std::nullopt;
        try {
            return found->second.to_local(instant);
        } catch (const std::exception&) {
            return std::nullopt;
        }
    }

private:
    class Zone
    {
    public:
        explicit Zone(const date::time_zone& table) : table_(table) {}

        std::optional<Instant> to_instant(LocalTime local) const
        {
            const auto second = std::chrono::floor<std::chrono::seconds>(local).time_since_epoch();
            date::local_info info = table_.get_info(date::local_seconds(second));
            if (info.first.end >= kEndOfTime && info.result == date::local_info::unique && rule())
                info = rule()->get_info(date::local_seconds(second));
            if (info.result == date::local_info::nonexistent) return std::nullopt;
            return Instant(local.time_since_epoch() - info.first.offset);
        }

        LocalTime to_local(Instant instant) const
        {
            const date::sys_seconds second = std::chrono::floor<std::chrono::seconds>(instant);
            date::sys_info info = table_.get_info(second);
            if (info.end >= kEndOfTime && rule()) info = rule()->get_info(second);
            return LocalTime(instant.time_since_epoch() + info.offset);
        }

    private:
        const std::optional<Posix::time_zone>& rule() const
        {
            std::call_once(rule_read_, [this] { rule_ = rule_after_the_table(table_.name()); });
            return rule_;
        }

        // Behind the last entry of a table libdate puts an end some 30 000 years off.
        static constexpr date::sys_seconds kEndOfTime = date::sys_days(date::year(30'000) / 1 / 1);

        const date::time_zone& table_;
        mutable std::once_flag rule_read_;
        mutable std::optional<Posix::time_zone> rule_;
    };

    std::map<std::string, Zone, std::less<>> zones_;
};

}  // namespace

std::unique_ptr<Zones> make_zones() { return std::make_unique<SystemZones>(); }

}  // namespace boxoffice
