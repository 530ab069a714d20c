// Namespaces pinned to files. A task's network namespace is made *inside* its user namespace, so that the
// container's root may bind port 80 there and sysfs can be mounted (PROOFS: a namespace of the host gives
// EACCES). Blocking; safe in a process with many threads: the child that carries the namespaces for a
// moment shares our memory, runs a few system calls of its own and is gone when the call returns.
#pragma once

#include <cstdint>
#include <filesystem>

namespace sampan::runtime {

struct IdRange {
  std::uint32_t host_base = 0;
  std::uint32_t size = 65536;
};

// Makes both and binds them to the files (parents are made); what is bound there already is replaced.
void create_user_and_network(const IdRange& ids, const std::filesystem::path& user_file,
                             const std::filesystem::path& network_file);
// A network namespace owned by the host's user namespace.
void create_network(const std::filesystem::path& network_file);
// Unbinds and removes the file; absent is fine. The kernel ends the namespace when nobody uses it.
void release_namespace(const std::filesystem::path& file);

}  // namespace sampan::runtime
