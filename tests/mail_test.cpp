#include "mail/mail.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "mail/headers.hpp"
#include "servers/smtp_server.hpp"
#include "temp_folder.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Kind = MailFailure::Kind;
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

std::optional<Kind> failure_kind(Mailer& mailer, const Mail& mail)
{
    try {
        mailer.send(mail);
        return std::nullopt;
    } catch (const MailFailure& failure) {
        EXPECT_EQ(std::string(failure.what()).find("anna"), std::string::npos) << failure.what();
        return failure.kind();
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
    EXPECT_EQ(failure_kind(*mailer, some_mail()), Kind::permanent);
    server.be(Mood::refuses_messages);
    EXPECT_EQ(failure_kind(*mailer, some_mail()), Kind::permanent);
    server.be(Mood::good);
    EXPECT_EQ(failure_kind(*mailer, some_mail()), std::nullopt);
    EXPECT_EQ(server.messages().size(), 1U);
}

TEST(Smtp, TriesAgainWhatAnOperatorCanMendAndGivesUpWhatIsTheRecipientsOrTheMessages)
{
    struct Case {
        const char* verb;
        const char* reply;
        Kind kind;
    };
    const Case cases[] = {
        {"RCPT", "550 5.7.1 Unable to relay", Kind::transient},
        {"RCPT", "554 5.7.1 <x>: Relay access denied", Kind::transient},
        {"RCPT", "550-5.7.26 This mail is unauthenticated\r\n550 See the manual", Kind::transient},
        {"RCPT", "550 relay not permitted", Kind::transient},
        {"RCPT", "550 Administrative PROHIBITION", Kind::transient},
        {"RCPT", "530 5.7.0 Must issue a STARTTLS command first", Kind::transient},
        {"RCPT", "550 5.1.8 Sender's domain does not exist", Kind::transient},
        {"RCPT", "552 5.2.2 Mailbox full", Kind::transient},
        {"RCPT", "552 too much", Kind::transient},
        {"RCPT", "550 5.4.1 No answer from host", Kind::transient},
        {"RCPT", "550 5.3.0 out of order", Kind::transient},
        {"RCPT", "503 5.5.1 bad sequence", Kind::transient},
        {"RCPT", "450 4.1.1 greylisted", Kind::transient},
        {"RCPT", "550 4.2.1 undecided", Kind::transient},
        {"RCPT", "550 5.1.1 No such user", Kind::permanent},
        {"RCPT", "550-5.1.1 The account does not exist\r\n550 5.1.1 https://example.org", Kind::permanent},
        {"RCPT", "550 5.1.10 Null MX", Kind::permanent},
        {"RCPT", "550 5.2.1 Mailbox disabled", Kind::permanent},
        {"RCPT", "550 5.0.0 unknown", Kind::permanent},
        {"RCPT", "550 no such user", Kind::permanent},
        {"RCPT", "553 bad name", Kind::permanent},
        {"RCPT", "501 5.1.3 bad syntax", Kind::permanent},
        {"MAIL", "550 5.1.1 sender unknown", Kind::transient},
        {"MAIL", "553 5.7.1 not yours", Kind::transient},
        {"MAIL", "501 what", Kind::transient},
        {"DATA", "550 5.7.1 looks like spam", Kind::transient},
        {"DATA", "554 5.7.0 no DKIM", Kind::transient},
        {"DATA", "554 5.3.4 disk", Kind::transient},
        {"DATA", "554 5.6.0 no such encoding", Kind::permanent},
        {"DATA", "554 never", Kind::permanent},
    };
    for (const Case& one : cases) {
        SmtpServer server;
        server.answer(one.verb, one.reply);
        EXPECT_EQ(failure_kind(*mailer_to(server), some_mail()), one.kind) << one.verb << ": " << one.reply;
        server.answer(one.verb, "");
        EXPECT_EQ(failure_kind(*mailer_to(server), some_mail()), std::nullopt) << one.reply;
    }
}

TEST(Smtp, TellsTheStatusOfARefusalAndNoneOfItsWords)
{
    SmtpServer server;
    server.answer("RCPT", "550-5.7.1 <anna@example.org> from 192.0.2.1\r\n550 5.7.1 not here");
    try {
        mailer_to(server)->send(some_mail());
        FAIL() << "sent";
    } catch (const MailFailure& failure) {
        EXPECT_STREQ(failure.what(), "the mail server answered 550 5.7.1 to RCPT");
    }
}

TEST(Smtp, HopesForLaterWhenTheServerIsInTrouble)
{
    SmtpServer server;
    const auto mailer = mailer_to(server);
    for (const Mood mood : {Mood::tries_later, Mood::greets_busy, Mood::drops}) {
        server.be(mood);
        EXPECT_EQ(failure_kind(*mailer, some_mail()), Kind::transient) << static_cast<int>(mood);
    }
    const auto unreachable = make_smtp({"smtp://127.0.0.1:1", "tickets@boxoffice.example"});
    EXPECT_EQ(failure_kind(*unreachable, some_mail()), Kind::transient);
}

TEST(Smtp, GivesUpOnAServerThatSaysNothing)
{
    SmtpServer server;
    server.be(Mood::stalls);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(failure_kind(*mailer_to(server, 300ms), some_mail()), Kind::transient);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
}

TEST(Smtp, LetsNobodyAddALineOrARecipient)
{
    SmtpServer server;
    const auto mailer = mailer_to(server);
    for (const char* address : {"a@b.co\r\nBcc: x@y.z", "a@b.co>,<x@y.z", "a b@c.de", "a,x@y.z", "nobody", "@b.co", ""}) {
        Mail mail = some_mail();
        mail.to_address = address;
        EXPECT_EQ(failure_kind(*mailer, mail), Kind::permanent) << address;
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
    EXPECT_EQ(failure_kind(*mailer, some_mail()), Kind::transient) << "a password can be mended";
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
        EXPECT_EQ(failure.kind(), Kind::transient);
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

class MailFolder : public testing::Test
{
protected:
    std::unique_ptr<Mailer> open(std::size_t most = 1000)
    {
        return make_mail_folder({folder, "Box office <tickets@boxoffice.example>", most});
    }
    static Mail with_key(const std::string& key)
    {
        Mail mail = some_mail();
        mail.key = key;
        return mail;
    }
    std::vector<std::string> names() const
    {
        std::vector<std::string> all;
        for (const auto& entry : fs::directory_iterator(folder)) all.push_back(entry.path().filename());
        std::sort(all.begin(), all.end());
        return all;
    }
    static std::string text(const fs::path& file)
    {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    TempFolder temp;
    const fs::path folder = temp.path() / "mail";
};

TEST_F(MailFolder, KeepsAMessageAsAFileThatNobodyElseMayRead)
{
    fs::create_directory(folder);
    fs::permissions(folder, fs::perms::all);
    const auto old_mask = ::umask(0);
    Mail mail = some_mail();
    mail.to_name = "J\u00f6rg";
    mail.text = "Hello J\u00f6rg,\n" + std::string(100, 'x') + "\ntrailing \na=b\n";
    open()->send(mail);
    ::umask(old_mask);
    ASSERT_EQ(names().size(), 1U);
    const fs::path file = folder / names()[0];
    EXPECT_TRUE(names()[0].ends_with("-ticket_paid-7.eml")) << names()[0];
    EXPECT_EQ(fs::status(folder).permissions(), fs::perms::owner_all);
    EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    const std::string got = "\r\n" + text(file);
    for (const char* part :
         {"\r\nFrom: \"Box office\" <tickets@boxoffice.example>\r\n", "\r\nTo: =?UTF-8?B?SsO2cmc=?=\r\n <anna@example.org>\r\n",
          "\r\nSubject: Your ticket for Blues\r\n", "\r\nMIME-Version: 1.0\r\n", "\r\nDate: ", "\r\nMessage-ID: <ticket_paid-7.",
          "\r\nContent-Type: text/plain; charset=utf-8\r\n", "\r\nContent-Type: text/html; charset=utf-8\r\n",
          "\r\nHello J=C3=B6rg,\r\n", "\r\ntrailing=20\r\na=3Db\r\n", "<p>Gr=C3=BC=C3=9Fe</p>\r\n"})
        EXPECT_TRUE(has(got, part)) << part << "\nin\n" << got;
    for (std::size_t begin = 0, end = 0; (end = got.find("\r\n", begin)) != got.npos; begin = end + 2)
        EXPECT_LE(end - begin, 78U) << got.substr(begin, end - begin);
    EXPECT_EQ(std::count(got.begin(), got.end(), '\n'), std::count(got.begin(), got.end(), '\r'));
}

TEST_F(MailFolder, KeepsTheNewestOverRestartsAndLeavesOtherFilesAlone)
{
    fs::create_directory(folder);
    std::ofstream(folder / "README") << "mine";
    std::ofstream(folder / "20260101T000000.000000Z-x.eml.unfinished") << "half";
    {
        const auto mailer = open(3);
        for (const char* key : {"a:1", "a:2", "a:3", "a:4"}) mailer->send(with_key(key));
    }
    open(3)->send(with_key("a:5"));
    std::vector<std::string> kept = names();
    ASSERT_EQ(kept.size(), 4U);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(kept[i].ends_with("-a-" + std::to_string(i + 3) + ".eml")) << kept[i];
    EXPECT_EQ(kept[3], "README");
}

TEST_F(MailFolder, PutsAMessageLastWhateverTheClockOfTheOthersWas)
{
    fs::create_directory(folder);
    std::ofstream(folder / "20990101T000000.000000Z-b-1.eml") << "ahead";
    const auto mailer = open(2);
    for (const char* key : {"a:1", "a:2", "a:3"}) mailer->send(with_key(key));
    const auto kept = names();
    ASSERT_EQ(kept.size(), 2U);
    EXPECT_TRUE(kept[0].ends_with("-a-2.eml") && kept[1].ends_with("-a-3.eml")) << kept[0] << ' ' << kept[1];
}

TEST_F(MailFolder, HasHopeWhileTheDiskFailsAndIsMadeAnewWhenItWasClearedAway)
{
    const auto mailer = open();
    fs::remove_all(folder);
    std::ofstream(folder) << "in the way";
    EXPECT_EQ(failure_kind(*mailer, some_mail()), Kind::transient);
    fs::remove(folder);
    EXPECT_EQ(failure_kind(*mailer, some_mail()), std::nullopt);
    EXPECT_EQ(names().size(), 1U);
    Mail unaddressed = some_mail();
    unaddressed.to_address = "a b@c.de";
    EXPECT_EQ(failure_kind(*mailer, unaddressed), Kind::permanent);
}

TEST_F(MailFolder, ThatCannotBeUsedIsSaidAtOnce)
{
    std::ofstream(folder) << "in the way";
    try {
        (void)open();
        FAIL() << "opened";
    } catch (const std::runtime_error& failure) {
        EXPECT_TRUE(has(failure.what(), folder.string())) << failure.what();
        EXPECT_TRUE(has(failure.what(), "--mail none")) << failure.what();
    }
}

TEST_F(MailFolder, ServesManyThreads)
{
    const auto mailer = open(50);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 20; ++i) mailer->send(with_key(std::to_string(t) + ":" + std::to_string(i)));
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(names().size(), 50U);
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
