#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "mail/headers.hpp"
#include "mail/mail.hpp"

namespace boxoffice
{

namespace
{

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".eml";
constexpr std::string_view kUnfinished = ".unfinished";
constexpr std::size_t kKeyCharsMax = 80;

std::string why_of(int error) { return std::generic_category().message(error); }

[[noreturn]] void fail(std::string_view doing, int error)
{
    throw MailFailure(fmt::format("a message could not be {}: {}", doing, why_of(error)), MailFailure::Kind::transient);
}

class Descriptor
{
public:
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor()
    {
        if (value_ >= 0) ::close(value_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return value_; }

private:
    int value_;
};

/// "20261128T023314.123456Z": names of messages sort by time.
std::string stamp(std::chrono::system_clock::time_point time)
{
    const auto micros = std::chrono::floor<Micros>(time);
    const auto second = std::chrono::floor<std::chrono::seconds>(micros);
    return fmt::format("{:%Y%m%dT%H%M%S}.{:06}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(second)),
                       (micros - second).count());
}

/// Of a key what may stand in a file's name.
std::string cleaned(std::string_view key)
{
    std::string name(key.substr(0, kKeyCharsMax));
    const auto is_bad = [](char c) {
        return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_');
    };
    std::replace_if(name.begin(), name.end(), is_bad, '-');
    return name;
}

bool is_ours(const std::string& name)
{
    return name.size() > kSuffix.size() && name.ends_with(kSuffix) && name[0] >= '0' && name[0] <= '9';
}

class MailFolder final : public Mailer
{
public:
    explicit MailFolder(const MailFolderOptions& options) : folder_(options.folder), messages_max_(options.messages_max)
    {
        const auto from = mail::parse_mailbox(options.from);
        if (!from) throw std::invalid_argument(why_bad_mail_from(options.from));
        from_ = *from;
        std::error_code error;
        fs::create_directories(folder_, error);
        // A folder that was there may have been open to others.
        if (!error) fs::permissions(folder_, fs::perms::owner_all, error);
        if (!error) look_around(error);
        if (error || ::access(folder_.c_str(), W_OK | X_OK) != 0) {
            throw std::runtime_error(
                fmt::format("The folder {} for mail cannot be used: {}. Make it writable, or give --mail none.", folder_.native(),
                            error ? error.message() : why_of(errno)));
        }
    }

    void send(const Mail& mail) override
    {
        if (!mail::is_address(mail.to_address))
            throw MailFailure("the recipient has no usable address", MailFailure::Kind::permanent);
        const std::string message = text_of(mail);
        const std::lock_guard lock(mutex_);
        const std::string name = fresh_name(mail.key);
        write(name, message);
        names_.insert(name);
        forget_oldest();
    }

private:
    /// What earlier lives left: finished messages count, others go.
    void look_around(std::error_code& error)
    {
        std::vector<fs::path> unfinished;
        for (auto at = fs::directory_iterator(folder_, error); !error && at != fs::directory_iterator(); at.increment(error)) {
            const std::string name = at->path().filename();
            if (is_ours(name)) names_.insert(name);
            if (name.ends_with(kUnfinished)) unfinished.push_back(at->path());
        }
        std::error_code ignored;
        for (const fs::path& file : unfinished) fs::remove(file, ignored);
    }

    /// Sorts after all that are there, so that a clock set back makes no message the oldest.
    std::string fresh_name(std::string_view key) const
    {
        std::string at = stamp(std::chrono::system_clock::now());
        if (!names_.empty()) at = std::max(at, names_.rbegin()->substr(0, at.size()));
        const std::string rest = cleaned(key) + std::string(kSuffix);
        std::string name = at + "-" + rest;
        for (int same = 1; !names_.empty() && name <= *names_.rbegin(); ++same) name = fmt::format("{}_{:06}-{}", at, same, rest);
        return name;
    }

    void write(const std::string& name, std::string_view message) const
    {
        const fs::path whole = folder_ / name;
        const fs::path unfinished = folder_ / (name + std::string(kUnfinished));
        // The folder may have been removed by its user meanwhile.
        (void)::mkdir(folder_.c_str(), S_IRWXU);
        {
            const Descriptor file(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
            if (file.get() < 0) fail("written", errno);
            while (!message.empty()) {
                const ssize_t count = ::write(file.get(), message.data(), message.size());
                if (count < 0 && errno == EINTR) continue;
                if (count < 0) give_up(unfinished, errno);
                message.remove_prefix(static_cast<std::size_t>(count));
            }
            if (::fsync(file.get()) != 0) give_up(unfinished, errno);
        }
        if (::rename(unfinished.c_str(), whole.c_str()) != 0) give_up(unfinished, errno);
        const Descriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (folder.get() < 0 || ::fsync(folder.get()) != 0) fail("synced", errno);
    }

    [[noreturn]] static void give_up(const fs::path& unfinished, int error)
    {
        ::unlink(unfinished.c_str());
        fail("written", error);
    }

    void forget_oldest()
    {
        while (names_.size() > messages_max_) {
            // One that is gone already, or cannot be removed, is not counted any more either.
            ::unlink((folder_ / *names_.begin()).c_str());
            names_.erase(names_.begin());
        }
    }

    [[nodiscard]] std::string text_of(const Mail& mail) const
    {
        const std::string boundary = "=_boxoffice_" + cleaned(mail.key);  // '=' followed by '_' is in no quoted-printable line
        const auto part = [&](std::string_view type, std::string_view text) {
            return fmt::format(
                "--{}\r\nContent-Type: {}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}\r\n", boundary,
                type, mail::quoted_printable(text));
        };
        return fmt::format(
            "Date: {}\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: {}\r\nAuto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"{}\"\r\n\r\n{}{}--{}--\r\n",
            mail::header_date(std::chrono::system_clock::now()), mail::header_mailbox(from_),
            mail::header_mailbox({mail.to_name, mail.to_address}), mail::header_text(mail.subject),
            mail::message_id(mail.key, from_.address), boundary, part("text/plain", mail.text), part("text/html", mail.html),
            boundary);
    }

    const fs::path folder_;
    const std::size_t messages_max_;
    mail::Mailbox from_;
    std::mutex mutex_;             // protects what follows, and one message at a time
    std::set<std::string> names_;  // of the messages that are there
};

}  // namespace

std::unique_ptr<Mailer> make_mail_folder(const MailFolderOptions& options) { return std::make_unique<MailFolder>(options); }

}  // namespace boxoffice
