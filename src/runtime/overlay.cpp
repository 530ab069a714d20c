#include "runtime/overlay.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace sampan::runtime {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMaxLowers = 500;  // the kernel's OVL_MAX_STACK

void make_owned(const fs::path& path, const OverlaySpec& spec) {
  if (fs::exists(path)) return;
  io::make_directories(path);
  if (::chown(path.c_str(), spec.owner_uid, spec.owner_gid) != 0) {
    throw core::errno_error("give " + path.string() + " to the user namespace");
  }
}

// A detached copy of the layer's mount whose owners are seen through the user namespace.
io::UniqueFd map_lower(const fs::path& lower, int user_namespace) {
  io::UniqueFd tree(static_cast<int>(
      ::syscall(SYS_open_tree, AT_FDCWD, lower.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  if (!tree) throw core::errno_error("open layer " + lower.string());
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY;
  attributes.userns_fd = static_cast<std::uint64_t>(user_namespace);
  if (::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    throw core::errno_error("map the owners of layer " + lower.string());
  }
  return tree;
}

struct Lower {
  fs::path path;
  io::UniqueFd mapped;  // only with a user namespace
};

std::vector<Lower> open_lowers(const OverlaySpec& spec) {
  io::UniqueFd user_namespace;
  if (spec.user_namespace) user_namespace = io::open_file(*spec.user_namespace, O_RDONLY);
  std::vector<Lower> lowers;
  for (const fs::path& path : spec.lowers) {
    lowers.push_back({path, user_namespace ? map_lower(path, user_namespace.get()) : io::UniqueFd()});
  }
  return lowers;
}

int set_string(int context, const char* key, const std::string& value) {
  return static_cast<int>(::syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value.c_str(), 0));
}

// "lowerdir+" is one layer a call: by descriptor since Linux 6.13, by path since 6.8.
bool add_lower(int context, const Lower& lower) {
  if (!lower.mapped) return set_string(context, "lowerdir+", lower.path.string()) == 0;
  return ::syscall(SYS_fsconfig, context, FSCONFIG_SET_FD, "lowerdir+", nullptr, lower.mapped.get()) == 0;
}

// What the kernel wrote to the context's log says more than the errno.
std::string context_message(int context) {
  char text[512];
  const ssize_t size = ::read(context, text, sizeof text);
  return size > 2 ? std::string(core::trim(std::string_view(text + 2, static_cast<std::size_t>(size) - 2)))
                  : "";
}

[[noreturn]] void fail(int context, const OverlaySpec& spec) {
  const int reason = errno;
  const std::string message = context_message(context);
  const core::Error error = core::errno_error("mount overlay at " + spec.target.string(), reason);
  throw message.empty() ? error : core::Error(std::string(error.what()) + " (" + message + ")");
}

// False when this kernel does not know the calls or the keys: the old way is taken then.
bool mount_by_context(const OverlaySpec& spec, const std::vector<Lower>& lowers) {
  const io::UniqueFd context(static_cast<int>(::syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC)));
  if (!context) return false;
  for (const Lower& lower : lowers) {
    if (!add_lower(context.get(), lower)) return false;
  }
  set_string(context.get(), "index", "off");
  set_string(context.get(), "metacopy", "off");
  set_string(context.get(), "redirect_dir", "off");  // a layer cannot say it
  if (!spec.upper.empty()) {
    if (set_string(context.get(), "upperdir", spec.upper.string()) != 0) fail(context.get(), spec);
    if (set_string(context.get(), "workdir", spec.work.string()) != 0) fail(context.get(), spec);
    if (spec.skip_sync) ::syscall(SYS_fsconfig, context.get(), FSCONFIG_SET_FLAG, "volatile", nullptr, 0);
  }
  if (::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    fail(context.get(), spec);
  }
  const io::UniqueFd mount(static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
  if (!mount) fail(context.get(), spec);
  if (::syscall(SYS_move_mount, mount.get(), "", AT_FDCWD, spec.target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) !=
      0) {
    throw core::errno_error("attach overlay at " + spec.target.string());
  }
  return true;
}

// mount(2) takes one page of options: descriptors make every path short, whatever the depth.
void mount_by_options(const OverlaySpec& spec, const std::vector<Lower>& lowers) {
  std::vector<io::UniqueFd> opened;
  std::string options = "index=off,metacopy=off,redirect_dir=off,lowerdir=";
  for (const Lower& lower : lowers) {
    int fd = lower.mapped.get();
    if (fd < 0) fd = opened.emplace_back(io::open_file(lower.path, O_PATH | O_DIRECTORY)).get();
    options += fmt::format("{}/proc/self/fd/{}", options.ends_with('=') ? "" : ":", fd);
  }
  if (!spec.upper.empty()) {
    const int upper = opened.emplace_back(io::open_file(spec.upper, O_PATH | O_DIRECTORY)).get();
    const int work = opened.emplace_back(io::open_file(spec.work, O_PATH | O_DIRECTORY)).get();
    options += fmt::format(",upperdir=/proc/self/fd/{},workdir=/proc/self/fd/{}", upper, work);
    if (spec.skip_sync) options += ",volatile";
  }
  if (::mount("overlay", spec.target.c_str(), "overlay", 0, options.c_str()) != 0) {
    throw core::errno_error(
        fmt::format("mount overlay of {} layers at {}", lowers.size(), spec.target.string()));
  }
}

void make_private(const fs::path& target) {
  if (::mount(nullptr, target.c_str(), nullptr, MS_PRIVATE, nullptr) != 0) {
    throw core::errno_error("make mount private: " + target.string());
  }
}

void make_target_like(const fs::path& source, const fs::path& target) {
  if (fs::exists(target)) return;
  if (fs::is_directory(source)) return io::make_directories(target);
  io::make_directories(target.parent_path());
  io::open_file(target, O_WRONLY | O_CREAT, 0644);
}

}  // namespace

bool is_mount_point(const fs::path& path) {
  struct statx status{};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status) != 0) return false;
  return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

void bind_mount(const fs::path& source, const fs::path& target, bool read_only) {
  if (is_mount_point(target)) return;
  make_target_like(source, target);
  if (::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    throw core::errno_error("bind " + source.string() + " at " + target.string());
  }
  make_private(target);
  const unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY;
  if (read_only && ::mount(nullptr, target.c_str(), nullptr, flags, nullptr) != 0) {
    throw core::errno_error("make mount read-only: " + target.string());
  }
}

void mount_overlay(const OverlaySpec& spec) {
  if (spec.lowers.size() > kMaxLowers) {
    throw core::Error("mount overlay at " + spec.target.string(),
                      fmt::format("{} layers, the kernel stacks at most {}", spec.lowers.size(), kMaxLowers));
  }
  if (is_mount_point(spec.target)) return;
  io::make_directories(spec.target);
  if (!spec.upper.empty()) {
    make_owned(spec.upper, spec);
    make_owned(spec.work, spec);
  }
  if (spec.lowers.empty()) return bind_mount(spec.upper, spec.target, false);
  // An overlay without upper wants two lowers; one is a bind mount, with its owners mapped if need be.
  if (spec.upper.empty() && spec.lowers.size() == 1 && !spec.user_namespace) {
    return bind_mount(spec.lowers[0], spec.target, true);
  }
  const std::vector<Lower> lowers = open_lowers(spec);
  if (!mount_by_context(spec, lowers)) mount_by_options(spec, lowers);
  make_private(spec.target);
}

void unmount(const fs::path& path) {
  // Mounts may lie on top of each other; the limit is far above what is ever made.
  for (int i = 0; i < 64; ++i) {
    if (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) continue;
    if (errno == EINVAL || errno == ENOENT) return;
    throw core::errno_error("unmount " + path.string());
  }
}

ScopedMount& ScopedMount::operator=(ScopedMount&& other) noexcept {
  if (this != &other) {
    reset();
    target_ = std::exchange(other.target_, {});
  }
  return *this;
}

ScopedMount::~ScopedMount() {
  reset();
}

void ScopedMount::reset() {
  if (target_.empty()) return;
  try {
    unmount(std::exchange(target_, {}));
  } catch (const core::Error& error) {
    core::log::error("{}", error.what());
  }
}

}  // namespace sampan::runtime
