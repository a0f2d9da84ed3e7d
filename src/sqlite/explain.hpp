#pragma once
#include <filesystem>
#include <string>
#include <utility>

#include "sqlite/connection.hpp"

/// SQLite's errors in the words of an operator: which file, what is wrong with it, what to do. What SQLite was asked when it
/// failed is for a developer's log and stays out.
namespace boxoffice::sqlite
{

/// One or two sentences without SQL.
[[nodiscard]] std::string explain(const std::filesystem::path& file, const SqliteError& error);

/// Runs `work` and throws in its place a StoreFailure that explain() worded when it ends with a SqliteError.
template <class Work>
auto explained(const std::filesystem::path& file, const Work& work) -> decltype(work())
{
    try {
        return work();
    } catch (const SqliteError& error) {
        throw StoreFailure(error.code(), explain(file, error));
    }
}

/// Throws StoreFailure with a sentence when `file` is there and belongs to another program: a database with tables that no
/// migration of ours has made.
void refuse_foreign(Connection& db, const std::filesystem::path& file);

/// Returns `file`. Throws StoreFailure with a sentence when this user may not write it or what lies beside it: SQLite opens such
/// a file for reading, and the first sale would be the first to fail.
[[nodiscard]] std::filesystem::path writable(std::filesystem::path file);

}  // namespace boxoffice::sqlite
