/// The command line as an operator meets it: help, mistakes, precedence.
#include <fstream>

#include "cli_process.hpp"

namespace
{

using namespace boxoffice::cli_test;

// --- Help and words ------------------------------------------------------------------------------------------------

TEST(Help, IsWhatBoxofficeAlonePrints)
{
    const Ran alone = run({});
    EXPECT_EQ(alone.code, 0);
    EXPECT_EQ(alone.out, run({"--help"}).out);
    for (const char* const command : {"serve", "worker", "migrate up", "migrate down", "migrate status", "demo", "doctor",
                                      "backup FILE", "restore", "copy", "version"}) {
        EXPECT_TRUE(holds(alone.out, command)) << command;
    }
}

TEST(Help, NamesEveryOptionItsDefaultAndItsVariable)
{
    const std::string serve = run({"serve", "--help"}).out;
    for (const char* const part : {"--data DIR",
                                   "--database-url URL",
                                   "--listen HOST:PORT",
                                   "--hold-seconds SECONDS",
                                   "--bcrypt-cost N",
                                   "--log-format FORMAT",
                                   "--log-level LEVEL",
                                   "--jwt-secret SECRET",
                                   "--jwt-secret-file FILE",
                                   "--io-threads N",
                                   "--read-threads N",
                                   "--token-minutes MINUTES",
                                   "--config FILE",
                                   "--print-config",
                                   "127.0.0.1:8000",
                                   "120",
                                   "--redis-url URL",
                                   "--work yes|no",
                                   "--write-lanes N",
                                   "--rate-limit on|off",
                                   "2000/6000",
                                   "--trusted-proxies LIST",
                                   "--cors-origins LIST",
                                   "--trusted-accounts LIST",
                                   "--search-rate RATE",
                                   "--guess-rate RATE",
                                   "--account-guess-rate RATE",
                                   "--search-threads N",
                                   "--search-queue N",
                                   "--read-deadline SECONDS",
                                   "--password-deadline SECONDS",
                                   "[BOXOFFICE_LISTEN]",
                                   "[BOXOFFICE_JWT_SECRET]",
                                   "Examples"}) {
        EXPECT_TRUE(holds(serve, part)) << part;
    }
    const std::string demo = run({"demo", "-h"}).out;
    for (const char* const part : {"--events N", "--seed S", "--from YYYY-MM-DD", "--add", "--data DIR", "--database-url URL"}) {
        EXPECT_TRUE(holds(demo, part)) << part;
    }
    for (const Words& command :
         {Words{"migrate", "up"}, Words{"migrate", "down"}, Words{"migrate", "status"}, Words{"doctor"}, Words{"backup"}}) {
        Words asked = command;
        asked.emplace_back("--help");
        const Ran help = run(asked);
        EXPECT_EQ(help.code, 0) << command.front();
        EXPECT_TRUE(holds(help.out, "--data DIR") && holds(help.out, "--database-url URL")) << help.out;
    }
    const std::string worker = run({"worker", "--help"}).out;
    for (const char* const part :
         {"127.0.0.1:8001", "--database-url URL", "--redis-url URL", "--smtp-url URL", "--job-threads N", "--log-level LEVEL"}) {
        EXPECT_TRUE(holds(worker, part)) << part;
    }
    for (const char* const part : {"--data ", "--hold-seconds", "--jwt-secret", "sqlite:DATA"})
        EXPECT_FALSE(holds(worker, part)) << part;
    const std::string copy = run({"copy", "--help"}).out;
    EXPECT_TRUE(holds(copy, "--from URL") && holds(copy, "--to URL")) << copy;
    EXPECT_FALSE(holds(copy, "YYYY-MM-DD") || holds(demo, "--from URL")) << "two commands' options of one name were mixed up";
    EXPECT_TRUE(holds(run({"migrate", "--help"}).out, "migrate status"));
    EXPECT_EQ(run({"help", "doctor"}).out, run({"doctor", "--help"}).out);
}

TEST(Words, ThatAreNoCommandAreMetWithAFriendlyErrorAndCode2)
{
    const Ran strange = run({"frobnicate"});
    EXPECT_EQ(strange.code, 2);
    EXPECT_TRUE(strange.out.empty());
    EXPECT_TRUE(holds(strange.err, "\"frobnicate\" is not a command")) << strange.err;
    EXPECT_TRUE(holds(run({"server"}).err, "did you mean boxoffice serve?"));
    EXPECT_EQ(run({"migrate"}).code, 2);
    EXPECT_EQ(run({"migrate", "sideways"}).code, 2);
    EXPECT_EQ(run({"backup"}).code, 2);
}

TEST(Version, NamesItsParts)
{
    const Ran version = run({"version"});
    EXPECT_EQ(version.code, 0);
    for (const char* const part : {"boxoffice ", "SQLite 3.", "Boost 1.", "OpenSSL 3."})
        EXPECT_TRUE(holds(version.out, part)) << part;
    EXPECT_EQ(run({"--version"}).out, version.out);
}

TEST(Version, IsThatOfTheApiDocument)
{
    std::ifstream document(std::string(std::getenv("BOXOFFICE_SOURCE")) + "/api/openapi.yaml");
    std::string line;
    while (std::getline(document, line) && !line.starts_with("  version: ")) {}
    ASSERT_TRUE(document) << "info.version is missing";
    const std::string out = run({"version"}).out;
    EXPECT_TRUE(out.starts_with("boxoffice " + line.substr(11) + " (") || out.starts_with("boxoffice " + line.substr(11) + "\n"))
        << out;
}

// --- Mistakes ------------------------------------------------------------------------------------------------------

TEST(Mistakes, AreAllNamedAtOnceFromEveryPlace)
{
    const Folder folder;
    folder.write("box.toml", "bcrypt-cots = 5\ntoken-minutes = \"soon\"\n[table]\nhold-seconds 3\n");
    const Ran ran = run({"serve", "--config", folder / "box.toml", "--listen", "nowhere", "--lisetn", "x", "--log-level"},
                        {"BOXOFFICE_BCRYPT_COST=99", "BOXOFFICE_HOLD_SECONDS=0.4", "BOXOFFICE_JWT_SECRET=hunter2hunter2",
                         "BOXOFFICE_LOG_FORMT=json"});
    EXPECT_EQ(ran.code, 2);
    EXPECT_TRUE(ran.out.empty());
    for (const char* const part :
         {"box.toml:1: bcrypt-cots is not a setting; did you mean bcrypt-cost?", "box.toml:2: token-minutes is \"soon\"",
          "box.toml:3: tables", "box.toml:4: this line", "--listen is \"nowhere\"", "--lisetn is not an option",
          "did you mean --listen?", "--log-level needs a value", "BOXOFFICE_BCRYPT_COST is \"99\"", "4 to 15",
          "BOXOFFICE_HOLD_SECONDS is \"0.4\"", "0.5 to 86400", "BOXOFFICE_JWT_SECRET is refused",
          "did you mean BOXOFFICE_LOG_FORMAT?"}) {
        EXPECT_TRUE(holds(ran.err, part)) << part << "\n" << ran.err;
    }
    EXPECT_FALSE(holds(ran.err, "hunter2")) << "a secret was printed";
}

TEST(Mistakes, InARangeAreRefusedAtItsEdgesOnly)
{
    const auto accepts = [](const std::string& option, const std::string& value) {
        return run({"serve", "--print-config", "--" + option, value}).code == 0;
    };
    for (const char* const good : {"0.5", "120", "86400"}) EXPECT_TRUE(accepts("hold-seconds", good)) << good;
    for (const char* const bad : {"0.49", "86400.1", "-1", "nan", "inf", "1e9", "2m", "0x10"})
        EXPECT_FALSE(accepts("hold-seconds", bad)) << bad;
    for (const char* const good : {"4", "15"}) EXPECT_TRUE(accepts("bcrypt-cost", good)) << good;
    for (const char* const bad : {"3", "16", "4.5", "-4", "99999999999999999999"})
        EXPECT_FALSE(accepts("bcrypt-cost", bad)) << bad;
    for (const char* const good : {"0.0.0.0:0", "[::1]:8000", "localhost:65535"}) EXPECT_TRUE(accepts("listen", good)) << good;
    for (const char* const bad :
         {"8000", ":8000", "127.0.0.1:65536", "127.0.0.1:", "::1:80", "[127.0.0.1]:1", "example.org:80"}) {
        EXPECT_FALSE(accepts("listen", bad)) << bad;
    }
    EXPECT_EQ(run({"demo", "--events", "0"}).code, 2);
    EXPECT_EQ(run({"demo", "--from", "2027-02-29"}).code, 2);
}

TEST(Mistakes, InWhatSeveralMachinesNeedAreRefused)
{
    const auto accepts = [](const std::string& option, const std::string& value) {
        return run({"serve", "--print-config", "--" + option, value}).code == 0;
    };
    for (const char* const good : {"1/0.5", "0/0", "300/1200"}) EXPECT_TRUE(accepts("account-rate", good)) << good;
    for (const char* const bad : {"300", "0/5", "5/0", "0.5/1", "-1/1", "1/nan", "inf/inf", "1/2/3", "/"})
        EXPECT_FALSE(accepts("login-rate", bad)) << bad;
    for (const char* const good : {"10.0.0.0/8", "127.0.0.1, ::1", "fd00::/8,192.168.0.0/16", "0.0.0.0/0"})
        EXPECT_TRUE(accepts("trusted-proxies", good)) << good;
    for (const char* const bad : {"10.0.0.0/33", "::/129", "10.0.0/8", "proxy", "10.0.0.1,", ",", "10.0.0.1/", "10.0.0.1/-1"})
        EXPECT_FALSE(accepts("trusted-proxies", bad)) << bad;
    for (const char* const good : {"https://shop.example.org", "http://localhost:5173, https://a-b.example:8443",
                                   "HTTPS://Shop.example.org:443", "http://[::1]:3000"})
        EXPECT_TRUE(accepts("cors-origins", good)) << good;
    for (const char* const bad :
         {"*", "null", "shop.example.org", "https://", "https://shop.example.org/", "https://shop.example.org/x",
          "https://*.example.org", "https://a@b.example", "https://a.example:0", "https://a.example:x", "https://a.example,",
          "ftp://a.example", "https://a example"})
        EXPECT_FALSE(accepts("cors-origins", bad)) << bad;
    for (const char* const good : {"7", "12, 845", "9223372036854775807"}) EXPECT_TRUE(accepts("trusted-accounts", good)) << good;
    for (const char* const bad : {"0", "-1", "12,", ",", "ada@example.org", "9223372036854775808", "1 2"})
        EXPECT_FALSE(accepts("trusted-accounts", bad)) << bad;
    EXPECT_TRUE(accepts("read-deadline", "0.1"));
    EXPECT_FALSE(accepts("read-deadline", "0"));
    EXPECT_TRUE(accepts("search-rate", "0/0"));
    for (const char* const good : {"https://tickets.example.org", "http://127.0.0.1:8000/", "https://example.org/tickets"})
        EXPECT_TRUE(accepts("site-url", good)) << good;
    for (const char* const bad : {"tickets.example.org", "https://", "https:///x", "ftp://x", "https://x/\"><b>", "https://x?a"})
        EXPECT_FALSE(accepts("site-url", bad)) << bad;
    for (const char* const good : {"yes", "no"}) EXPECT_TRUE(accepts("work", good)) << good;
    EXPECT_FALSE(accepts("work", "perhaps"));
    for (const char* const good : {"0", "1", "500", "1000000"}) EXPECT_TRUE(accepts("events-per-account-day", good)) << good;
    for (const char* const bad : {"-1", "1000001", "many", ""}) EXPECT_FALSE(accepts("events-per-account-day", bad)) << bad;
    for (const char* const share : {"connections-per-address", "connections-per-64", "connections-per-48",
                                    "live-feeds-per-address", "live-feeds-per-account", "send-rate"}) {
        EXPECT_TRUE(accepts(share, "0")) << share << ": no limit";
        EXPECT_FALSE(accepts(share, "-1")) << share;
    }
    for (const char* const budget : {"live-feeds", "unsent-memory", "received-memory", "live-max-age"}) {
        EXPECT_TRUE(accepts(budget, "100")) << budget;
        EXPECT_FALSE(accepts(budget, "0")) << budget << ": never without one";
    }
    EXPECT_TRUE(accepts("rate-limit", "off"));
    EXPECT_FALSE(accepts("rate-limit", "0"));
    EXPECT_TRUE(accepts("write-lanes", "16"));
    EXPECT_FALSE(accepts("write-lanes", "17"));
    EXPECT_FALSE(accepts("redis-url", "http://127.0.0.1"));
    EXPECT_FALSE(accepts("smtp-url", "smtp://127.0.0.1")) << "no address to send mail from";
    EXPECT_EQ(run({"serve", "--print-config", "--smtp-url", "smtp://127.0.0.1", "--mail-from", "tickets@example.org"}).code, 0);
}

// --- Mail ----------------------------------------------------------------------------------------------------------

const Words kSmtp{"BOXOFFICE_SMTP_URL=smtp://127.0.0.1", "BOXOFFICE_MAIL_FROM=tickets@example.org"};
const Words kOnPostgres{"BOXOFFICE_DATABASE_URL=postgresql://127.0.0.1/tickets",
                        "BOXOFFICE_JWT_SECRET=kD93mXq0vLz7TbWn5RcY2hJf8GsPa6Ue"};

Words both(Words some, const Words& more)
{
    some.insert(some.end(), more.begin(), more.end());
    return some;
}

TEST(MailWay, IsWhatWasSaidOrFollowsFromTheStoreAndTheServerForMail)
{
    struct Case {
        Words flags, environment;
        std::string line;
    };
    const Case cases[] = {
        {{}, {}, "\nmail = \"none\"  # default\n"},  // to the letter: the script `run` reads it
        {{}, kSmtp, "\nmail = \"smtp\"  # default\n"},
        {{}, kOnPostgres, "\n# mail = \"\"  # default\n"},
        {{}, both(kOnPostgres, kSmtp), "\nmail = \"smtp\"  # default\n"},
        {{"--mail", "file"}, {}, "\nmail = \"file\"  # --mail\n"},
        {{"--mail", "file"}, kSmtp, "\nmail = \"file\"  # --mail\n"},
        {{"--mail", "none"}, kSmtp, "\nmail = \"none\"  # --mail\n"},
        {{"--mail", "none"}, {"BOXOFFICE_MAIL=file"}, "\nmail = \"none\"  # --mail\n"},
        {{}, {"BOXOFFICE_MAIL=none"}, "\nmail = \"none\"  # BOXOFFICE_MAIL\n"},
        {{"--mail", "smtp"}, kSmtp, "\nmail = \"smtp\"  # --mail\n"},
        {{"--mail", "none"}, kOnPostgres, "\nmail = \"none\"  # --mail\n"},
    };
    for (const Case& one : cases) {
        const Ran ran = run(both({"serve", "--print-config"}, one.flags), one.environment);
        EXPECT_EQ(ran.code, 0) << ran.err;
        EXPECT_TRUE(holds(ran.out, one.line)) << one.line << ran.out;
    }
}

TEST(MailWay, ThatCannotBeGoneIsRefusedWithItsRemedy)
{
    EXPECT_TRUE(holds(run({"serve", "--mail", "post"}).err, "--mail is \"post\"; it must be smtp, file or none."));
    EXPECT_TRUE(holds(run({"serve", "--mail", "smtp"}).err, "--mail is smtp, but there is no server that takes mail"));
    EXPECT_EQ(run({"serve", "--mail", "smtp", "--smtp-url", "smtp://127.0.0.1"}).code, 2) << "no address to send it from";
    EXPECT_TRUE(holds(run({"serve", "--mail", "file"}, kOnPostgres).err, "--mail is file, which is for the embedded store only"));
    EXPECT_TRUE(holds(run({"worker"}, both(kOnPostgres, {"BOXOFFICE_MAIL=file"})).err, "BOXOFFICE_MAIL is file, which is for"));
    EXPECT_EQ(run({"worker", "--print-config", "--mail", "none"}, kOnPostgres).code, 0);
}

// --- Stores --------------------------------------------------------------------------------------------------------

constexpr const char* kGoodSecret = "kD93mXq0vLz7TbWn5RcY2hJf8GsPa6Ue";

TEST(Stores, AreEmbeddedOrShared)
{
    EXPECT_EQ(run({"doctor", "--database-url", "mysql:x"}).code, 2);
    EXPECT_EQ(run({"doctor", "--database-url", "sqlite:"}).code, 2);
    for (const char* const dead : {"sqlite::memory:", "sqlite:?mode=memory", "sqlite:file:box.db",
                                   "sqlite:file::memory:?cache=shared", "sqlite:box.db?mode=ro", "sqlite::box", "sqlite:data/"}) {
        const Ran ran = run({"serve", "--print-config", "--database-url", dead});
        EXPECT_EQ(ran.code, 2) << dead;
        EXPECT_TRUE(holds(ran.err, dead)) << ran.err;
        EXPECT_EQ(run({"copy", "--from", dead, "--to", "postgresql://a@127.0.0.1/b"}).code, 2) << dead;
    }
    EXPECT_TRUE(holds(run({"serve", "--print-config", "--database-url", "sqlite::memory:"}).err, "memory"));
    for (const char* const scheme : {"postgres", "postgresql"}) {
        const std::string url = std::string(scheme) + "://ada@127.0.0.1:5432/tickets";
        const Ran ran = run({"serve", "--print-config", "--jwt-secret", kGoodSecret, "--database-url", url});
        EXPECT_EQ(ran.code, 0) << ran.err;
        EXPECT_TRUE(holds(ran.out, "\ndatabase-url = \"" + url + "\"")) << ran.out;
    }
}

TEST(Stores, ThatAreSharedNeedASecretThatIsShared)
{
    const Ran without = run({"serve", "--print-config", "--database-url", "postgresql://127.0.0.1/tickets"});
    EXPECT_EQ(without.code, 2);
    EXPECT_TRUE(holds(without.err, "must share a secret: set BOXOFFICE_JWT_SECRET or --jwt-secret-file")) << without.err;
    for (const char* const weak : {"change-me", "change-me-change-me-change-me-0123", "set-this-to-a-long-random-string-of-bytes",
                                   "some-default-key-9f8e7d6c5b4a39281", "a-very-long-secret-for-the-compose-file"}) {
        const Ran ran = run({"serve", "--print-config", "--database-url", "postgresql://127.0.0.1/tickets"},
                            {std::string("BOXOFFICE_JWT_SECRET=") + weak});
        EXPECT_EQ(ran.code, 2) << weak;
        EXPECT_TRUE(holds(ran.err, "BOXOFFICE_JWT_SECRET is refused")) << ran.err;
    }
}

TEST(Stores, ThatAreSharedAreTheWorkersOnlyPlace)
{
    for (const Words& words : {Words{"worker"}, Words{"worker", "--database-url", "sqlite:x.db"}}) {
        const Ran ran = run(words);
        EXPECT_EQ(ran.code, 2);
        EXPECT_TRUE(holds(ran.err, "boxoffice serve does all of that itself with the embedded store")) << ran.err;
    }
    EXPECT_EQ(run({"worker", "--database-url", "mysql:x"}).code, 2);
    const Ran worker = run({"worker", "--print-config"}, {"BOXOFFICE_DATABASE_URL=postgresql://127.0.0.1/tickets"});
    EXPECT_EQ(worker.code, 0) << worker.err;
    EXPECT_TRUE(holds(worker.out, "of boxoffice worker,")) << worker.out;
    EXPECT_TRUE(holds(worker.out, "\nlisten = \"127.0.0.1:8001\"  # default\n")) << worker.out;
    EXPECT_TRUE(holds(worker.out, "\ndatabase-url = \"postgresql://127.0.0.1/tickets\"  # BOXOFFICE_DATABASE_URL\n"))
        << worker.out;
    EXPECT_FALSE(holds(worker.out, "hold-seconds")) << worker.out;
}

TEST(Stores, ThatAreSharedAreBackedUpWithTheirOwnTools)
{
    const Folder folder;
    const Ran ran = run({"backup", folder / "copy.db"}, {"BOXOFFICE_DATABASE_URL=postgresql://127.0.0.1/tickets"});
    EXPECT_EQ(ran.code, 2);
    EXPECT_TRUE(holds(ran.err, "pg_dump") && holds(ran.err, "docs/operating.md")) << ran.err;
}

TEST(Stores, AreCopiedFromEmbeddedToSharedOnly)
{
    const Ran neither = run({"copy"});
    EXPECT_EQ(neither.code, 2);
    EXPECT_TRUE(holds(neither.err, "--from sqlite:PATH") && holds(neither.err, "--to postgresql://")) << neither.err;
    EXPECT_TRUE(holds(run({"copy", "--from", "sqlite:a.db"}).err, "Say where to copy it"));
    const Ran backwards = run({"copy", "--from", "postgresql://127.0.0.1/tickets", "--to", "sqlite:a.db"});
    EXPECT_EQ(backwards.code, 2);
    EXPECT_TRUE(holds(backwards.err, "--from is \"postgresql://127.0.0.1/tickets\"") && holds(backwards.err, "--to is ") &&
                holds(backwards.err, "one way"))
        << backwards.err;
}

TEST(Passwords, InUrlsAreInNoText)
{
    const std::string word = "hunter2hunter2";
    const std::string postgres = "postgresql://ada:" + word + "@127.0.0.1/tickets";
    const Words environment{"BOXOFFICE_DATABASE_URL=" + postgres, "BOXOFFICE_REDIS_URL=redis://:" + word + "@127.0.0.1",
                            "BOXOFFICE_SMTP_URL=smtp://ada:" + word + "@127.0.0.1", "BOXOFFICE_MAIL_FROM=tickets@example.org",
                            "BOXOFFICE_JWT_SECRET=" + std::string(kGoodSecret)};
    const Ran printed = run({"serve", "--print-config"}, environment);
    EXPECT_EQ(printed.code, 0) << printed.err;
    for (const char* const line :
         {"\n# database-url = \"postgresql://ada:*", "\n# redis-url = \"redis://:*", "\n# smtp-url = \"smtp://ada:*"})
        EXPECT_TRUE(holds(printed.out, line)) << line << printed.out;
    EXPECT_FALSE(holds(printed.out, word)) << printed.out;
    const Ran unescaped = run({"worker", "--print-config", "--database-url", "postgresql://ada:with/" + word + "@127.0.0.1/x"});
    EXPECT_FALSE(holds(unescaped.out + unescaped.err, word)) << unescaped.out << unescaped.err;

    const std::string elsewhere = "mysql://ada:" + word + "@127.0.0.1/tickets";
    for (const Words& slip : {Words{"serve", "--database-url", elsewhere}, Words{"doctor", "--redis-url", elsewhere},
                              Words{"serve", "--smtp-url", elsewhere}, Words{"copy", "--from", postgres, "--to", elsewhere},
                              Words{"copy", "sqlite:a.db", postgres}, Words{"worker", "--database-ulr", postgres},
                              Words{postgres}, Words{"serve", "--database-url", "host=127.0.0.1 user=ada password=" + word},
                              Words{"serve", "--database-url", "postgresql://ada:" + word + "@127.0.0.1:notaport/x"}}) {
        const Ran ran = run(slip);
        EXPECT_EQ(ran.code, 2) << slip.back();
        EXPECT_FALSE(holds(ran.out + ran.err, word)) << ran.out << ran.err;
    }
}

TEST(Secret, ThatIsWeakIsRefusedWhereverItComesFrom)
{
    const Folder folder;
    folder.write("short", "too short\n");
    folder.write("good", "kD93mXq0vLz7TbWn5RcY2hJf8GsPa6Ue\n");
    EXPECT_EQ(run({"serve", "--print-config", "--jwt-secret", "secret"}).code, 2);
    EXPECT_EQ(run({"serve", "--print-config", "--jwt-secret-file", folder / "short"}).code, 2);
    EXPECT_EQ(run({"serve", "--print-config", "--jwt-secret-file", folder / "missing"}).code, 2);
    EXPECT_EQ(run({"serve", "--print-config", "--jwt-secret", std::string(64, 'a')}).code, 2);
    const Ran good = run({"serve", "--print-config", "--jwt-secret-file", folder / "good"});
    EXPECT_EQ(good.code, 0) << good.err;
    EXPECT_FALSE(holds(good.out, "kD93mXq0")) << "a secret was printed";
}

// --- Precedence ----------------------------------------------------------------------------------------------------

TEST(Precedence, IsFlagThenEnvironmentThenFileThenDefault)
{
    const Folder folder;
    folder.write("boxoffice.toml",
                 "hold_seconds = 10 # a comment\nlog-format = 'json'\nbcrypt-cost = 6\nlisten = \"0.0.0.0:1\"\n");
    const Words environment{"BOXOFFICE_DATA=" + folder / ".", "BOXOFFICE_HOLD_SECONDS=20", "BOXOFFICE_LOG_FORMAT=text",
                            "BOXOFFICE_BCRYPT_COST="};
    const Ran ran = run({"serve", "--print-config", "--hold-seconds=30"}, environment);
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_TRUE(holds(ran.out, "\nhold-seconds = 30  # --hold-seconds\n")) << ran.out;
    EXPECT_TRUE(holds(ran.out, "\nlog-format = \"text\"  # BOXOFFICE_LOG_FORMAT\n")) << ran.out;
    EXPECT_TRUE(holds(ran.out, "\nbcrypt-cost = 6  # ")) << ran.out;
    EXPECT_TRUE(holds(ran.out, "\nlisten = \"0.0.0.0:1\"  # ")) << ran.out;
    EXPECT_TRUE(holds(ran.out, "\nread-threads = 2  # default\n")) << ran.out;
}

TEST(Precedence, PrintedConfigurationIsAFileThatGivesTheSame)
{
    const Folder folder;
    const Words typed{"serve",    "--print-config", "--data",         "a \"quoted\" folder",
                      "--listen", "[::1]:0",        "--hold-seconds", "0.75"};
    const std::string first = run(typed).out;
    folder.write("printed.toml", first);
    const std::string second = run({"serve", "--print-config", "--config", folder / "printed.toml"}).out;
    const auto values = [](const std::string& text) {
        std::string kept;
        for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
            const std::string line = text.substr(at, text.find('\n', at) - at);
            kept += line.substr(0, line.find("  # ")) + '\n';
        }
        return kept;
    };
    EXPECT_EQ(values(first), values(second));
}

TEST(Precedence, HoldsForWhatSeveralMachinesShareToo)
{
    const Folder folder;
    folder.write("box.toml", "work = false\nrate-limit = \"off\"\nlogin-rate = \"5/10\"\nwrite_lanes = 4\n");
    const Ran ran =
        run({"serve", "--print-config", "--config", folder / "box.toml", "--login-rate", "7/0.5"},
            {"BOXOFFICE_RATE_LIMIT=on", "BOXOFFICE_TRUSTED_PROXIES=10.0.0.0/8 ,::1", "BOXOFFICE_TRUSTED_ACCOUNTS=12,845"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    for (const char* const line :
         {"\nwork = \"no\"  # ", "\nrate-limit = \"on\"  # BOXOFFICE_RATE_LIMIT\n", "\nlogin-rate = \"7/0.5\"  # --login-rate\n",
          "\nwrite-lanes = 4  # ", "\ntrusted-proxies = \"10.0.0.0/8, ::1\"  # BOXOFFICE_TRUSTED_PROXIES\n",
          "\ntrusted-accounts = \"12, 845\"  # BOXOFFICE_TRUSTED_ACCOUNTS\n", "\nregister-rate = \"200/120\"  # default\n",
          "\nconnections-per-address = 512  # default\n", "\nlive-max-age = 900  # default\n"}) {
        EXPECT_TRUE(holds(ran.out, line)) << line << ran.out;
    }
}

}  // namespace
