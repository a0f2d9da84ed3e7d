#include <fmt/format.h>

#include <array>
#include <charconv>

#include "redis/job_fields.hpp"

namespace boxoffice
{

namespace redis
{

namespace
{

/// The first with XAUTOCLAIM, by which abandoned jobs are found.
constexpr int kMajorLeast = 6;
constexpr int kMinorLeast = 2;

std::string_view value_of(std::string_view info, std::string_view name)
{
    const auto at = info.find("\n" + std::string(name) + ":");
    if (at == info.npos) return {};
    info.remove_prefix(at + name.size() + 2);
    return info.substr(0, info.find('\r'));
}

/// The number that the text begins with, or 0.
int number(std::string_view text)
{
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

Finding check_version(const redisReply& info, const redisReply& written)
{
    const std::string_view version = value_of(text_of(info), "redis_version");
    if (version.empty()) return {false, "redis", "does not say its version: " + std::string(text_of(info).substr(0, 200))};
    const auto dot = version.find('.');
    const int major = number(version);
    const int minor = dot == version.npos ? 0 : number(version.substr(dot + 1));
    const bool enough = major > kMajorLeast || (major == kMajorLeast && minor >= kMinorLeast);
    if (is_error(written))
        return {false, "redis", fmt::format("answers, version {}, but takes no writes: {}", version, text_of(written))};
    return {enough, "redis",
            fmt::format("answers, version {}{}", version, enough ? "" : ": too old, it takes 6.2 at least and 7 is advised")};
}

Finding check_waiting(const redisReply& count)
{
    if (is_error(count)) return {false, "jobs", std::string(text_of(count))};
    return {true, "jobs", fmt::format("{} in the stream", count.integer)};
}

std::string why_of(const redisReply& newest)
{
    for (const redisReply* const entry : parts_of(newest)) {
        const auto parts = parts_of(*entry);
        if (parts.size() != 2) continue;
        const auto fields = parts_of(*parts[1]);
        for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
            if (text_of(*fields[i]) == "why") return std::string(text_of(*fields[i + 1]));
        }
    }
    return "it does not say why";
}

Finding check_dead(const redisReply& count, const redisReply& newest)
{
    if (is_error(count)) return {false, "dead jobs", std::string(text_of(count))};
    if (count.integer == 0) return {true, "dead jobs", "none"};
    return {false, "dead jobs", fmt::format("{} in {}; the newest: {}", count.integer, kDeadJobs, why_of(newest))};
}

}  // namespace

}  // namespace redis

std::vector<Finding> examine_redis(const RedisOptions& options)
{
    using redis::Command;
    const std::array<Command, 5> pipeline = {Command{"INFO", "server"}, Command{"XLEN", std::string(redis::kJobs)},
                                             Command{"XLEN", std::string(redis::kDeadJobs)},
                                             Command{"XREVRANGE", std::string(redis::kDeadJobs), "+", "-", "COUNT", "1"},
                                             Command{"SET", "boxoffice:probe", "1", "PX", "10000"}};
    try {
        redis::Link link(redis::address_of(options), options.timeout);
        link.open();
        const auto replies = link.exchange(pipeline);
        return {redis::check_version(*replies[0], *replies[4]), redis::check_waiting(*replies[1]),
                redis::check_dead(*replies[2], *replies[3])};
    } catch (const redis::LinkFailure& failure) {
        return {{false, "redis", failure.what()}};
    }
}

}  // namespace boxoffice
