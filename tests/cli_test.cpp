/// The command line as an operator meets it: help, mistakes, precedence.
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
    for (const char* const command :
         {"serve", "migrate up", "migrate down", "migrate status", "demo", "doctor", "backup FILE", "version"}) {
        EXPECT_TRUE(holds(alone.out, command)) << command;
    }
}

TEST(Help, NamesEveryOptionItsDefaultAndItsVariable)
{
    const std::string serve = run({"serve", "--help"}).out;
    for (const char* const part :
         {"--data DIR", "--database-url URL", "--listen HOST:PORT", "--hold-seconds SECONDS", "--bcrypt-cost N",
          "--log-format FORMAT", "--log-level LEVEL", "--jwt-secret SECRET", "--jwt-secret-file FILE", "--io-threads N",
          "--read-threads N", "--token-minutes MINUTES", "--config FILE", "--print-config", "127.0.0.1:8000", "120",
          "[BOXOFFICE_LISTEN]", "[BOXOFFICE_JWT_SECRET]", "Examples"}) {
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

TEST(Mistakes, IncludeAStoreThatThisBuildDoesNotHave)
{
    const Ran ran = run({"doctor", "--database-url", "postgresql://localhost/boxoffice"});
    EXPECT_EQ(ran.code, 2);
    EXPECT_TRUE(holds(ran.err, "this build has no PostgreSQL store")) << ran.err;
    EXPECT_EQ(run({"doctor", "--database-url", "mysql:x"}).code, 2);
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

}  // namespace
