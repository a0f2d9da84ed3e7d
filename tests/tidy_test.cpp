/// tidy_rules.hpp over the whole checkout; and over texts with a fault in them, so that each rule is known
/// to see what it is there for.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tidy_rules.hpp"

namespace boxoffice::tidy
{

namespace
{

namespace fs = std::filesystem;

std::string read(const fs::path& file)
{
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

Tree read_tree(const fs::path& root)
{
    Tree tree;
    const std::string gitignore = read(root / ".gitignore");
    for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator(); ++entry) {
        const std::string path = entry->path().lexically_relative(root).generic_string();
        if (is_ignored(path, gitignore)) {
            entry.disable_recursion_pending();
        } else if (entry->is_regular_file() && !entry->is_symlink()) {
            std::string text = read(entry->path());
            if (text.find('\0') == std::string::npos) tree.emplace(path, std::move(text));
        }
    }
    return tree;
}

const Tree& checkout()
{
    static const Tree tree = [] {
        const char* const root = std::getenv("BOXOFFICE_SOURCE");
        return root == nullptr ? Tree() : read_tree(root);
    }();
    return tree;
}

std::string report(const Words& complaints)
{
    std::string text;
    for (const std::string& complaint : complaints) text += "\n" + complaint;
    return text;
}

}  // namespace
TEST(Architecture, WasFoundAndRead)
{
    ASSERT_GT(checkout().size(), 200U) << "BOXOFFICE_SOURCE is not the root of the checkout";
    EXPECT_TRUE(checkout().contains("src/main.cpp"));
    EXPECT_GT(includes_in(checkout(), "src/").size(), 500U);
    for (const auto& [path, text] : checkout()) EXPECT_EQ(path.find("node_modules/"), std::string::npos) << path;
}

TEST(Architecture, KeepsItsArrows) { EXPECT_EQ(report(check_arrows(checkout())), ""); }
TEST(Architecture, IsEnteredByPublicHeaders) { EXPECT_EQ(report(check_public_headers(checkout())), ""); }
TEST(Architecture, KeepsEachLibraryInItsModule) { EXPECT_EQ(report(check_libraries(checkout())), ""); }
TEST(Architecture, HasAPureCore) { EXPECT_EQ(report(check_core_is_pure(checkout())), ""); }
TEST(Architecture, BuildsEverySource) { EXPECT_EQ(report(check_everything_is_built(checkout())), ""); }
TEST(Architecture, IncludesEveryHeader) { EXPECT_EQ(report(check_everything_is_included(checkout())), ""); }
TEST(Architecture, HasNothingLyingAbout) { EXPECT_EQ(report(check_leftovers(checkout())), ""); }
TEST(Architecture, KeepsItsShape) { EXPECT_EQ(report(check_shape(checkout())), ""); }

// From here on: each rule finds the fault that it is there for, and nothing in a text without one.

TEST(TidyRules, SeeAnIncludeAgainstTheArrow)
{
    Tree tree = {{"src/core/core.hpp", ""},
                 {"src/runtime/lanes.hpp", ""},
                 {"src/net/http.hpp", "#include \"runtime/lanes.hpp\"\n#include <vector>\n"},
                 {"src/main.cpp", "#include \"net/http.hpp\"\n"}};
    EXPECT_EQ(report(check_arrows(tree)), "");
    tree["src/core/events.cpp"] = "\n#include \"net/http.hpp\"\n";
    tree["src/attic/old.cpp"] = "#include \"core/core.hpp\"\n";
    tree["src/net/server.cpp"] = "#include \"http.hpp\"\n";
    const Words complaints = check_arrows(tree);
    ASSERT_EQ(complaints.size(), 3U) << report(complaints);
    EXPECT_TRUE(complaints[0].starts_with("src/attic/old.cpp:1: the module attic has no arrows")) << complaints[0];
    EXPECT_TRUE(complaints[1].starts_with("src/core/events.cpp:2: core must not know net")) << complaints[1];
    EXPECT_TRUE(complaints[2].starts_with("src/net/server.cpp:1: there is no src/http.hpp")) << complaints[2];
}

TEST(TidyRules, SeeAPrivateHeaderIncludedFromOutside)
{
    EXPECT_EQ(
        report(check_public_headers({{"src/sqlite/store.cpp", "#include \"sqlite/rows.hpp\"\n#include \"core/refuse.hpp\"\n"},
                                     {"src/main.cpp", "#include \"sqlite/sqlite.hpp\"\n#include \"cli/config.hpp\"\n"}})),
        "");
    EXPECT_EQ(check_public_headers({{"src/main.cpp", "#include \"sqlite/rows.hpp\"\n"}}).size(), 1U);
    EXPECT_EQ(check_public_headers({{"src/api/api.cpp", "#include \"runtime/process.hpp\"\n"}}).size(), 1U);
}

TEST(TidyRules, SeeALibraryOutsideItsModule)
{
    EXPECT_EQ(report(check_libraries({{"src/main/store_commands.cpp", "#include <sqlite3.h>\n#include <openssl/crypto.h>\n"},
                                      {"src/net/io_loop.cpp", "#include <boost/asio/post.hpp>\n"}})),
              "");
    EXPECT_EQ(check_libraries({{"src/main.cpp", "#include <openssl/evp.h>\n"}}).size(), 1U);
    EXPECT_EQ(check_libraries({{"src/net/io_loop.cpp", "#include <boost/beast/http/parser.hpp>\n"}}).size(), 1U);
    EXPECT_EQ(check_libraries({{"src/api/api.cpp", "#include <boost/asio/post.hpp>\n#include <iostream>\n"}}).size(), 2U);
    EXPECT_EQ(check_libraries({{"src/runtime/lanes.hpp", "#include <sqlite3.h>\n#include <prometheus/counter.h>\n"}}).size(), 2U);
}

TEST(TidyRules, SeeInputAndOutputInCore)
{
    EXPECT_EQ(report(check_core_is_pure({{"src/core/a.cpp", "#include <vector>\n#include <fmt/core.h>\n"},
                                         {"src/runtime/b.cpp", "#include <thread>\n"}})),
              "");
    for (const char* header : {"fstream", "thread", "mutex", "sqlite3.h", "unistd.h", "sys/stat.h", "boost/asio.hpp", "random"}) {
        EXPECT_EQ(check_core_is_pure({{"src/core/a.cpp", std::string("#include <") + header + ">\n"}}).size(), 1U) << header;
    }
}

TEST(TidyRules, SeeASourceThatNothingBuilds)
{
    Tree tree = {{"src/CMakeLists.txt", "boxoffice_module(core)\nadd_executable(boxoffice main.cpp)\n"},
                 {"src/core/events.cpp", ""},
                 {"src/main.cpp", ""},
                 {"tests/CMakeLists.txt", "suite(core_test core/events_test.cpp)\n# suite(old old_test.cpp)\n"},
                 {"tests/core/events_test.cpp", ""}};
    EXPECT_EQ(report(check_everything_is_built(tree)), "");
    for (const char* path : {"src/attic/old.cpp", "src/core/deep/down.cpp", "src/core/old.c", "src/other.cpp",
                             "tests/old_test.cpp", "tests/core/test.cpp", "bench/sell.cpp"}) {
        Tree with = tree;
        with[path] = "";
        EXPECT_EQ(check_everything_is_built(with).size(), 1U) << path;
    }
}

TEST(TidyRules, SeeAHeaderThatNobodyIncludes)
{
    Tree tree = {{"src/core/core.hpp", ""},
                 {"tests/fake.hpp", ""},
                 {"tests/api/client.hpp", "#include \"core/core.hpp\"\n"},
                 {"tests/api/a.cpp", "#include \"client.hpp\"\n#include \"fake.hpp\"\n"}};
    EXPECT_EQ(report(check_everything_is_included(tree)), "");
    tree["bench/client.hpp"] = "#include \"client.hpp\"\n";
    EXPECT_EQ(report(check_everything_is_included(tree)), "\nbench/client.hpp: nothing includes it. Cure: remove it");
}

TEST(TidyRules, SeeWhatWasLeftLyingAbout)
{
    const std::string later = std::string("TO") + "DO";
    EXPECT_EQ(report(check_leftovers({{"src/net/a.cpp", "co_await wait();\n"},
                                      {"tests/a.cpp", "std::cout << Clock::now() << \"" + later + "S-XXXXXX\";\n"}})),
              "");
    EXPECT_EQ(check_leftovers({{"tools/a.sh", "true\n# " + later + ": more\n"}}).size(), 1U);
    EXPECT_EQ(check_leftovers({{"web/package-lock.json", std::string("https://registry.npm") + "js.org/a"}}).size(), 1U);
    EXPECT_EQ(check_leftovers({{"src/a.cpp", "std::cout << 1;"}}).size(), 1U);
    EXPECT_EQ(check_leftovers({{"src/core/a.cpp", "auto t = Clock::now();"}}).size(), 1U);
    EXPECT_EQ(check_leftovers({{"src/sqlite/a.cpp", "co_await wait();"}}).size(), 1U);
}

TEST(TidyRules, SeeAFileOutOfShape)
{
    const std::string wide = "// " + std::string(kColumnsMax - 3, 'a') + "\n";
    EXPECT_EQ(report(check_shape({{"src/a.hpp", "#pragma once\n" + wide}, {"towns.tsv", "a\tb"}})), "");
    std::string umlauts = "// ";
    for (std::size_t i = 3; i < kColumnsMax; ++i) umlauts += "ä";
    EXPECT_EQ(report(check_shape({{"src/a.cpp", umlauts + "\n"}})), "") << "a letter of two bytes is one column";
    std::string lines;
    for (std::size_t i = 0; i <= kLinesMax; ++i) lines += "//\n";
    for (const std::string& text : {"/" + wide, lines, std::string("\tint a;\n"), std::string("int a; \n"),
                                    std::string("int a;\r\n"), std::string("int a;")}) {
        EXPECT_EQ(check_shape({{"src/a.cpp", text}}).size(), 1U) << text.substr(0, 20);
    }
    EXPECT_EQ(check_shape({{"tests/a.hpp", "#include <vector>\n"}}).size(), 1U);
    EXPECT_EQ(check_shape({{"src/core/time_utils.cpp", ""}}).size(), 1U);
}

TEST(TidyRules, LeaveAloneWhatGitIgnores)
{
    const std::string gitignore = "/build/\nnode_modules/\n";
    EXPECT_TRUE(is_ignored("build", gitignore));
    EXPECT_TRUE(is_ignored("web/docs/node_modules", gitignore));
    EXPECT_TRUE(is_ignored(".git", gitignore));
    EXPECT_FALSE(is_ignored("tools/build", gitignore));
    EXPECT_FALSE(is_ignored("src", gitignore));
}

}  // namespace boxoffice::tidy
