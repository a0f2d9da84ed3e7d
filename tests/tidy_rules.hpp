#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The rules of docs/ARCHITECTURE.md that a program can judge, each a function of texts: the checkout's, or those of a test that
/// feeds it a fault. A complaint is one line: where, what, and its cure.
namespace boxoffice::tidy
{

using Words = std::vector<std::string>;
using Tree = std::map<std::string, std::string>;  // path from the root -> text

inline constexpr std::size_t kColumnsMax = 130;  // .clang-format
inline constexpr std::size_t kLinesMax = 400;    // beyond, a file has a second noun in it

enum class Mark { quotes, angles };

struct Include {
    std::string from;   // path of the file
    std::string where;  // path and line
    std::string name;
    Mark mark;
};
/// The includes of all C++ files below `folder`.
[[nodiscard]] std::vector<Include> includes_in(const Tree& tree, std::string_view folder);

[[nodiscard]] Words check_arrows(const Tree& tree);
[[nodiscard]] Words check_public_headers(const Tree& tree);
/// Each third-party library in the files that may know it.
[[nodiscard]] Words check_libraries(const Tree& tree);
[[nodiscard]] Words check_core_is_pure(const Tree& tree);
[[nodiscard]] Words check_everything_is_built(const Tree& tree);
[[nodiscard]] Words check_everything_is_included(const Tree& tree);
/// Words that were meant for later, or for another module.
[[nodiscard]] Words check_leftovers(const Tree& tree);
/// Names of files, tabs, ends of lines, widths, lengths, #pragma once.
[[nodiscard]] Words check_shape(const Tree& tree);

/// What .gitignore names: "/build/" stands for that folder of the root, "node_modules/" for every folder of that name.
[[nodiscard]] bool is_ignored(const std::string& path, const std::string& gitignore);

}  // namespace boxoffice::tidy
