#pragma once
#include <filesystem>

namespace boxoffice::sqlite
{

/// The folder that names `file`.
[[nodiscard]] std::filesystem::path folder_of(const std::filesystem::path& file);

/// Makes durable that the folder names `file`. Throws StoreFailure when the disk does not say so.
void sync_folder_of(const std::filesystem::path& file);

}  // namespace boxoffice::sqlite
