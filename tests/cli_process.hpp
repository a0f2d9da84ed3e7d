#pragma once
/// The real binary as a child process, for the tests of the command line.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

extern char** environ;

namespace boxoffice::cli_test
{

using Words = std::vector<std::string>;

inline constexpr int kPatienceMs = 60'000;  // for one answer, on a busy machine under a sanitizer

inline std::string binary()
{
    if (const char* const path = std::getenv("BOXOFFICE_BINARY")) return path;
#ifdef BOXOFFICE_BINARY
    return BOXOFFICE_BINARY;
#else
    return "build/test/boxoffice";
#endif
}

/// The binary as a child, its output read as it writes. Ended when this is.
class Process
{
public:
    Process(Words arguments, const Words& environment)
    {
        arguments.insert(arguments.begin(), binary());
        Words variables = environment;
        for (char** entry = environ; *entry != nullptr; ++entry) {
            if (!std::string_view(*entry).starts_with("BOXOFFICE_")) variables.emplace_back(*entry);
        }
        std::vector<char*> argv = pointers(arguments);
        std::vector<char*> envp = pointers(variables);
        int output[2];
        int errors[2];
        if (::pipe2(output, O_CLOEXEC) != 0 || ::pipe2(errors, O_CLOEXEC) != 0) std::abort();
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
            ::dup2(output[1], STDOUT_FILENO);
            ::dup2(errors[1], STDERR_FILENO);
            ::execve(argv[0], argv.data(), envp.data());
            ::_exit(127);
        }
        ::close(output[1]);
        ::close(errors[1]);
        pipes_[0] = {output[0], POLLIN, 0};
        pipes_[1] = {errors[0], POLLIN, 0};
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process()
    {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        for (const pollfd& pipe : pipes_) {
            if (pipe.fd >= 0) ::close(pipe.fd);
        }
    }

    void signal(int number) const { ::kill(pid_, number); }

    /// Reads until standard output holds `text` or ends.
    bool says(std::string_view text)
    {
        while (out.find(text) == std::string::npos) {
            if (!read_some()) return false;
        }
        return true;
    }

    /// Reads to the end and returns the exit code, or minus the signal that ended it.
    int wait()
    {
        while (read_some()) {}
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

    std::string out;
    std::string err;

private:
    static std::vector<char*> pointers(Words& words)
    {
        std::vector<char*> result;
        for (std::string& word : words) result.push_back(word.data());
        result.push_back(nullptr);
        return result;
    }

    bool read_some()
    {
        if (pipes_[0].fd < 0 && pipes_[1].fd < 0) return false;
        if (::poll(pipes_, 2, kPatienceMs) <= 0) {
            ADD_FAILURE() << "no word within " << kPatienceMs << " ms; so far: " << out << err;
            signal(SIGKILL);
            return false;
        }
        for (std::size_t i = 0; i < 2; ++i) {
            if (pipes_[i].fd < 0 || pipes_[i].revents == 0) continue;
            char buffer[4096];
            const ssize_t count = ::read(pipes_[i].fd, buffer, sizeof buffer);
            if (count > 0) {
                (i == 0 ? out : err).append(buffer, static_cast<std::size_t>(count));
            } else {
                ::close(pipes_[i].fd);
                pipes_[i].fd = -1;
            }
        }
        return true;
    }

    pid_t pid_ = -1;
    pollfd pipes_[2];
};

struct Ran {
    int code = 0;
    std::string out;
    std::string err;
};

inline Ran run(const Words& arguments, const Words& environment = {})
{
    Process process(arguments, environment);
    const int code = process.wait();
    return {code, process.out, process.err};
}

inline bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

class Folder
{
public:
    Folder()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "boxoffice-cli-XXXXXX").native();
        path_ = ::mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }
    [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).native(); }
    void write(const std::string& name, const std::string& text) const { std::ofstream(path_ / name) << text; }

private:
    std::filesystem::path path_;
};

}  // namespace boxoffice::cli_test
