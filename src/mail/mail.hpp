#pragma once
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/ports.hpp"

/// Mail through an SMTP server, with libcurl, or into a folder, where there is none.
namespace boxoffice
{

struct SmtpOptions {
    std::string url;                            // smtp://[user:password@]host[:port] or smtps://…
    std::string from;                           // "Box office <tickets@example.org>" or a bare address
    Micros timeout = std::chrono::seconds(20);  // for one message, connecting included; well under a delivery's 60 s
};

/// Nothing when it can be used, or a sentence about what is wrong with it. Connects to nothing.
[[nodiscard]] std::string why_bad_smtp_url(std::string_view url);
[[nodiscard]] std::string why_bad_mail_from(std::string_view from);

/// One connection a message. A password is sent over TLS only (or to this very machine), and with one, as with smtps:, the
/// server has to prove who it is; otherwise STARTTLS is taken where it is offered, unverified: better than none. Throws
/// std::invalid_argument when one of the above complains. A MailFailure is permanent when the recipient's address or the message
/// itself is refused for good (mail/refusals.hpp), and transient when it is a policy, a password, the sender, or the server's
/// trouble.
[[nodiscard]] std::unique_ptr<Mailer> make_smtp(const SmtpOptions& options);

struct MailFolderOptions {
    std::filesystem::path folder;     // made when it is missing; only its owner may look into it
    std::string from;                 // as SmtpOptions::from
    std::size_t messages_max = 1000;  // the newest are kept
};

/// Keeps each message as a file of its own, as RFC 5322 has it (.eml), for who tries things out without a mail server: synced and
/// whole, or not there. The folder is one process's; other files in it are left alone. Throws std::runtime_error, a sentence,
/// when it cannot be used. send() throws a transient MailFailure when the disk fails.
[[nodiscard]] std::unique_ptr<Mailer> make_mail_folder(const MailFolderOptions& options);

}  // namespace boxoffice
