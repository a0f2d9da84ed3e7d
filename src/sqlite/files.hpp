#pragma once
#include <filesystem>

namespace boxoffice::sqlite
{

/// The folder that names `file`.
[[nodiscard]] std::filesystem::path folder_of(const std::filesystem::path& file);

/// Copies every page of a store, while a server has it or not, into `to`, which is empty or not there; one file, with nothing
/// beside it, and as long as its pages. Throws SqliteError where `from` is to blame, else StoreFailure with a sentence that
/// calls `to` by its `name`.
void copy_store(const std::filesystem::path& from, const std::filesystem::path& to, const std::filesystem::path& name);

/// Makes durable what `file` holds. Throws StoreFailure when the disk does not say so.
void sync_file(const std::filesystem::path& file);

/// Makes durable that the folder names `file`. Throws StoreFailure when the disk does not say so.
void sync_folder_of(const std::filesystem::path& file);

}  // namespace boxoffice::sqlite
