// Finding mounts below a folder, to undo them before anything in it is deleted.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sampan::node {

// Mount points at `folder` or below it, innermost first, from the text of /proc/self/mountinfo. Pure.
std::vector<std::filesystem::path> mounts_below(std::string_view mountinfo,
                                                const std::filesystem::path& folder);
// Detaches them all. Throws core::Error. Blocking.
void unmount_below(const std::filesystem::path& folder);

}  // namespace sampan::node
