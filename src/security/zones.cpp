#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/core.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "security/security.hpp"

namespace boxoffice
{
namespace
{

using std::chrono::floor;
using std::chrono::seconds;

/// What lies in the folder of zones and is none: tables, which have a dot in their names, lists, and names for whatever this
/// machine is set to.
bool is_zone_name(std::string_view name)
{
    constexpr std::array kOthers = {"Factory", "leapseconds", "localtime", "posixrules", "+VERSION", "SECURITY"};
    for (const std::string_view other : kOthers) {
        if (name == other) return false;
    }
    return name.find('.') == name.npos;
}

/// The same zones again, counted otherwise.
bool is_copy_of_all(std::string_view name) { return name == "posix" || name == "right"; }

/// One zone's file, read when the zone is first asked for: a start reads none of the six hundred. Abseil reads the rule behind
/// the table too (RFC 8536, section 3.3), in every form that tzdata uses.
class Zone
{
public:
    Zone(std::string folder, std::string name) : folder_(std::move(folder)), name_(std::move(name)) {}

    /// Throws StoreFailure when the file cannot be read now. That is forgotten: the next to ask tries again.
    const absl::TimeZone& table() const
    {
        if (loaded_.load(std::memory_order_acquire)) return table_;
        const std::lock_guard lock(loading_);
        if (loaded_.load(std::memory_order_relaxed)) return table_;
        check_readable();
        // Abseil never looks again at a name that it could not load once, so each try has another name of the same file.
        const std::string file = "file:" + folder_ + std::string(++tries_, '/') + name_;
        if (!absl::LoadTimeZone(file, &table_)) fail("is not a table of time zone changes");
        loaded_.store(true, std::memory_order_release);
        return table_;
    }

private:
    void check_readable() const
    {
        std::ifstream file(folder_ + '/' + name_, std::ios::binary);
        if (!file) fail(std::generic_category().message(errno));
        std::array<char, 4> magic{};
        if (!file.read(magic.data(), magic.size())) fail("is cut short");
        if (std::string_view(magic.data(), magic.size()) != "TZif") fail("is not a table of time zone changes");
    }

    [[noreturn]] void fail(const std::string& why) const
    {
        throw StoreFailure(Code::storage_failed, fmt::format("time zone {}/{}: {}", folder_, name_, why));
    }

    std::string folder_;
    std::string name_;
    mutable std::mutex loading_;
    mutable std::atomic<bool> loaded_ = false;
    mutable std::size_t tries_ = 0;
    mutable absl::TimeZone table_;
};

class SystemZones final : public Zones
{
public:
    explicit SystemZones(const std::filesystem::path& folder)
    {
        namespace fs = std::filesystem;
        try {
            for (fs::recursive_directory_iterator at(folder), end; at != end; ++at) {
                std::string name = at->path().lexically_relative(folder).generic_string();
                if (at->is_directory()) {
                    if (is_copy_of_all(name)) at.disable_recursion_pending();
                } else if (is_zone_name(name)) {
                    zones_.try_emplace(name, folder.generic_string(), name);
                }
            }
        } catch (const fs::filesystem_error& error) {
            throw std::runtime_error("the system's time zones cannot be read; install tzdata: " + std::string(error.what()));
        }
        if (!zones_.contains("UTC")) throw std::runtime_error("the system knows no time zones; install tzdata");
    }

    bool exists(std::string_view zone) const override { return zones_.find(zone) != zones_.end(); }

    std::optional<Instant> to_instant(LocalTime local, std::string_view zone) const override
    {
        const auto found = zones_.find(zone);
        if (found == zones_.end()) return std::nullopt;
        const auto second = floor<seconds>(local).time_since_epoch();
        const auto info = found->second.table().At(absl::CivilSecond(1970) + second.count());
        if (info.kind == absl::TimeZone::TimeInfo::SKIPPED) return std::nullopt;
        // Where a time is repeated, `pre` is the earlier; elsewhere the only one.
        return Instant(seconds(absl::ToUnixSeconds(info.pre))) + (local.time_since_epoch() - second);
    }

    std::optional<LocalTime> to_local(Instant instant, std::string_view zone) const override
    {
        const auto found = zones_.find(zone);
        if (found == zones_.end()) return std::nullopt;
        const auto second = floor<seconds>(instant).time_since_epoch();
        const auto info = found->second.table().At(absl::FromUnixSeconds(second.count()));
        return LocalTime(instant.time_since_epoch() + seconds(info.offset));
    }

private:
    std::map<std::string, Zone, std::less<>> zones_;
};

}  // namespace

std::unique_ptr<Zones> make_zones(const std::filesystem::path& folder) { return std::make_unique<SystemZones>(folder); }

}  // namespace boxoffice
