#include "tidy_rules.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <sstream>

namespace boxoffice::tidy
{

namespace
{

namespace fs = std::filesystem;

/// Which modules a module may include, apart from itself. `main` may include them all.
const std::map<std::string, Words, std::less<>> kArrows = {
    {"text", {}},
    {"core", {"text"}},
    {"assets", {}},
    {"app", {"core"}},
    {"runtime", {"app", "core"}},
    {"json", {"core"}},
    {"net", {"runtime"}},
    {"api", {"net", "json", "runtime", "app", "core", "assets", "text"}},
    {"sqlite", {"core", "assets", "text"}},
    {"postgres", {"core", "assets", "text"}},
    {"memory", {"core", "text"}},
    {"redis", {"core"}},
    {"mail", {"core", "text"}},
    {"security", {"core"}},
    {"demo", {"core", "assets"}},
    {"cli", {"core", "app", "demo"}},
};

/// What other modules may include of a module: its public headers. core is public as a whole, and so is cli, to main.
const std::map<std::string, Words, std::less<>> kPublicHeaders = {
    {"app", {"app/for_you.hpp", "app/mail_notifier.hpp", "app/copy.hpp", "app/revive.hpp"}},
    {"assets", {"assets/assets.hpp"}},
    {"demo", {"demo/demo.hpp"}},
    {"api", {"api/api.hpp"}},
    {"json", {"json/json.hpp", "json/reader.hpp"}},
    {"net", {"net/net.hpp"}},
    {"runtime",
     {"runtime/lanes.hpp", "runtime/expiry.hpp", "runtime/clock.hpp", "runtime/log.hpp", "runtime/metrics.hpp",
      "runtime/arrivals.hpp", "runtime/log_throttle.hpp", "runtime/shedding.hpp", "runtime/shared_clock.hpp", "runtime/live.hpp",
      "runtime/jobs.hpp", "runtime/rate_limits.hpp"}},
    {"postgres", {"postgres/postgres.hpp"}},
    {"memory", {"memory/memory.hpp"}},
    {"redis", {"redis/redis.hpp"}},
    {"mail", {"mail/mail.hpp"}},
    {"security", {"security/security.hpp"}},
    {"sqlite", {"sqlite/sqlite.hpp"}},
    {"text", {"text/text.hpp"}},
};

/// Who may know a library. The first row whose name begins the include counts.
struct Library {
    std::string_view name;
    Words knowers;  // beginnings of paths
};
const Library kLibraries[] = {
    {"iostream", {}},  // its objects are built at every start; fmt prints, the log logs
    {"boost/asio", {"src/net/connection", "src/net/io_loop.", "src/net/server.cpp"}},
    {"boost/beast", {"src/net/server.cpp"}},  // 20 s to compile
    {"boost/url", {"src/api/"}},
    {"boost/geometry", {"src/sqlite/"}},
    {"GeographicLib/", {"src/sqlite/", "src/memory/store.cpp"}},
    {"sqlite3.h", {"src/sqlite/", "src/main/store_commands.cpp"}},  // main tells the versions
    {"libpq-fe.h", {"src/postgres/", "src/main/store_commands.cpp"}},
    {"hiredis/", {"src/redis/"}},
    {"curl/", {"src/mail/"}},
    {"openssl/crypto.h", {"src/security/", "src/main/store_commands.cpp"}},
    {"openssl/", {"src/security/", "src/redis/tls"}},
    {"crypt.h", {"src/security/"}},
    {"absl/", {"src/security/"}},
    {"unicode/", {"src/text/"}},
    {"simdjson.h", {"src/json/", "src/api/form.cpp", "src/security/"}},
    {"prometheus/", {"src/runtime/metrics.cpp"}},
    {"CLI/", {"src/cli/"}},
};

/// Of other people's headers, core has these beginnings, and of the standard library's all but the following.
const Words kCoreMayKnow = {"fmt/", "boost/system/"};
const Words kCoreNeverKnows = {"fstream", "iostream",           "istream", "ostream", "cstdio", "filesystem",
                               "thread",  "stop_token",         "mutex",   "atomic",  "future", "shared_mutex",
                               "csignal", "condition_variable", "random",  "ctime"};

/// Words that stand for something that must not be there. Spelled in two parts where this file would complain of itself.
struct Leftover {
    std::string_view word;
    Words where;   // beginnings of paths
    Words except;  // beginnings of paths
    std::string_view cure;
};
const Leftover kLeftovers[] = {
    {"TO"
     "DO",
     {""},
     {},
     "do it, or open an issue"},
    {"FIX"
     "ME",
     {""},
     {},
     "do it, or open an issue"},
    {"X"
     "XX",
     {""},
     {},
     "say what is meant"},
    {"HA"
     "CK",
     {""},
     {},
     "say what is meant"},
    {"registry.npm"
     "js",
     {""},
     {},
     "make the lockfile with omit-lockfile-registry-resolved, as web/docs/.npmrc says"},
    {"std::cout", {"src/"}, {}, "print with fmt, log with runtime/log.hpp"},
    {"::now", {"src/core/", "src/app/"}, {}, "take the act's `now` as a parameter"},
    {"co_await", {"src/"}, {"src/net/", "src/runtime/"}, "coroutines live in net and runtime; this is a plain function"},
};

bool begins_with_any(std::string_view text, const Words& beginnings)
{
    return std::any_of(beginnings.begin(), beginnings.end(), [&](const std::string& start) { return text.starts_with(start); });
}

bool holds(const Words& words, std::string_view word) { return std::find(words.begin(), words.end(), word) != words.end(); }

bool is_part_of_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Whether `word` stands in the text by itself: a letter beside it makes it part of another one.
bool has_word(std::string_view text, std::string_view word)
{
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
        const auto after = at + word.size();
        const bool begun_before = at > 0 && is_part_of_word(word.front()) && is_part_of_word(text[at - 1]);
        const bool goes_on = after < text.size() && is_part_of_word(word.back()) && is_part_of_word(text[after]);
        if (!begun_before && !goes_on) return true;
    }
    return false;
}

Words lines_of(const std::string& text)
{
    Words lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

std::string extension(const std::string& path) { return fs::path(path).extension().string(); }

bool is_header(const std::string& path) { return extension(path) == ".hpp" || extension(path) == ".h"; }

bool is_source(const std::string& path) { return extension(path) == ".cpp" || extension(path) == ".c"; }

bool is_cpp(const std::string& path) { return is_header(path) || is_source(path); }

/// "net" of "src/net/server.cpp" and of "net/server.hpp"; "main" of "src/main.cpp".
std::string module_of(std::string_view path)
{
    if (path.starts_with("src/")) path.remove_prefix(4);
    const auto slash = path.find('/');
    return slash == path.npos ? "main" : std::string(path.substr(0, slash));
}

std::vector<Include> includes_of(const std::string& path, const std::string& text)
{
    std::vector<Include> found;
    std::size_t number = 0;
    for (const std::string& line : lines_of(text)) {
        ++number;
        const auto open = line.find_first_of("\"<");
        if (!line.starts_with("#include") || open == line.npos) continue;
        const char closing = line[open] == '<' ? '>' : '"';
        const auto close = line.find(closing, open + 1);
        if (close == line.npos) continue;
        found.push_back({path, path + ":" + std::to_string(number), line.substr(open + 1, close - open - 1),
                         closing == '>' ? Mark::angles : Mark::quotes});
    }
    return found;
}

/// The text of a CMake file without its comments: what is only talked about is not built.
std::string without_comments(const std::string& cmake)
{
    std::string text;
    for (const std::string& line : lines_of(cmake)) text += line.substr(0, line.find('#')) + "\n";
    return text;
}

/// Whether a CMakeLists.txt in the file's folder or above names the file, by its path from there.
bool is_named_by_cmake(const Tree& tree, const std::string& path)
{
    for (fs::path folder = fs::path(path).parent_path();; folder = folder.parent_path()) {
        const auto cmake = tree.find((folder / "CMakeLists.txt").string());
        if (cmake != tree.end() && has_word(without_comments(cmake->second), fs::path(path).lexically_relative(folder).string()))
            return true;
        if (folder.empty()) return false;
    }
}

/// Whether the file is one of those that boxoffice_module() gathers: directly in the folder of a module that src/CMakeLists.txt
/// builds.
bool is_in_a_module(const Tree& tree, const std::string& path)
{
    const auto cmake = tree.find("src/CMakeLists.txt");
    const std::string name = module_of(path);
    if (cmake == tree.end() || fs::path(path).parent_path() != "src/" + name) return false;
    const std::string text = without_comments(cmake->second);
    return has_word(text, "boxoffice_module(" + name) && extension(path) == ".cpp";
}

/// Whether people write the file by hand, so that it is theirs to tidy.
bool is_written(const std::string& path)
{
    static const std::set<std::string> kinds = {".cpp", ".hpp",  ".c",  ".h",  ".sql",  ".sh",  ".mjs", ".js", ".ts",   ".tsx",
                                                ".css", ".html", ".md", ".py", ".yaml", ".yml", ".txt", "",    ".cmake"};
    return kinds.contains(extension(path));
}

std::size_t columns(std::string_view line)
{
    return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::vector<Include> includes_in(const Tree& tree, std::string_view folder)
{
    std::vector<Include> all;
    for (const auto& [path, text] : tree) {
        if (!path.starts_with(folder) || !is_cpp(path)) continue;
        for (auto& include : includes_of(path, text)) all.push_back(std::move(include));
    }
    return all;
}

Words check_arrows(const Tree& tree)
{
    Words complaints;
    for (const Include& include : includes_in(tree, "src/")) {
        const std::string from = module_of(include.from);
        if (from != "main" && !kArrows.contains(from)) {
            complaints.push_back(include.where + ": the module " + from +
                                 " has no arrows. Cure: give it a row in kArrows and a line in docs/ARCHITECTURE.md");
            continue;
        }
        if (include.mark == Mark::angles || include.name.ends_with(".inc")) continue;
        if (!tree.contains("src/" + include.name)) {
            complaints.push_back(include.where + ": there is no src/" + include.name +
                                 ". Cure: name a header by its path below src");
            continue;
        }
        const std::string to = module_of(include.name);
        if (from == "main" || from == to || holds(kArrows.at(from), to)) continue;
        complaints.push_back(include.where + ": " + from + " must not know " + to + " (" + include.name +
                             "). Cure: put what both need into core, as a type or a port, and let main hand it in");
    }
    return complaints;
}

Words check_public_headers(const Tree& tree)
{
    Words complaints;
    for (const Include& include : includes_in(tree, "src/")) {
        if (include.mark == Mark::angles || module_of(include.from) == module_of(include.name)) continue;
        const auto headers = kPublicHeaders.find(module_of(include.name));
        if (headers == kPublicHeaders.end() || holds(headers->second, include.name)) continue;
        complaints.push_back(include.where + ": " + include.name + " is private to its module. Cure: include " +
                             headers->second.front() + ", or let that module's public header offer what is missing");
    }
    return complaints;
}

Words check_libraries(const Tree& tree)
{
    Words complaints;
    for (const Include& include : includes_in(tree, "src/")) {
        if (include.mark == Mark::quotes) continue;
        for (const Library& library : kLibraries) {
            if (!include.name.starts_with(library.name)) continue;
            if (begins_with_any(include.from, library.knowers)) break;
            std::string who;
            for (const std::string& knower : library.knowers) who += " " + knower;
            complaints.push_back(include.where + ": <" + include.name + "> has no place here. Cure: leave it to" +
                                 (who.empty() ? " no module" : who));
            break;
        }
    }
    return complaints;
}

Words check_core_is_pure(const Tree& tree)
{
    Words complaints;
    for (const Include& include : includes_in(tree, "src/core/")) {
        if (include.mark == Mark::quotes) continue;
        const bool foreign = include.name.find_first_of("./") != std::string::npos;
        if (foreign ? begins_with_any(include.name, kCoreMayKnow) : !holds(kCoreNeverKnows, include.name)) continue;
        complaints.push_back(include.where + ": core does no I/O and knows no thread, clock or chance (<" + include.name +
                             ">). Cure: make a port of it in core/ports.hpp and an adapter in another module");
    }
    return complaints;
}

Words check_everything_is_built(const Tree& tree)
{
    Words complaints;
    for (const auto& [path, text] : tree) {
        if (!is_source(path) || is_in_a_module(tree, path) || is_named_by_cmake(tree, path)) continue;
        complaints.push_back(
            path +
            ": nothing builds it. Cure: name it in the nearest CMakeLists.txt (a module: in src/CMakeLists.txt), or remove it");
    }
    return complaints;
}

Words check_everything_is_included(const Tree& tree)
{
    std::set<std::string> included;
    for (const Include& include : includes_in(tree, "")) {
        const fs::path folder = fs::path(include.from).parent_path();
        // The folders that src, tests and bench search, in their order; the first that has the file counts.
        for (const fs::path& start : {folder, fs::path("src"), fs::path("tests")}) {
            const std::string path = (start / include.name).lexically_normal().string();
            if (!tree.contains(path) || path == include.from) continue;
            included.insert(path);
            break;
        }
    }
    Words complaints;
    for (const auto& [path, text] : tree) {
        if (is_header(path) && !included.contains(path)) complaints.push_back(path + ": nothing includes it. Cure: remove it");
    }
    return complaints;
}

Words check_leftovers(const Tree& tree)
{
    Words complaints;
    for (const auto& [path, text] : tree) {
        for (const Leftover& leftover : kLeftovers) {
            if (!begins_with_any(path, leftover.where) || begins_with_any(path, leftover.except)) continue;
            if (text.find(leftover.word) == text.npos) continue;  // nearly always
            std::size_t number = 0;
            for (const std::string& line : lines_of(text)) {
                ++number;
                if (!has_word(line, leftover.word)) continue;
                complaints.push_back(path + ":" + std::to_string(number) + ": " + std::string(leftover.word) +
                                     ". Cure: " + std::string(leftover.cure));
            }
        }
    }
    return complaints;
}

Words check_shape(const Tree& tree)
{
    Words complaints;
    for (const auto& [path, text] : tree) {
        if (!is_written(path)) continue;
        const auto complain = [&, &name = path](std::size_t line, const std::string& what) {
            complaints.push_back(name + ":" + std::to_string(line) + ": " + what);
        };
        for (const char* word : {"util", "manager", "helper", "impl"}) {
            if (fs::path(path).filename().string().find(word) != std::string::npos)
                complain(1, "a name that says nothing. Cure: name it after its noun");
        }
        const Words lines = lines_of(text);
        const bool in_src = path.starts_with("src/") && is_cpp(path);
        for (std::size_t i = 0; i < lines.size(); ++i) {
            if (lines[i].find('\t') != std::string::npos) complain(i + 1, "a tab. Cure: four spaces");
            if (lines[i].ends_with(' ') || lines[i].ends_with('\r')) complain(i + 1, "space at the end. Cure: remove it");
            if (in_src && columns(lines[i]) > kColumnsMax)
                complain(i + 1, "more than 130 columns. Cure: clang-format-19 -i, or a shorter sentence");
        }
        if (!text.empty() && !text.ends_with('\n')) complain(lines.size(), "no newline at the end. Cure: add it");
        if (in_src && lines.size() > kLinesMax)
            complain(lines.size(), "more than 400 lines. Cure: look for the second noun and give it a file");
        if (is_header(path) && !text.starts_with("#pragma once\n")) complain(1, "does not begin with #pragma once. Cure: let it");
    }
    return complaints;
}

bool is_ignored(const std::string& path, const std::string& gitignore)
{
    const std::string name = fs::path(path).filename().string();
    const Words lines = lines_of(gitignore);
    return name == ".git" || holds(lines, name + "/") || holds(lines, name) || holds(lines, "/" + path + "/") ||
           holds(lines, "/" + path);
}

}  // namespace boxoffice::tidy
