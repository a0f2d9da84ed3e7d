#include "cli/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "cli/setting_values.hpp"
#include "cli/settings.hpp"
#include "core/nearest.hpp"

namespace boxoffice::cli
{
namespace
{

constexpr std::array<std::string_view, 14> kWords{
    "serve",  "worker",  "migrate up", "migrate down", "migrate status", "demo",      "doctor",
    "backup", "restore", "copy",       "jobs list",    "jobs retry",     "jobs drop", "version",
};
constexpr std::array<std::string_view, 11> kTopWords{"serve",   "worker", "migrate", "demo",    "doctor", "backup",
                                                     "restore", "copy",   "jobs",    "version", "help"};

/// Commands of two words.
struct Family {
    std::string_view name;
    std::array<std::string_view, 3> words;
    std::string_view say_which;
};
constexpr std::array<Family, 2> kFamilies{
    Family{"migrate", {"up", "down", "status"}, "Say which: boxoffice migrate up, down or status."},
    Family{"jobs", {"list", "retry", "drop"}, "Say which: boxoffice jobs list, retry or drop."},
};

const Family* find_family(std::string_view name)
{
    const auto* const found =
        std::find_if(kFamilies.begin(), kFamilies.end(), [&](const Family& family) { return family.name == name; });
    return found == kFamilies.end() ? nullptr : found;
}

// copy has no defaults: which store is written to is not a thing to guess.
constexpr std::string_view kSayFrom = "Say what to copy: --from sqlite:PATH, such as sqlite:data/boxoffice.db.";
constexpr std::string_view kSayTo = "Say where to copy it: --to postgresql://USER@HOST/DATABASE.";

constexpr std::string_view kSayBackup = "Say where the copy goes: boxoffice backup FILE.";
constexpr std::string_view kSayRestore = "Say which backup to put back: boxoffice restore FILE.";

/// One sub-command's parser and the places its options' values go to.
struct Branch {
    CLI::App* app = nullptr;
    Command command = Command::serve;
    std::map<std::string, CLI::Option*> options;
    CLI::Option* add = nullptr;
    CLI::Option* jobs = nullptr;
    CLI::Option* all_dead = nullptr;
    CLI::Option* dead = nullptr;
    CLI::Option* print_config = nullptr;
    CLI::Option* yes = nullptr;
    CLI::Option* accept_clock = nullptr;
};

bool is_given(const CLI::Option* flag) { return flag != nullptr && flag->count() > 0; }

/// A value may be missing here, so that the mistake is told along with all others instead of alone.
CLI::Option* add_valued(CLI::App& app, const std::string& name)
{
    return app.add_option(name)->expected(0, 1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void accept_strangers(CLI::App& app)
{
    app.set_help_flag();
    app.add_flag("-h,--help");
    app.allow_extras();
}

Branch add_branch(CLI::App& parent, std::string_view word, Command command)
{
    Branch branch;
    branch.app = parent.add_subcommand(std::string(word));
    branch.command = command;
    accept_strangers(*branch.app);
    for (const Setting& setting : settings()) {
        if ((setting.commands & bit(command)) == 0) continue;
        const std::string name(setting.name);
        branch.options[name] = add_valued(*branch.app, "--" + name);
    }
    if (command != Command::version && command != Command::copy) branch.options["config"] = add_valued(*branch.app, "--config");
    if (command == Command::backup) branch.options["backup-to"] = branch.app->add_option("FILE");
    if (command == Command::restore) branch.options["restore-from"] = branch.app->add_option("FILE");
    if (command == Command::migrate_down) branch.yes = branch.app->add_flag("--yes");
    if (command == Command::doctor) branch.accept_clock = branch.app->add_flag("--accept-clock");
    if (command == Command::jobs_list) branch.dead = branch.app->add_flag("--dead");
    if (command == Command::jobs_retry || command == Command::jobs_drop) {
        branch.jobs = branch.app->add_option("ID")->expected(0, -1)->allow_extra_args();
        branch.all_dead = branch.app->add_flag("--all-dead");
    }
    if (command == Command::demo) branch.add = branch.app->add_flag("--add");
    if (command == Command::serve || command == Command::worker) branch.print_config = branch.app->add_flag("--print-config");
    return branch;
}

std::string did_you_mean(std::string_view typed, std::span<const std::string_view> words, std::string_view prefix)
{
    const std::string_view near = nearest(typed, words);
    return near.empty() ? std::string(".") : fmt::format("; did you mean {}{}?", prefix, near);
}

/// Names that other servers give what is called otherwise here.
struct Alias {
    std::string_view theirs;
    std::string_view ours;
};
constexpr std::array<Alias, 12> kAliases{{{"port", "--listen HOST:PORT"},
                                          {"host", "--listen HOST:PORT"},
                                          {"bind", "--listen HOST:PORT"},
                                          {"address", "--listen HOST:PORT"},
                                          {"p", "--listen HOST:PORT"},
                                          {"db", "--database-url URL"},
                                          {"database", "--database-url URL"},
                                          {"dir", "--data DIR"},
                                          {"data-dir", "--data DIR"},
                                          {"redis", "--redis-url URL"},
                                          {"smtp", "--smtp-url URL"},
                                          {"secret", "--jwt-secret-file FILE"}}};

/// "; write --listen HOST:PORT." for an option that goes by another name here; empty for all others.
std::string by_another_name(std::string_view typed)
{
    for (const Alias& alias : kAliases) {
        if (typed == alias.theirs) return fmt::format("; write {}.", alias.ours);
    }
    return {};
}

void name_strangers(const std::vector<std::string>& strangers, const Branch& branch, CommandLine& line)
{
    std::vector<std::string_view> known{"help"};
    for (const auto& [name, option] : branch.options) {
        if (name != "backup-to" && name != "restore-from") known.emplace_back(name);
    }
    if (branch.add != nullptr) known.emplace_back("add");
    if (branch.print_config != nullptr) known.emplace_back("print-config");
    if (branch.yes != nullptr) known.emplace_back("yes");
    if (branch.accept_clock != nullptr) known.emplace_back("accept-clock");
    if (branch.all_dead != nullptr) known.emplace_back("all-dead");
    if (branch.dead != nullptr) known.emplace_back("dead");

    bool follows_option = false;  // its value, most likely: one complaint is enough
    for (const std::string& stranger : strangers) {
        if (stranger.starts_with('-')) {
            const std::string name = stranger.substr(std::min(stranger.find_first_not_of('-'), stranger.size()));
            const std::string word = name.substr(0, name.find('='));
            const std::string shown = stranger.substr(0, stranger.find('='));
            const std::string alias = by_another_name(word);
            line.mistakes.push_back(fmt::format("{} is not an option of boxoffice {}{}", shown, command_words(branch.command),
                                                alias.empty() ? did_you_mean(word, known, "--") : alias));
            follows_option = stranger.find('=') == std::string::npos;
        } else if (!follows_option) {
            line.mistakes.push_back(fmt::format("\"{}\" is one argument too many.", presentable(stranger)));
        } else {
            follows_option = false;
        }
    }
}

void take_values(const Branch& branch, CommandLine& line)
{
    for (const auto& [name, option] : branch.options) {
        if (option->count() == 0) {
            if (branch.command == Command::copy) line.mistakes.emplace_back(name == "from" ? kSayFrom : kSayTo);
            continue;
        }
        const auto given = option->results();
        const bool is_empty = given.empty() || given.back().empty();
        if (is_empty && name == "backup-to") {
            line.mistakes.emplace_back(kSayBackup);
        } else if (is_empty && name == "restore-from") {
            line.mistakes.emplace_back(kSayRestore);
        } else if (is_empty) {
            const Setting* const setting = find_setting(name, branch.command);
            line.mistakes.push_back(fmt::format("--{} needs a value: --{} {}.", name, name,
                                                setting != nullptr ? setting->value_name : std::string_view("FILE")));
        } else {
            line.values[name] = given.back();
        }
    }
    line.add = is_given(branch.add);
    line.print_config = is_given(branch.print_config);
    line.yes = is_given(branch.yes);
    line.accept_clock = is_given(branch.accept_clock);
}

/// "boxoffice jobs retry 17 18", or --all-dead.
void take_jobs(const Branch& branch, CommandLine& line)
{
    line.dead_jobs = branch.dead != nullptr && branch.dead->count() > 0;
    if (branch.jobs == nullptr) return;
    line.all_dead_jobs = branch.all_dead->count() > 0;
    for (const std::string& typed : branch.jobs->results()) {
        const auto number = parse_number<std::int64_t>(typed);
        if (number && *number > 0)
            line.jobs.push_back(*number);
        else
            line.mistakes.push_back(
                fmt::format("\"{}\" is not the number of a job; boxoffice jobs list has them.", presentable(typed)));
    }
    if (line.wants_help || !line.mistakes.empty()) return;
    if (line.jobs.empty() && !line.all_dead_jobs) {
        line.mistakes.push_back(fmt::format("Say which: boxoffice {} ID…, or --all-dead; boxoffice jobs list has them.",
                                            command_words(branch.command)));
    } else if (!line.jobs.empty() && line.all_dead_jobs) {
        line.mistakes.emplace_back("Give numbers or --all-dead, not both.");
    }
}

/// "boxoffice frobnicate", "boxoffice migrate sideways", "boxoffice migrate".
void name_unfinished(const std::vector<std::string>& strangers, CommandLine& line)
{
    const Family* const family = find_family(line.family);
    const std::span<const std::string_view> words = family ? std::span<const std::string_view>(family->words) : kTopWords;
    const std::string of = family ? fmt::format("boxoffice {}", family->name) : std::string("boxoffice");
    if (!family && !strangers.empty() && strangers.front().starts_with('-')) {
        const std::string& stranger = strangers.front();
        const std::string alias =
            by_another_name(std::string_view(stranger).substr(std::min(stranger.find_first_not_of('-'), stranger.size())));
        line.mistakes.push_back(
            fmt::format("\"{}\" stands where a command belongs: options follow it, as in boxoffice serve --listen "
                        "127.0.0.1:8000{}",
                        presentable(stranger), alias.empty() ? std::string(".") : alias));
        return;
    }
    for (const std::string& stranger : strangers) {
        const bool option = stranger.starts_with('-');
        std::string advice = did_you_mean(stranger, words, of + " ");
        if (!option && advice == ".") advice = fmt::format("; there are {}.", fmt::join(words, ", "));
        line.mistakes.push_back(
            fmt::format("\"{}\" is not {} of {}{}", presentable(stranger), option ? "an option" : "a command", of, advice));
        if (!option) return;
    }
    if (family && strangers.empty() && !line.wants_help) line.mistakes.emplace_back(family->say_which);
}

/// "boxoffice help migrate up": the same as "boxoffice migrate up --help".
CommandLine ask_for_help(const std::vector<std::string>& topic)
{
    CommandLine line;
    line.wants_help = true;
    std::string words;
    for (const std::string& word : topic) words += (words.empty() ? "" : " ") + word;
    if (find_family(words)) line.family = words;
    for (std::size_t i = 0; i < kWords.size(); ++i) {
        if (kWords[i] == words) line.command = static_cast<Command>(i);
    }
    if (!words.empty() && !line.command && line.family.empty()) name_unfinished({words}, line);
    return line;
}

}  // namespace

std::string_view command_words(Command command) { return kWords[static_cast<std::size_t>(command)]; }

CommandLine read_command_line(std::span<const char* const> arguments)
{
    CLI::App root;
    accept_strangers(root);
    root.require_subcommand(0, 1);
    std::map<std::string_view, CLI::App*> families;
    for (const Family& family : kFamilies) {
        CLI::App* const app = families[family.name] = root.add_subcommand(std::string(family.name));
        accept_strangers(*app);
        app->require_subcommand(0, 1);
    }
    CLI::App& help = *root.add_subcommand("help");
    help.prefix_command();
    CLI::Option* const version = root.add_flag("--version");

    std::vector<Branch> branches;
    branches.reserve(kWords.size());
    for (std::size_t i = 0; i < kWords.size(); ++i) {
        const std::size_t blank = kWords[i].find(' ');
        CLI::App& parent = blank == kWords[i].npos ? root : *families.at(kWords[i].substr(0, blank));
        branches.push_back(add_branch(parent, kWords[i].substr(blank + 1), static_cast<Command>(i)));
    }

    CommandLine line;
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
        root.parse(std::move(reversed));
    } catch (const CLI::ParseError& error) {
        line.mistakes.push_back(fmt::format("{}.", error.what()));
        return line;
    }

    if (help.parsed()) return ask_for_help(help.remaining());

    line.wants_help = root.count("--help") > 0;
    for (const auto& [name, app] : families) {
        line.wants_help = line.wants_help || app->count("--help") > 0;
        if (app->parsed()) line.family = name;
    }
    if (version->count() > 0) line.command = Command::version;
    for (const Branch& branch : branches) {
        if (!branch.app->parsed()) continue;
        line.command = branch.command;
        line.wants_help = line.wants_help || branch.app->count("--help") > 0;
        take_values(branch, line);
        name_strangers(root.remaining(true), branch, line);
        take_jobs(branch, line);
    }
    if (!line.command) name_unfinished(root.remaining(true), line);
    const bool is_told = std::find(line.mistakes.begin(), line.mistakes.end(), kSayBackup) != line.mistakes.end();
    if (line.command == Command::backup && !line.values.contains("backup-to") && !line.wants_help && !is_told)
        line.mistakes.emplace_back(kSayBackup);
    return line;
}

}  // namespace boxoffice::cli
