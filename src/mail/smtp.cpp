#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <new>
#include <stdexcept>
#include <utility>

#include "mail/headers.hpp"
#include "mail/mail.hpp"
#include "mail/refusals.hpp"
#include "text/text.hpp"

namespace boxoffice
{

namespace
{

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Mime = std::unique_ptr<curl_mime, decltype(&curl_mime_free)>;
using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

void start_curl_once()
{
    static std::once_flag once;
    std::call_once(once, [] {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::runtime_error("libcurl cannot be started");
    });
}

void need(bool good)
{
    if (!good) throw std::bad_alloc();
}

class Strings
{
public:
    void add(const std::string& line)
    {
        curl_slist* const longer = curl_slist_append(list_.get(), line.c_str());
        need(longer != nullptr);
        (void)list_.release();
        list_.reset(longer);
    }
    [[nodiscard]] curl_slist* get() const { return list_.get(); }

private:
    std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> list_{nullptr, &curl_slist_free_all};
};

std::string part_of(CURLU* url, CURLUPart which)
{
    char* text = nullptr;
    if (curl_url_get(url, which, &text, 0) != CURLUE_OK) return {};
    std::string part = text;
    curl_free(text);
    return part;
}

bool is_loopback(std::string_view host) { return host == "localhost" || host == "[::1]" || host.starts_with("127."); }

/// The latest command and what was answered to it: curl's own result does not say what was refused.
struct Talk {
    std::string_view verb = "the connection";
    mail::SmtpReply reply;
    bool over = false;  // what is answered to QUIT is of no interest
};

/// Of what curl says only verbs are kept, of what it hears only numbers: there are passwords and addresses in between.
int overhear(CURL* /*easy*/, curl_infotype kind, char* bytes, std::size_t size, void* to)
{
    static constexpr std::array<std::string_view, 7> kVerbs = {"EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA"};
    auto& talk = *static_cast<Talk*>(to);
    const std::string_view line(bytes, size);
    if (kind == CURLINFO_HEADER_OUT) {
        if (line.starts_with("QUIT")) talk.over = true;
        for (const std::string_view verb : kVerbs) {
            if (line.starts_with(verb)) talk.verb = verb;
        }
        if (!talk.over) talk.reply = {};
    } else if (kind == CURLINFO_HEADER_IN && !talk.over) {
        talk.reply.take(line);
    }
    return 0;
}

/// Lines of a message end in CRLF.
std::string with_crlf(std::string_view text)
{
    std::string lines;
    lines.reserve(text.size() + text.size() / 32);
    for (const char c : text) {
        if (c == '\r') continue;
        if (c == '\n') lines += '\r';
        lines += c;
    }
    return lines;
}

class Smtp final : public Mailer
{
public:
    explicit Smtp(const SmtpOptions& options) : url_(options.url), timeout_(options.timeout)
    {
        std::string wrong = why_bad_smtp_url(options.url);
        if (wrong.empty()) wrong = why_bad_mail_from(options.from);
        if (!wrong.empty()) throw std::invalid_argument(wrong);
        from_ = *mail::parse_mailbox(options.from);
        start_curl_once();
        const Url url(curl_url(), &curl_url_cleanup);
        need(url != nullptr && curl_url_set(url.get(), CURLUPART_URL, url_.c_str(), CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK);
        const bool has_password = !part_of(url.get(), CURLUPART_PASSWORD).empty();
        verify_certificate_ = part_of(url.get(), CURLUPART_SCHEME) == "smtps" || has_password;
        // A man in the middle could leave STARTTLS out of what the server offers, and read the password.
        encryption_ = has_password && !is_loopback(part_of(url.get(), CURLUPART_HOST)) ? CURLUSESSL_ALL : CURLUSESSL_TRY;
    }

    void send(const Mail& mail) override
    {
        const std::string to = text::deliverable(mail.to_address);
        if (!mail::is_address(to)) throw MailFailure("the recipient has no usable address", MailFailure::Kind::permanent);
        const Easy easy(curl_easy_init(), &curl_easy_cleanup);
        need(easy != nullptr);
        Talk talk;
        set_up(easy.get(), talk);
        const std::string from = "<" + from_.address + ">";
        Strings recipients;
        recipients.add("<" + to + ">");
        curl_easy_setopt(easy.get(), CURLOPT_MAIL_FROM, from.c_str());
        curl_easy_setopt(easy.get(), CURLOPT_MAIL_RCPT, recipients.get());
        const Strings headers = headers_of(mail, to);
        const Mime body = body_of(easy.get(), mail);
        curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
        curl_easy_setopt(easy.get(), CURLOPT_MIMEPOST, body.get());
        const CURLcode result = curl_easy_perform(easy.get());
        if (result != CURLE_OK) throw failure(result, talk);
    }

private:
    void set_up(CURL* easy, Talk& talk) const
    {
        const auto milliseconds = static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(timeout_).count());
        curl_easy_setopt(easy, CURLOPT_URL, url_.c_str());
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        curl_easy_setopt(easy, CURLOPT_PROXY, "");  // one set for web browsing by the environment
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds);
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, std::max(milliseconds / 2, 1L));
        curl_easy_setopt(easy, CURLOPT_USE_SSL, static_cast<long>(encryption_));
        if (!verify_certificate_) {
            curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
            curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
        }
        curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);  // into overhear(), not on to a terminal
        curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, &overhear);
        curl_easy_setopt(easy, CURLOPT_DEBUGDATA, &talk);
    }

    Strings headers_of(const Mail& mail, const std::string& to) const
    {
        Strings headers;
        headers.add("Date: " + mail::header_date(std::chrono::system_clock::now()));
        headers.add("From: " + mail::header_mailbox(from_));
        headers.add("To: " + mail::header_mailbox({mail.to_name, to}));
        headers.add("Subject: " + mail::header_text(mail.subject));
        headers.add("Message-ID: " + mail::message_id(mail.key, from_.address));
        headers.add("Auto-Submitted: auto-generated");
        headers.add("Content-Type: multipart/alternative");  // curl adds the boundary
        return headers;
    }

    static Mime body_of(CURL* easy, const Mail& mail)
    {
        Mime mime(curl_mime_init(easy), &curl_mime_free);
        need(mime != nullptr);
        // The last one is what a programme shows that can: RFC 2046, section 5.1.4.
        add_part(mime.get(), with_crlf(mail.text), "text/plain; charset=utf-8");
        add_part(mime.get(), with_crlf(mail.html), "text/html; charset=utf-8");
        return mime;
    }

    static void add_part(curl_mime* mime, const std::string& text, const char* type)
    {
        curl_mimepart* const part = curl_mime_addpart(mime);
        need(part != nullptr && curl_mime_data(part, text.data(), text.size()) == CURLE_OK &&
             curl_mime_type(part, type) == CURLE_OK && curl_mime_encoder(part, "quoted-printable") == CURLE_OK);
    }

    /// Says neither whom it was for nor what the server said, which likes to repeat it: reasons are kept and logged.
    static MailFailure failure(CURLcode result, const Talk& talk)
    {
        if (talk.reply.number >= 400) {
            return {fmt::format("the mail server answered {} to {}", talk.reply.text(), talk.verb),
                    mail::failure_kind(talk.verb, talk.reply)};
        }
        if (result == CURLE_USE_SSL_FAILED)
            return {"the mail server offers no TLS, and a password is not sent without", MailFailure::Kind::transient};
        return {fmt::format("the mail server could not be used: {}", curl_easy_strerror(result)), MailFailure::Kind::transient};
    }

    std::string url_;
    Micros timeout_;
    mail::Mailbox from_;
    bool verify_certificate_ = false;  // has the server prove who it is
    curl_usessl encryption_ = CURLUSESSL_TRY;
};

}  // namespace

std::string why_bad_smtp_url(std::string_view url)
{
    start_curl_once();
    const Url parsed(curl_url(), &curl_url_cleanup);
    need(parsed != nullptr);
    const auto is_bad = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; };
    if (std::any_of(url.begin(), url.end(), is_bad) ||
        curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        return "it is not a URL like smtp://user:password@host:port";
    const std::string scheme = part_of(parsed.get(), CURLUPART_SCHEME);
    if (scheme != "smtp" && scheme != "smtps") return "it has to begin with smtp:// or smtps://";
    if (part_of(parsed.get(), CURLUPART_HOST).empty()) return "it names no host";
    const std::string path = part_of(parsed.get(), CURLUPART_PATH);
    if ((!path.empty() && path != "/") || !part_of(parsed.get(), CURLUPART_QUERY).empty() ||
        !part_of(parsed.get(), CURLUPART_FRAGMENT).empty())
        return "nothing may follow the host and port";
    return {};
}

std::string why_bad_mail_from(std::string_view from)
{
    if (mail::parse_mailbox(from)) return {};
    return "it is neither an address nor a name with one: Box office <tickets@example.org>";
}

std::unique_ptr<Mailer> make_smtp(const SmtpOptions& options) { return std::make_unique<Smtp>(options); }

}  // namespace boxoffice
