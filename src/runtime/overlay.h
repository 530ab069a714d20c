// Root file systems: overlay mounts of unpacked layers. The mounts outlive this process on purpose (the
// containers do too); whoever stored the intent unmounts. Blocking.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "io/file.h"

namespace sampan::runtime {

struct OverlaySpec {
  std::vector<std::filesystem::path> lowers;  // topmost first, at most 500; with none, `upper` is bound there
  std::filesystem::path upper;                // made with mode 0755 when absent; empty: a read-only mount
  std::filesystem::path work;                 // beside upper, same file system; made when absent
  std::filesystem::path target;               // made when absent
  // A user namespace: the lowers are mapped into it (shared, unchanged on the disk) and upper and work
  // are owned by its root. Needs Linux 5.19.
  std::optional<std::filesystem::path> user_namespace;
  std::uint32_t owner_uid = 0;  // of upper and work when they are made
  std::uint32_t owner_gid = 0;
  bool skip_sync = false;  // "volatile": after a power cut upper is void (builds)
};

// Mounts; what is mounted at target already stays (a repeated call changes nothing).
void mount_overlay(const OverlaySpec& spec);
// Read-only or not, private. `target` is made when absent (a file for a file).
void bind_mount(const std::filesystem::path& source, const std::filesystem::path& target, bool read_only);
bool is_mount_point(const std::filesystem::path& path);
// Detaches every mount at `path` and below; absent is fine.
void unmount(const std::filesystem::path& path);

// Unmounts when it dies; for what must not outlive its scope (builds).
class ScopedMount {
 public:
  ScopedMount() = default;
  explicit ScopedMount(std::filesystem::path target) : target_(std::move(target)) {}
  ScopedMount(ScopedMount&& other) noexcept : target_(std::exchange(other.target_, {})) {}
  ScopedMount& operator=(ScopedMount&& other) noexcept;
  ~ScopedMount();
  void reset();

 private:
  std::filesystem::path target_;
};

}  // namespace sampan::runtime
