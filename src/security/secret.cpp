#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "security/security.hpp"

namespace boxoffice
{
namespace
{

constexpr std::size_t kSecretBytesMin = 32;
constexpr std::size_t kSecretBytesMax = 4096;
constexpr std::size_t kDifferentBytesMin = 8;  // 32 random hexadecimal digits have fewer once in 25 million times

// Without regard to case and to what is neither letter nor digit. The long ones stand in tutorials that people copy from.
constexpr std::string_view kWellKnown[] = {
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",  // FastAPI's OAuth2 page
    "astringsecretatleast256bitslong",                                   // jwt.io
    "your256bitsecret",
    "your384bitsecret",
    "your512bitsecret",
    "404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970",  // Spring Security pages
};

// No random secret holds one of these; people's do, and the examples of compose files and manuals.
constexpr std::string_view kTellTale[] = {
    "changeme", "changethis", "changeit",    "replaceme",    "replacethis", "replacewith", "setthis", "secret",
    "yourjwt",  "password",   "passphrase",  "insecure",     "notsecure",   "example",     "sample",  "placeholder",
    "default",  "production", "development", "randomstring", "docker",      "compose",     "openssl", "localhost",
    "donotuse", "letmein",    "qwerty",      "correcthorse", "boxoffice",
};

std::string plain(std::string_view secret)
{
    std::string text;
    for (const char c : secret) {
        if (c >= 'A' && c <= 'Z') text += static_cast<char>(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) text += c;
    }
    return text;
}

bool repeats(std::string_view secret)
{
    for (std::size_t period = 1; period <= secret.size() / 2; ++period) {
        if (secret.substr(period) == secret.substr(0, secret.size() - period)) return true;
    }
    return false;
}

// Every second neighbour or more is the next, the one before or the same: abcdefgh…, 987654…, aabbccdd….
bool runs_on(std::string_view secret)
{
    std::size_t steps = 0;
    for (std::size_t i = 1; i < secret.size(); ++i) {
        const int step = static_cast<unsigned char>(secret[i]) - static_cast<unsigned char>(secret[i - 1]);
        if (step >= -1 && step <= 1) ++steps;
    }
    return steps * 2 >= secret.size();
}

std::size_t different_bytes(std::string_view secret)
{
    std::string sorted(secret);
    std::sort(sorted.begin(), sorted.end());
    return static_cast<std::size_t>(std::unique(sorted.begin(), sorted.end()) - sorted.begin());
}

class File
{
public:
    File(const std::filesystem::path& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
    ~File()
    {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] int get() const { return descriptor_; }
    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

private:
    int descriptor_;
};

[[noreturn]] void complain(const std::filesystem::path& file, std::string_view what)
{
    throw std::runtime_error(fmt::format("the secret in {}: {}", file.string(), what));
}

[[noreturn]] void complain_of_system(const std::filesystem::path& file, std::string_view what, int error)
{
    complain(file, fmt::format("{}: {}", what, std::generic_category().message(error)));
}

// Nothing when there is no such file.
std::optional<std::string> read_secret(const std::filesystem::path& file)
{
    const File opened(file, O_RDONLY | O_NONBLOCK);
    if (!opened.is_open() && errno == ENOENT) return std::nullopt;
    if (!opened.is_open()) complain_of_system(file, "it cannot be read", errno);
    struct stat status{};
    if (::fstat(opened.get(), &status) != 0) complain_of_system(file, "it cannot be read", errno);
    if (!S_ISREG(status.st_mode)) complain(file, "that is not a file");
    if ((status.st_mode & 077U) != 0)
        complain(file, "others may read or change it; run chmod 600 on it, and replace it if they may have");

    std::string secret(kSecretBytesMax + 1, '\0');
    std::size_t length = 0;
    while (length < secret.size()) {
        const ssize_t got = ::read(opened.get(), secret.data() + length, secret.size() - length);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) complain_of_system(file, "it cannot be read", errno);
        if (got == 0) break;
        length += static_cast<std::size_t>(got);
    }
    if (length > kSecretBytesMax) complain(file, "it is too long to be one");
    secret.resize(length);
    while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
    if (const std::string why = why_weak(secret); !why.empty()) complain(file, why);
    return secret;
}

void write_new(const std::filesystem::path& file, std::string_view text)
{
    const File opened(file, O_WRONLY | O_CREAT | O_EXCL);
    if (!opened.is_open()) complain_of_system(file, "it cannot be made", errno);
    // The mode again, for a umask may have taken from it; one write, for so few bytes are taken whole or not at all.
    const bool good = ::fchmod(opened.get(), 0600) == 0 &&
                      ::write(opened.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                      ::fsync(opened.get()) == 0;
    if (good) return;
    const int error = errno;
    ::unlink(file.c_str());
    complain_of_system(file, "it cannot be written", error);
}

// Gives `made` the name `file` unless that name is taken, so that of two processes that start at once both read the winner's.
void publish(const std::filesystem::path& made, const std::filesystem::path& file)
{
    int error = ::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
    if (error == EINVAL || error == ENOSYS) {  // a file system without it
        error = ::link(made.c_str(), file.c_str()) == 0 ? 0 : errno;
        ::unlink(made.c_str());
    } else if (error != 0) {
        ::unlink(made.c_str());
    }
    if (error != 0 && error != EEXIST) complain_of_system(file, "it cannot be made", error);
    const File folder(file.has_parent_path() ? file.parent_path() : ".", O_RDONLY | O_DIRECTORY);
    if (!folder.is_open() || ::fsync(folder.get()) != 0) complain_of_system(file, "its folder cannot be synced", errno);
}

}  // namespace

std::string why_weak(std::string_view secret)
{
    const std::string text = plain(secret);
    for (const std::string_view known : kWellKnown) {
        if (text == known) return "it is printed in a tutorial, so everybody knows it";
    }
    if (secret.size() < kSecretBytesMin)
        return fmt::format("it has {} bytes; at least {} are needed", secret.size(), kSecretBytesMin);
    for (const std::string_view word : kTellTale) {
        if (text.find(word) != std::string::npos) return fmt::format("it holds \"{}\", as secrets do that can be guessed", word);
    }
    if (repeats(secret)) return "it repeats itself";
    if (runs_on(secret)) return "it is little more than a row of neighbouring characters";
    if (different_bytes(secret) < kDifferentBytesMin) return "it has too few different characters";
    return {};
}

std::string load_or_make_secret(const std::filesystem::path& file)
{
    if (auto secret = read_secret(file)) return *std::move(secret);
    std::filesystem::path made = file;
    made += ".new-" + random_hex(8);
    write_new(made, random_hex(32) + "\n");
    publish(made, file);
    if (auto secret = read_secret(file)) return *std::move(secret);
    complain(file, "it was made and is gone again");
}

}  // namespace boxoffice
