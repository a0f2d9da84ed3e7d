#include "runtime/process.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <system_error>

namespace boxoffice
{
namespace
{

double cpu_seconds()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double resident_bytes()
{
    std::ifstream statm("/proc/self/statm");
    double total = 0;
    double resident = 0;
    statm >> total >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double open_files()
{
    std::error_code ignored;
    const auto count =
        std::distance(std::filesystem::directory_iterator("/proc/self/fd", ignored), std::filesystem::directory_iterator());
    return static_cast<double>(std::max<std::ptrdiff_t>(count - 1, 0));  // less the one that reads the directory
}

double open_files_max()
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<double>::infinity() : static_cast<double>(limit.rlim_cur);
}

}  // namespace

ProcessFigures process_figures() { return {cpu_seconds(), resident_bytes(), open_files(), open_files_max()}; }

// Field 22 of /proc/self/stat counts from the machine's start, which /proc/stat tells as btime. The command name, field 2, may
// hold spaces and parentheses, so counting begins behind its last one.
double process_started_at()
{
    std::ifstream self("/proc/self/stat");
    std::string line;
    std::getline(self, line);
    std::istringstream fields(line.substr(std::min(line.rfind(')') + 1, line.size())));
    std::string field;
    for (int number = 3; number <= 22; ++number) fields >> field;
    double ticks = 0;
    std::from_chars(field.data(), field.data() + field.size(), ticks);

    std::ifstream machine("/proc/stat");
    double boot = 0;
    for (std::string word; machine >> word;) {
        if (word != "btime") continue;
        machine >> boot;
        break;
    }
    return boot + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace boxoffice
