#include "mail/mail.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "mail/headers.hpp"
#include "servers/smtp_server.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;
using Hope = MailFailure::Hope;
using Mood = SmtpServer::Mood;

Mail some_mail()
{
    return {
        "ticket_paid:7",           "anna@example.org", "Anna B.", "Your ticket for Blues", "Hello Anna,\n.one dot\n..two dots\n",
        "<p>Gr\u00fc\u00dfe</p>\n"};
}

std::unique_ptr<Mailer> mailer_to(const SmtpServer& server, Micros timeout = 5s)
{
    return make_smtp({server.url(), "Box office <tickets@boxoffice.example>", timeout});
}

std::optional<Hope> hope_after(Mailer& mailer, const Mail& mail)
{
    try {
        mailer.send(mail);
        return std::nullopt;
    } catch (const MailFailure& failure) {
        EXPECT_EQ(std::string(failure.what()).find("anna"), std::string::npos) << failure.what();
        return failure.hope();
    }
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

TEST(Smtp, HandsOverOneMessageWithTextAndHtml)
{
    SmtpServer server;
    mailer_to(server)->send(some_mail());
    ASSERT_TRUE(server.wait_for(1));
    const SmtpServer::Message got = server.messages().at(0);
    EXPECT_EQ(got.from, "tickets@boxoffice.example");
    EXPECT_EQ(got.to, std::vector<std::string>{"anna@example.org"});
    const std::string head = "\r\n" + got.text.substr(0, got.text.find("\r\n\r\n") + 2);
    for (const char* line : {"\r\nFrom: \"Box office\" <tickets@boxoffice.example>\r\n",
                             "\r\nTo: \"Anna B.\" <anna@example.org>\r\n", "\r\nSubject: Your ticket for Blues\r\n",
                             "\r\nAuto-Submitted: auto-generated\r\n", "\r\nContent-Type: multipart/alternative; boundary=",
                             "\r\nMime-Version: 1.0\r\n", "\r\nDate: ", "\r\nMessage-ID: <ticket_paid-7."}) {
        EXPECT_TRUE(has(head, line)) << line << "\nin\n" << got.text;
    }
    const auto plain = got.text.find("Content-Type: text/plain; charset=utf-8\r\n");
    const auto html = got.text.find("Content-Type: text/html; charset=utf-8\r\n");
    ASSERT_NE(plain, std::string::npos) << got.text;
    ASSERT_NE(html, std::string::npos) << got.text;
    EXPECT_LT(plain, html) << "the last part is the one preferred";
    EXPECT_TRUE(has(got.text, "\r\nContent-Transfer-Encoding: quoted-printable\r\n"));
    EXPECT_TRUE(has(got.text, "\r\nHello Anna,\r\n.one dot\r\n..two dots\r\n")) << got.text;
    EXPECT_TRUE(has(got.text, "<p>Gr=C3=BC=C3=9Fe</p>\r\n")) << got.text;
}

TEST(Smtp, GivesEveryAttemptAtAMessageTheSameId)
{
    SmtpServer server;
    const auto mailer = mailer_to(server);
    mailer->send(some_mail());
    mailer->send(some_mail());
    Mail other = some_mail();
    other.key = "ticket_paid:8";
    mailer->send(other);
    ASSERT_TRUE(server.wait_for(3));
    std::vector<std::string> ids;
    for (const auto& message : server.messages()) {
        const auto at = message.text.find("Message-ID: ");
        ids.push_back(message.text.substr(at, message.text.find("\r\n", at) - at));
    }
    EXPECT_EQ(ids[0], ids[1]);
    EXPECT_NE(ids[0], ids[2]);
    EXPECT_TRUE(ids[0].ends_with("@boxoffice.example>")) << ids[0];
}

TEST(Smtp, HasNoHopeWhenTheRecipientOrTheMessageIsRefused)
{
    SmtpServer server;
    const auto mailer = mailer_to(server);
    server.be(Mood::refuses_recipients);
    EXPECT_EQ(hope_after(*mailer, some_mail()), Hope::none);
    server.be(Mood::refuses_messages);
    EXPECT_EQ(hope_after(*mailer, some_mail()), Hope::none);
    server.be(Mood::good);
    EXPECT_EQ(hope_after(*mailer, some_mail()), std::nullopt);
    EXPECT_EQ(server.messages().size(), 1U);
}

TEST(Smtp, HopesForLaterWhenTheServerIsInTrouble)
{
    SmtpServer server;
    const auto mailer = mailer_to(server);
    for (const Mood mood : {Mood::tries_later, Mood::greets_busy, Mood::drops}) {
        server.be(mood);
        EXPECT_EQ(hope_after(*mailer, some_mail()), Hope::later) << static_cast<int>(mood);
    }
    const auto nobody = make_smtp({"smtp://127.0.0.1:1", "tickets@boxoffice.example"});
    EXPECT_EQ(hope_after(*nobody, some_mail()), Hope::later);
}

TEST(Smtp, GivesUpOnAServerThatSaysNothing)
{
    SmtpServer server;
    server.be(Mood::stalls);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(hope_after(*mailer_to(server, 300ms), some_mail()), Hope::later);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
}

TEST(Smtp, LetsNobodyAddALineOrARecipient)
{
    SmtpServer server;
    const auto mailer = mailer_to(server);
    for (const char* address : {"a@b.co\r\nBcc: x@y.z", "a@b.co>,<x@y.z", "a b@c.de", "a,x@y.z", "nobody", "@b.co", ""}) {
        Mail mail = some_mail();
        mail.to_address = address;
        EXPECT_EQ(hope_after(*mailer, mail), Hope::none) << address;
    }
    EXPECT_EQ(server.connections(), 0U);
    Mail mail = some_mail();
    mail.to_name = "Anna\r\nBcc: x@y.z";
    mail.subject = "Hello\r\n\r\nBcc: x@y.z";
    mailer->send(mail);
    ASSERT_TRUE(server.wait_for(1));
    EXPECT_FALSE(has(server.messages()[0].text, "\r\nBcc")) << server.messages()[0].text;
    EXPECT_EQ(server.messages()[0].to.size(), 1U);
}

std::unique_ptr<Mailer> mailer_with_login(const SmtpServer& server, const std::string& host)
{
    return make_smtp({"smtp://box:s3cret@" + host + ":" + std::to_string(server.port()), "tickets@boxoffice.example", 5s});
}

TEST(Smtp, SignsInWithTheUrlsPassword)
{
    SmtpServer server;
    const auto mailer = mailer_with_login(server, "127.0.0.1");
    mailer->send(some_mail());
    ASSERT_TRUE(server.wait_for(1));
    EXPECT_EQ(server.logins(), std::vector<std::string>{"AGJveABzM2NyZXQ="});
    server.be(Mood::refuses_logins);
    EXPECT_EQ(hope_after(*mailer, some_mail()), Hope::later) << "a password can be mended";
    EXPECT_EQ(server.messages().size(), 1U);
}

TEST(Smtp, TellsNoPasswordToAnotherMachineInTheClear)
{
    SmtpServer server;
    // Here it is this machine after all, by an address that does not say so.
    try {
        mailer_with_login(server, "0.0.0.0")->send(some_mail());
        FAIL() << "sent";
    } catch (const MailFailure& failure) {
        EXPECT_STREQ(failure.what(), "the mail server offers no TLS, and a password is not sent without");
        EXPECT_EQ(failure.hope(), Hope::later);
    }
    EXPECT_EQ(server.connections(), 1U);
    EXPECT_TRUE(server.logins().empty());
    EXPECT_TRUE(server.messages().empty());
}

TEST(Smtp, ServesManyThreads)
{
    SmtpServer server;
    const auto mailer = mailer_to(server, 20s);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 5; ++i) mailer->send(some_mail());
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(server.messages().size(), 20U);
}

TEST(SmtpUrl, IsToldFromWhatIsNone)
{
    for (const char* url :
         {"smtp://mail.example.org", "smtp://u:p%40ss@mail.example.org:587", "smtps://[::1]:465", "smtp://localhost/"})
        EXPECT_EQ(why_bad_smtp_url(url), "") << url;
    for (const char* url :
         {"", "mail.example.org", "http://x", "smtp://", "smtp://x/path", "smtp://x?y", "smtp://x y", "smtp://x:99999"})
        EXPECT_NE(why_bad_smtp_url(url), "") << url;
}

TEST(MailFrom, IsAnAddressOrANameWithOne)
{
    for (const char* from : {"a@b.co", "Box office <a@b.co>", "\"Box, office\" <a@b.co>", " <a@b.co> ", "B\u00fchne <a@b.co>"})
        EXPECT_EQ(why_bad_mail_from(from), "") << from;
    for (const char* from : {"", "a", "Box office", "Box <a@b.co", "Box <a>", "a@b.co, c@d.ef", "a@b.co\r\nX: y", "<a@b.co> x"})
        EXPECT_NE(why_bad_mail_from(from), "") << from;
}

TEST(HeaderText, IsEncodedWhereItIsNotPlain)
{
    EXPECT_EQ(mail::header_text("Blues & more"), "Blues & more");
    EXPECT_EQ(mail::header_text("Gr\u00fc\u00dfe"), "=?UTF-8?B?R3LDvMOfZQ==?=");
    EXPECT_EQ(mail::header_text("=?UTF-8?B?QQ==?="), "=?UTF-8?B?PT9VVEYtOD9CP1FRPT0/PQ==?=") << "does not pass for encoded";
    std::string accents;
    for (int i = 0; i < 200; ++i) accents += "\u20ac";
    const std::string folded = mail::header_text("x" + accents);
    std::size_t begin = 0;
    for (std::size_t end = 0; end != folded.npos; begin = end + 3) {
        end = folded.find("\r\n ", begin);
        const std::string word = folded.substr(begin, end == folded.npos ? end : end - begin);
        EXPECT_LE(word.size(), 75U);
        EXPECT_TRUE(word.starts_with("=?UTF-8?B?") && word.ends_with("?=")) << word;
        if (end == folded.npos) break;
    }
    EXPECT_TRUE(has(folded, "\r\n "));
}

TEST(HeaderMailbox, QuotesItsName)
{
    EXPECT_EQ(mail::header_mailbox({"", "a@b.co"}), "a@b.co");
    EXPECT_EQ(mail::header_mailbox({"Anna, \"B\"", "a@b.co"}), "\"Anna, \\\"B\\\"\" <a@b.co>");
    EXPECT_EQ(mail::header_mailbox({"J\u00f6rg", "a@b.co"}), "=?UTF-8?B?SsO2cmc=?=\r\n <a@b.co>");
}

TEST(HeaderDate, IsWrittenAsMailReadsIt)
{
    EXPECT_EQ(mail::header_date(std::chrono::sys_days(std::chrono::year(2026) / 7 / 4) + 18h + 5s),
              "Sat, 04 Jul 2026 18:00:05 +0000");
}

}  // namespace
}  // namespace boxoffice
