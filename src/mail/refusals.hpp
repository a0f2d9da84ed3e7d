#pragma once
#include <string>
#include <string_view>

#include "core/ports.hpp"

namespace boxoffice::mail
{

/// What an SMTP server answered to a command: its number, the status code beside it (RFC 3463), and whether its words speak of a
/// policy. The words themselves are not kept: servers like to repeat addresses and more in them.
struct SmtpReply {
    int number = 0;      // 0: none yet
    std::string status;  // "5.7.1"; empty: none was given
    bool policy = false;

    /// Takes in one line of a reply, of which there may be several: "550-5.7.1 no" before "550 see the manual".
    void take(std::string_view line);
    /// "550 5.7.1"
    [[nodiscard]] std::string text() const;

private:
    bool goes_on_ = false;
};

/// Whether the same message may yet be taken. Only what is surely the fault of the recipient's address or of the message itself
/// is final; what an operator can mend, here or there (passwords, senders, relaying, block lists, full disks and mailboxes), is
/// tried again, and given up after the last try like anything else.
[[nodiscard]] MailFailure::Kind failure_kind(std::string_view verb, const SmtpReply& reply);

}  // namespace boxoffice::mail
