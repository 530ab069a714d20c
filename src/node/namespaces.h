// Network namespaces of tasks, and the user namespaces that own them: making, pinning to a path, entering.
// A namespace lives as long as a descriptor, a process or a pin holds it; nothing here deletes links.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "io/file.h"

namespace sampan::node {

// Ids 0..size-1 inside are base..base+size-1 outside.
struct IdRange {
  std::uint32_t base = 0;
  std::uint32_t size = 65536;
  bool operator==(const IdRange&) const = default;
};

// With `ids` the network namespace belongs to a new user namespace of that range: only then may its root
// bind low ports and mount sysfs. Loopback is up.
struct Namespaces {
  io::UniqueFd network;
  io::UniqueFd user;  // empty without `ids`
  std::optional<IdRange> ids;
};

// Throws core::Error. Blocking (about a millisecond).
Namespaces make_namespaces(std::optional<IdRange> ids);

// Bind-mounts the namespace behind `fd` over `path` (made if absent), so that it outlives this process.
void pin_namespace(int fd, const std::filesystem::path& path);
// Undoes it; nothing there is no error. The kernel drops the namespace and its links in its own time:
// deleting a link by hand would wait 30 ms.
void unpin_namespace(const std::filesystem::path& path);
// True when `path` is a pinned namespace (and not just the empty file a crash or a reboot left).
bool is_pinned(const std::filesystem::path& path);

// Runs `work` on a thread of its own inside the network namespace; what it throws comes out here.
void inside_network(int network_fd, const std::function<void()>& work);

}  // namespace sampan::node
