#include "image/layer_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/error.h"

namespace sampan::image {
namespace {

constexpr char kOpaque[] = "trusted.overlay.opaque";

// Follows symbolic links as if `root` were "/": none leads out, and ".." at the top stays there.
int open_inside(int root, const char* path, std::uint64_t flags) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  return static_cast<int>(::syscall(SYS_openat2, root, path, &how, sizeof how));
}

std::string join_parts(const std::vector<std::string>& parts, std::size_t count) {
  std::string path;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) path += '/';
    path += parts[i];
  }
  return path.empty() ? "." : path;
}

void remove_tree(int parent, const char* name) {
  if (::unlinkat(parent, name, 0) == 0) return;
  if (errno != EISDIR && errno != EPERM) throw core::errno_error("replace it");
  const io::UniqueFd directory(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) throw core::errno_error("replace the directory");
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(::dup(directory.get())), &::closedir);
  if (!listing) throw core::errno_error("list the directory it replaces");
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view child = entry->d_name;
    if (child != "." && child != "..") remove_tree(directory.get(), entry->d_name);
  }
  if (::unlinkat(parent, name, AT_REMOVEDIR) != 0) throw core::errno_error("replace the directory");
}

void set_times(int file, const timespec& mtime) {
  const timespec times[2] = {mtime, mtime};
  if (::futimens(file, times) != 0) throw core::errno_error("set its time");
}

// Owner before mode and attributes: a change of owner clears set-user-id bits and file capabilities.
void set_owner_mode_attributes(int file, const EntryMetadata& metadata) {
  if (::fchown(file, metadata.uid, metadata.gid) != 0) throw core::errno_error("set its owner");
  if (::fchmod(file, metadata.mode & 07777) != 0) throw core::errno_error("set its mode");
  for (const auto& [name, value] : metadata.xattrs) {
    if (::fsetxattr(file, name.c_str(), value.data(), value.size(), 0) == 0) continue;
    if (errno == ENOTSUP && !name.starts_with("security.")) continue;  // as other runtimes do
    throw core::errno_error("set its attribute " + name);
  }
}

bool is_whiteout(const struct stat& info) {
  return S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0);
}

void mark_opaque(int directory) {
  if (::fsetxattr(directory, kOpaque, "y", 1, 0) != 0) throw core::errno_error("mark the directory opaque");
}

io::UniqueFd open_own_directory(int parent, const char* name) {
  io::UniqueFd directory(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) throw core::errno_error("open the directory");
  return directory;
}

}  // namespace

std::vector<std::string> split_path(std::string_view path, std::size_t limit) {
  if (path.size() > limit) throw core::Error("take its name", "it is longer than a path may be");
  std::vector<std::string> parts;
  while (!path.empty()) {
    const auto part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), part.size() + 1));
    if (part.empty() || part == ".") continue;
    if (part == "..") throw core::Error("take its name", "'..' would lead out of the layer");
    if (part.size() > NAME_MAX) throw core::Error("take its name", "a part of it has more than 255 bytes");
    parts.emplace_back(part);
  }
  return parts;
}

io::UniqueFd LayerTree::open_directory(const std::string& inside) const {
  return io::UniqueFd(open_inside(root_, inside.c_str(), O_PATH | O_DIRECTORY));
}

io::UniqueFd LayerTree::make_parents(const Path& path) const {
  auto directory = open_directory(".");
  for (std::size_t depth = 1; depth < path.size(); ++depth) {
    const auto inside = join_parts(path, depth);
    auto next = open_directory(inside);
    if (!next && errno == ENOENT) {
      // A link that dangles is there already and leads nowhere: mkdir then says EEXIST.
      if (::mkdirat(directory.get(), path[depth - 1].c_str(), 0755) != 0) {
        throw core::errno_error("make its parent directory " + inside);
      }
      next = open_directory(inside);
    }
    if (!next) throw core::errno_error("open its parent directory " + inside);
    directory = std::move(next);
  }
  return directory;
}

int LayerTree::parent_of(const Path& path, bool create) {
  auto inside = join_parts(path, path.size() - 1);
  if (cached_ && inside == cached_path_) return cached_.get();
  auto parent = open_directory(inside);
  if (!parent && errno == ENOENT && create) parent = make_parents(path);
  if (!parent) throw core::errno_error("open the directory " + inside);
  cached_ = std::move(parent);
  cached_path_ = std::move(inside);
  return cached_.get();
}

LayerTree::Place LayerTree::place(const Path& path) {
  if (path.empty()) throw core::Error("unpack it", "only a directory may be the layer's root");
  return {parent_of(path, true), path.back().c_str()};
}

void LayerTree::forget() {
  cached_.reset();
  cached_path_.clear();
}

bool LayerTree::clear(const Place& place) {
  struct stat info{};
  if (::fstatat(place.parent, place.name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return false;
    throw core::errno_error("look at what it replaces");
  }
  remove_tree(place.parent, place.name);
  return is_whiteout(info);
}

void LayerTree::make_directory(const Path& path, const EntryMetadata& metadata) {
  io::UniqueFd directory;
  if (path.empty()) {
    directory = open_own_directory(root_, ".");
  } else {
    const auto at = place(path);
    struct stat info{};
    const bool there = ::fstatat(at.parent, at.name, &info, AT_SYMLINK_NOFOLLOW) == 0;
    const bool hides_lower = there && is_whiteout(info);
    if (!there || !S_ISDIR(info.st_mode)) {
      if (there) remove_tree(at.parent, at.name);
      if (::mkdirat(at.parent, at.name, 0700) != 0) throw core::errno_error("make the directory");
    }
    directory = open_own_directory(at.parent, at.name);
    // Removed below and made anew here: nothing of the old one may show through.
    if (hides_lower) mark_opaque(directory.get());
    if (there && !S_ISDIR(info.st_mode)) forget();
  }
  set_owner_mode_attributes(directory.get(), metadata);
  directory_times_.emplace_back(join_parts(path, path.size()), metadata.mtime);
}

io::UniqueFd LayerTree::make_file(const Path& path) {
  const auto at = place(path);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  io::UniqueFd file(::openat(at.parent, at.name, kFlags, 0600));
  if (!file && errno == EEXIST) {
    clear(at);
    file = io::UniqueFd(::openat(at.parent, at.name, kFlags, 0600));
    if (file) forget();
  }
  if (!file) throw core::errno_error("make the file");
  return file;
}

void LayerTree::finish_file(int file, const EntryMetadata& metadata) {
  set_owner_mode_attributes(file, metadata);
  set_times(file, metadata.mtime);
}

void LayerTree::make_symlink(const Path& path, const std::string& target, const EntryMetadata& metadata) {
  const auto at = place(path);
  clear(at);
  if (::symlinkat(target.c_str(), at.parent, at.name) != 0) throw core::errno_error("make the symbolic link");
  if (::fchownat(at.parent, at.name, metadata.uid, metadata.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    throw core::errno_error("set its owner");
  }
  const timespec times[2] = {metadata.mtime, metadata.mtime};
  ::utimensat(at.parent, at.name, times, AT_SYMLINK_NOFOLLOW);
  forget();
}

void LayerTree::make_hard_link(const Path& path, const Path& existing) {
  if (existing.empty()) throw core::Error("make the hard link", "its target is the layer's root");
  if (path == existing) return;
  const auto target_parent = open_directory(join_parts(existing, existing.size() - 1));
  if (!target_parent) throw core::errno_error("find the hard link's target");
  const auto at = place(path);
  struct stat info{};
  if (::fstatat(target_parent.get(), existing.back().c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    throw core::errno_error("find the hard link's target");
  }
  if (S_ISDIR(info.st_mode)) throw core::Error("make the hard link", "its target is a directory");
  clear(at);
  // Without AT_SYMLINK_FOLLOW: a link to a symbolic link is one to the link itself.
  if (::linkat(target_parent.get(), existing.back().c_str(), at.parent, at.name, 0) != 0) {
    throw core::errno_error("make the hard link");
  }
  forget();
}

void LayerTree::make_fifo(const Path& path, const EntryMetadata& metadata) {
  const auto at = place(path);
  clear(at);
  if (::mknodat(at.parent, at.name, S_IFIFO | 0600, 0) != 0) throw core::errno_error("make the pipe");
  // Just made by us in a directory nobody else knows: the name is the pipe.
  if (::fchownat(at.parent, at.name, metadata.uid, metadata.gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      ::fchmodat(at.parent, at.name, metadata.mode & 07777, 0) != 0) {
    throw core::errno_error("set the pipe's owner and mode");
  }
  const timespec times[2] = {metadata.mtime, metadata.mtime};
  ::utimensat(at.parent, at.name, times, AT_SYMLINK_NOFOLLOW);
  forget();
}

void LayerTree::make_whiteout(const Path& path) {
  const auto at = place(path);
  struct stat info{};
  if (::fstatat(at.parent, at.name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
    // OCI: a whiteout concerns the layers below alone; what this layer holds itself stays.
    if (S_ISDIR(info.st_mode)) mark_opaque(open_own_directory(at.parent, at.name).get());
    return;
  }
  if (::mknodat(at.parent, at.name, S_IFCHR, makedev(0, 0)) != 0)
    throw core::errno_error("make the whiteout");
}

void LayerTree::make_opaque(const Path& directory) {
  Path inside = directory;
  inside.emplace_back(".");  // the directory itself is the parent
  const auto at = place(inside);
  mark_opaque(open_own_directory(at.parent, ".").get());
}

void LayerTree::finish() {
  for (auto entry = directory_times_.rbegin(); entry != directory_times_.rend(); ++entry) {
    // By now it may be no directory any more, or be reached through a link: then it has its time already.
    const io::UniqueFd directory(
        open_inside(root_, entry->first.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (directory) set_times(directory.get(), entry->second);
  }
  directory_times_.clear();
}

}  // namespace sampan::image
