#include "machine.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "histogram.hpp"

namespace boxoffice::bench
{
namespace
{

constexpr int kProbeSyncs = 200;
constexpr std::int64_t kProbeNsMax = 3'000'000'000;

double seconds_of(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

/// The text after the colon of the first line of `file` that begins with `key`.
std::string field_of(const std::string& file, const std::string& key)
{
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with(key)) continue;
        const std::size_t at = line.find_first_not_of(" \t", line.find(':') + 1);
        return at == std::string::npos ? std::string{} : line.substr(at);
    }
    return {};
}

double kilobytes_of(const std::string& file, const std::string& key)
{
    const std::string text = field_of(file, key);
    return text.empty() ? 0 : std::stod(text);
}

Histogram probe_sync(const std::filesystem::path& folder)
{
    const std::string file = (folder / "sync.probe").string();
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "writing to " + folder.string());
    const std::array<char, 4096> page{};
    Histogram times;
    const std::int64_t start = steady_ns();
    for (int i = 0; i < kProbeSyncs && steady_ns() - start < kProbeNsMax; ++i) {
        const std::int64_t before = steady_ns();
        if (::pwrite(fd, page.data(), page.size(), static_cast<off_t>(page.size()) * i) < 0 || ::fdatasync(fd) != 0) break;
        times.add(steady_ns() - before);
    }
    ::close(fd);
    ::unlink(file.c_str());
    return times;
}

}  // namespace

std::int64_t steady_ns()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::int64_t wall_us()
{
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

double own_cpu_seconds()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

double cpu_seconds(pid_t process)
{
    std::ifstream in("/proc/" + std::to_string(process) + "/stat");
    std::string text;
    std::getline(in, text);
    // The name in parentheses may hold anything; utime and stime are the 12th and 13th fields after it (proc(5)).
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) throw std::runtime_error("the server is gone");
    std::istringstream fields(text.substr(name_end + 1));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

Resident resident(pid_t process)
{
    const std::string file = "/proc/" + std::to_string(process) + "/status";
    return {kilobytes_of(file, "VmRSS:") / 1024, kilobytes_of(file, "VmHWM:") / 1024};
}

std::string threads_of(pid_t process)
{
    std::string text;
    std::error_code gone;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task", gone)) {
        std::string name;
        std::string waits_in;
        std::getline(std::ifstream(thread.path() / "comm"), name);
        std::getline(std::ifstream(thread.path() / "wchan"), waits_in);
        text += (text.empty() ? "" : ", ") + name + " in " + (waits_in.empty() ? "?" : waits_in);
    }
    return text;
}

std::string describe_machine(const std::filesystem::path& folder)
{
    utsname system{};
    ::uname(&system);
    struct statfs files{};
    ::statfs(folder.c_str(), &files);
    const bool in_memory = files.f_type == TMPFS_MAGIC || files.f_type == RAMFS_MAGIC;
    const Histogram sync = probe_sync(folder);
    std::array<char, 512> text{};
    std::snprintf(text.data(), text.size(),
                  "machine: %ld cores (%s), %.1f GB, %s %s\n"
                  "folder:  %s, fdatasync of 4 KiB: p50 %.0f us, p99 %.0f us%s\n",
                  ::sysconf(_SC_NPROCESSORS_ONLN), field_of("/proc/cpuinfo", "model name").c_str(),
                  kilobytes_of("/proc/meminfo", "MemTotal:") / 1024 / 1024, system.sysname, system.release, folder.c_str(),
                  sync.percentile_ms(0.5) * 1000, sync.percentile_ms(0.99) * 1000,
                  in_memory ? "  <- IN MEMORY: nothing here is durable, choose another --folder" : "");
    return text.data();
}

}  // namespace boxoffice::bench
