// Who a container's process runs as: the texts of USER and `user` resolved against the files inside the
// root file system. Those are untrusted: they are opened beneath the root (a symbolic link to /etc of the
// host leads to the container's own) and read up to a limit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"

namespace sampan::runtime {

struct ResolvedUser {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> additional_gids;  // the user's groups from /etc/group, then those asked for
  std::string home = "/";
};

// Docker's rules: "" is root; a number needs no entry; a name that is absent throws core::Error
// ("unable to find user bob: no matching entries in passwd file"). Pure.
ResolvedUser resolve_user(std::string_view user, const std::vector<std::string>& additional_groups,
                          std::string_view passwd, std::string_view group);
// The same with the files of `rootfs`; absent files count as empty. Blocking.
ResolvedUser resolve_user_in(const std::filesystem::path& rootfs, std::string_view user,
                             const std::vector<std::string>& additional_groups);

// Opens `path` as if `root` were "/": no "..", link or mount point leads out of it (openat2,
// RESOLVE_IN_ROOT). An empty descriptor when it does not exist; any other failure throws. `flags` as open(2).
io::UniqueFd open_in_root(const std::filesystem::path& root, const std::filesystem::path& path, int flags,
                          unsigned mode = 0);
std::optional<std::string> read_file_in_root(const std::filesystem::path& root,
                                             const std::filesystem::path& path,
                                             std::size_t limit = 1024 * 1024);

}  // namespace sampan::runtime
