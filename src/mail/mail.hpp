#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "core/ports.hpp"

/// Mail through somebody's SMTP server, with libcurl.
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
/// server has to prove who it is; otherwise STARTTLS is taken where it is offered, whoever offers it: better than none. Throws
/// std::invalid_argument when one of the above complains. MailFailure has no hope when the server refuses the recipient or the
/// message with 5xx.
[[nodiscard]] std::unique_ptr<Mailer> make_smtp(const SmtpOptions& options);

}  // namespace boxoffice
