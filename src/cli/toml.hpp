#pragma once
#include <string>
#include <string_view>
#include <vector>

/// The configuration file: the part of TOML 1.0 (toml.io) that flat settings need. Bare keys; strings, numbers and booleans on
/// one line; comments. Tables, arrays, dates and strings over several lines have no meaning here and are named as mistakes.
namespace boxoffice::cli
{

struct TomlEntry {
    std::string key;    // with '-' for '_': both spellings are the same setting
    std::string value;  // the string itself, or the number as written without its underscores
    int line = 0;
};

struct TomlMistake {
    int line = 0;
    std::string what;  // a sentence
};

struct TomlText {
    std::vector<TomlEntry> entries;
    std::vector<TomlMistake> mistakes;
};

/// Reads all of it; a bad line is a mistake and hides nothing after it.
[[nodiscard]] TomlText read_toml(std::string_view text);

}  // namespace boxoffice::cli
