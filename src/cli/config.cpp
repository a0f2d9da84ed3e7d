#include "cli/config.hpp"

#include <fmt/format.h>
#include <unistd.h>  // environ

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

#include "cli/command_line.hpp"
#include "cli/help.hpp"
#include "cli/setting_values.hpp"
#include "cli/settings.hpp"
#include "cli/toml.hpp"
#include "core/nearest.hpp"

namespace boxoffice::cli
{
namespace
{

constexpr int kFile = 1;
constexpr int kEnvironment = 2;
constexpr int kFlag = 3;

constexpr std::string_view kConfigVariable = "BOXOFFICE_CONFIG";

/// A value and where it was found, in the words of a message: "--listen", "BOXOFFICE_LISTEN", "data/boxoffice.toml:3: listen".
struct Found {
    std::string value;
    std::string where;
    int rank = 0;  // the higher one counts
};

class Reading
{
public:
    Reading(const CommandLine& line, const Checks& checks) : line_(line), checks_(checks), config_(defaults(*line.command))
    {
        config_.demo_add = line.add;
        config_.yes = line.yes;
        config_.accept_clock = line.accept_clock;
        config_.jobs = line.jobs;
        config_.all_dead_jobs = line.all_dead_jobs;
        config_.dead_jobs_only = line.dead_jobs;
        if (const auto file = line.values.find("backup-to"); file != line.values.end()) config_.backup_to = file->second;
        if (const auto file = line.values.find("restore-from"); file != line.values.end()) config_.restore_from = file->second;
    }

    std::variant<Config, Stop> finish();

private:
    [[nodiscard]] bool takes(const Setting& setting) const { return (setting.commands & bit(config_.command)) != 0; }
    void read_flags_and_environment();
    void name_misspelt_variables();
    void read_file();
    void take_entry(const TomlEntry& entry, const std::string& where, bool found_in_data);
    void let_data_beat_environment();
    void apply();
    void resolve_store();
    void resolve_secret();
    void resolve_mail();
    void resolve_others();
    void refuse_unusable(std::string_view name, const std::string& value, Checks::Check why_bad);
    [[nodiscard]] std::string without_password(const std::string& url) const;
    [[nodiscard]] std::string effective() const;

    const CommandLine& line_;
    const Checks& checks_;
    Config config_;
    std::map<std::string_view, Found> found_;
    std::vector<std::string> mistakes_;
};

/// Empty counts as not set: that is how a compose file passes on what its own environment lacks.
std::string_view variable_text(const std::string& variable)
{
    const char* const value = std::getenv(variable.c_str());  // NOLINT(concurrency-mt-unsafe): read before there are threads
    return value == nullptr ? std::string_view{} : std::string_view(value);
}

void Reading::read_flags_and_environment()
{
    for (const Setting& setting : settings()) {
        if (!takes(setting)) continue;
        const std::string variable(setting.environment);
        const std::string_view value = variable_text(variable);
        if (!value.empty()) found_[setting.name] = {std::string(value), variable, kEnvironment};
        if (const auto flag = line_.values.find(setting.name); flag != line_.values.end()) {
            found_[setting.name] = {flag->second, "--" + flag->first, kFlag};
        }
    }
}

/// Other programs may use the prefix for themselves, so only what looks like a slip is a mistake.
void Reading::name_misspelt_variables()
{
    constexpr std::string_view kPrefix = "BOXOFFICE_";
    std::vector<std::string_view> known{kConfigVariable.substr(kPrefix.size())};
    for (const Setting& setting : settings()) {
        if (!setting.environment.empty()) known.push_back(setting.environment.substr(kPrefix.size()));
    }
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        std::string_view name = text.substr(0, text.find('='));
        if (!name.starts_with(kPrefix)) continue;
        name.remove_prefix(kPrefix.size());
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        const std::string_view near = nearest(name, known);
        if (near.empty()) continue;
        mistakes_.push_back(fmt::format("{}{} is not a variable of boxoffice; did you mean {}{}?", kPrefix, name, kPrefix, near));
    }
}

void Reading::read_file()
{
    std::filesystem::path file;
    const std::string_view variable = variable_text(std::string(kConfigVariable));
    if (const auto flag = line_.values.find("config"); flag != line_.values.end()) {
        file = flag->second;
    } else if (!variable.empty()) {
        file = variable;
    }
    const bool found_in_data = file.empty();
    if (found_in_data) {
        if (!takes(*find_setting("data", config_.command))) return;
        const auto data = found_.find("data");
        file = (data == found_.end() ? config_.data : std::filesystem::path(data->second.value)) / "boxoffice.toml";
    }
    std::error_code error;
    const bool exists = std::filesystem::exists(file, error);
    if (found_in_data && !exists) return;

    std::ifstream in(file, std::ios::binary);
    if (!in || std::filesystem::is_directory(file, error)) {
        mistakes_.push_back(
            fmt::format("The configuration file {} {}.", file.native(), exists ? "cannot be read" : "does not exist"));
        return;
    }
    const TomlText text = read_toml(std::string(std::istreambuf_iterator<char>(in), {}));
    for (const TomlMistake& mistake : text.mistakes)
        mistakes_.push_back(fmt::format("{}:{}: {}", file.native(), mistake.line, mistake.what));
    for (const TomlEntry& entry : text.entries)
        take_entry(entry, fmt::format("{}:{}: ", file.native(), entry.line), found_in_data);
}

void Reading::take_entry(const TomlEntry& entry, const std::string& where, bool found_in_data)
{
    const Setting* const setting = find_setting(entry.key, config_.command);
    if (setting == nullptr || setting->environment.empty()) {
        std::vector<std::string_view> names;
        for (const Setting& other : settings()) {
            if (!other.environment.empty()) names.push_back(other.name);
        }
        const std::string_view near = nearest(entry.key, names);
        mistakes_.push_back(fmt::format("{}{} is not a setting{}", where, entry.key,
                                        near.empty() ? std::string(".") : fmt::format("; did you mean {}?", near)));
        return;
    }
    if (setting->name == "data" && found_in_data) {
        const auto data = found_.find("data");
        const std::filesystem::path here = data == found_.end() ? config_.data : std::filesystem::path(data->second.value);
        if (here.lexically_normal() == std::filesystem::path(entry.value).lexically_normal()) return;
        mistakes_.push_back(where +
                            "data cannot send to another folder from inside the data folder; use --config for such a file.");
        return;
    }
    if (takes(*setting)) found_.try_emplace(setting->name, Found{entry.value, where + entry.key, kFile});
}

/// --data names a store too, and a flag beats the environment, where BOXOFFICE_DATABASE_URL may have been left over.
void Reading::let_data_beat_environment()
{
    const auto data = found_.find("data");
    const auto url = found_.find("database-url");
    if (data == found_.end() || url == found_.end()) return;
    if (data->second.rank == kFlag && url->second.rank == kEnvironment) found_.erase(url);
}

void Reading::apply()
{
    for (const Setting& setting : settings()) {
        const auto found = found_.find(setting.name);
        if (found == found_.end() || !takes(setting)) continue;
        const std::string wanted = setting.apply(config_, found->second.value);
        if (wanted.empty()) continue;
        const auto& [value, where, rank] = found->second;
        const bool shown = setting.visibility != Visibility::secret;
        const std::string typed = setting.visibility == Visibility::url ? presentable(value) : value;
        mistakes_.push_back(shown ? fmt::format("{} is \"{}\"; it must be {}.", where, typed, wanted)
                                  : fmt::format("{} must be {}.", where, wanted));
    }
}

/// The judge's sentence follows the place where the value was found; it repeats nothing that the value holds in confidence.
void Reading::refuse_unusable(std::string_view name, const std::string& value, Checks::Check why_bad)
{
    const auto found = found_.find(name);
    if (found == found_.end() || value.empty()) return;
    const std::string why = why_bad(value);
    if (!why.empty())
        mistakes_.push_back(fmt::format("{} cannot be used: {}{}", found->second.where, why, why.ends_with('.') ? "" : "."));
}

void Reading::resolve_store()
{
    refuse_unusable(config_.command == Command::copy ? "to" : "database-url", config_.postgres_url, checks_.why_bad_postgres_url);
    const auto url = found_.find("database-url");
    if (config_.command == Command::backup && !config_.postgres_url.empty()) {
        mistakes_.push_back(
            fmt::format("{} names a PostgreSQL store, and backup copies the embedded one only; use pg_dump, as "
                        "docs/operating.md says.",
                        url->second.where));
    }
    if (config_.command != Command::worker || !config_.postgres_url.empty()) return;
    if (url == found_.end()) {
        mistakes_.emplace_back(
            "A worker needs a store that it shares: set BOXOFFICE_DATABASE_URL or --database-url to postgresql://…; boxoffice "
            "serve "
            "does all of that itself with the embedded store.");
    } else if (!config_.database.empty()) {
        mistakes_.push_back(
            fmt::format("{} names an embedded store, which no worker can share: boxoffice serve does all of "
                        "that itself with the embedded store.",
                        url->second.where));
    }
}

void Reading::resolve_others()
{
    refuse_unusable("redis-url", config_.redis_url, checks_.why_bad_redis_url);
    refuse_unusable("smtp-url", config_.smtp_url, checks_.why_bad_smtp_url);
    refuse_unusable("mail-from", config_.mail_from, checks_.why_bad_mail_from);
    const auto smtp = found_.find("smtp-url");
    if (smtp == found_.end() || found_.contains("mail-from")) return;
    mistakes_.push_back(
        fmt::format("{} is set, but not whom mail comes from: set BOXOFFICE_MAIL_FROM or --mail-from, such as "
                    "\"Box office <tickets@example.org>\".",
                    smtp->second.where));
}

/// After the stores: what is said of mail depends on which it is. Only serve and worker are asked.
void Reading::resolve_mail()
{
    const auto said = found_.find("mail");
    const bool shared = config_.command == Command::worker || !config_.postgres_url.empty();
    if (config_.mail == MailWay::unset && !config_.smtp_url.empty()) config_.mail = MailWay::smtp;
    if (config_.mail == MailWay::unset && !shared) config_.mail = MailWay::none;
    if (said == found_.end()) return;
    if (config_.mail == MailWay::smtp && config_.smtp_url.empty()) {
        mistakes_.push_back(
            fmt::format("{} is smtp, but there is no server that takes mail: set BOXOFFICE_SMTP_URL or --smtp-url, and "
                        "BOXOFFICE_MAIL_FROM or --mail-from.",
                        said->second.where));
    }
    if (config_.mail == MailWay::file && shared) {
        mistakes_.push_back(
            fmt::format("{} is file, which is for the embedded store only: nodes of a shared one have no folder in common; "
                        "take smtp or none.",
                        said->second.where));
    }
}

void Reading::resolve_secret()
{
    const auto given = found_.find("jwt-secret");
    const auto file = found_.find("jwt-secret-file");
    const int given_rank = given == found_.end() ? 0 : given->second.rank;
    const int file_rank = file == found_.end() ? 0 : file->second.rank;
    if (given_rank == 0 && file_rank == 0) {
        if (config_.command == Command::serve && !config_.postgres_url.empty()) {
            mistakes_.emplace_back(
                "Nodes that share a store must share a secret: set BOXOFFICE_JWT_SECRET or --jwt-secret-file.");
        }
        return;
    }
    if (given_rank == file_rank) {
        mistakes_.push_back(
            fmt::format("{} and {} are both set; one of them is enough.", given->second.where, file->second.where));
        return;
    }
    std::string where = given_rank > file_rank ? given->second.where : std::string();
    if (file_rank > given_rank) {
        where = fmt::format("The secret in {}", file->second.value);
        std::ifstream in(config_.jwt_secret_file, std::ios::binary);
        if (!in) {
            mistakes_.push_back(fmt::format("{} is \"{}\", which cannot be read.", file->second.where, file->second.value));
            return;
        }
        config_.jwt_secret.assign(std::istreambuf_iterator<char>(in), {});
        while (config_.jwt_secret.ends_with('\n') || config_.jwt_secret.ends_with('\r')) config_.jwt_secret.pop_back();
    }
    const std::string weakness = checks_.why_weak(config_.jwt_secret);
    if (!weakness.empty()) mistakes_.push_back(fmt::format("{} is refused: {}.", where, weakness));
}

/// A password with a '/' in it that should have been %2F ends the URL's first part early, and is not found by a parser that
/// follows the rules: then nothing after the scheme is shown.
std::string Reading::without_password(const std::string& url) const
{
    std::string hidden = checks_.hide_password(url);
    if (hidden != url) return hidden;
    const std::size_t scheme = url.find("://");
    const std::size_t at = url.rfind('@');
    const bool doubtful = scheme != std::string::npos && at != std::string::npos && url.find(':', scheme + 3) < at;
    return doubtful ? presentable(url) : hidden;
}

std::string Reading::effective() const
{
    std::string out = fmt::format("# The effective configuration of boxoffice {}, and where each value comes from.\n",
                                  command_words(config_.command));
    for (const Setting& setting : settings()) {
        if (!takes(setting)) continue;
        const auto found = found_.find(setting.name);
        const std::string from = found == found_.end() ? std::string("default") : found->second.where;
        std::string value = setting.show(config_);
        bool comment = value.empty() || setting.visibility == Visibility::secret;
        if (setting.visibility == Visibility::url && found != found_.end()) {
            const std::string hidden = without_password(found->second.value);
            comment = comment || hidden != found->second.value;  // a file with stars for a password would open nothing
            value = toml_string(hidden);
        }
        const std::string_view shown = value.empty() ? std::string_view("\"\"") : value;
        out += fmt::format("{}{} = {}  # {}\n", comment ? "# " : "", setting.name, shown, from);
    }
    return out;
}

std::variant<Config, Stop> Reading::finish()
{
    mistakes_ = line_.mistakes;
    if (config_.command != Command::version) {
        read_flags_and_environment();
        name_misspelt_variables();
        if (config_.command != Command::copy) read_file();
        let_data_beat_environment();
        apply();
        resolve_store();
        resolve_secret();
        resolve_others();
        resolve_mail();
    }
    if (!mistakes_.empty()) {
        std::string text = mistakes_.size() == 1
                               ? fmt::format("boxoffice: {}\n", mistakes_.front())
                               : fmt::format("boxoffice: {} mistakes keep it from starting.\n", mistakes_.size());
        for (std::size_t i = 0; mistakes_.size() > 1 && i < mistakes_.size(); ++i) text += fmt::format("  - {}\n", mistakes_[i]);
        return Stop{2, {}, text + fmt::format("Try: boxoffice {} --help\n", command_words(config_.command))};
    }
    if (config_.database.empty()) config_.database = config_.data / "boxoffice.db";
    if (line_.print_config) return Stop{0, effective(), {}};
    return std::move(config_);
}

}  // namespace

std::variant<Config, Stop> read_config(std::span<const char* const> arguments, const Checks& checks)
{
    const CommandLine line = read_command_line(arguments);
    if (line.wants_help && (line.command || line.mistakes.empty())) return Stop{0, help_text(line.command, line.family), {}};
    if (!line.command && line.mistakes.empty()) return Stop{0, help_text(std::nullopt, ""), {}};
    if (!line.command) {
        std::string text;
        for (const std::string& mistake : line.mistakes) text += fmt::format("boxoffice: {}\n", mistake);
        return Stop{2, {}, text + fmt::format("Try: boxoffice {}{}--help\n", line.family, line.family.empty() ? "" : " ")};
    }
    return Reading(line, checks).finish();
}

}  // namespace boxoffice::cli
