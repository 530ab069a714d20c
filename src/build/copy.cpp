#include "build/copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/error.h"
#include "core/text.h"
#include "runtime/user.h"

namespace sampan::build {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kPiece = 1024 * 1024;

void set_owner(int directory, const std::string& name, const Owner& owner) {
  if (::fchownat(directory, name.c_str(), owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0) {
    throw core::errno_error("change the owner of " + name);
  }
}

io::UniqueFd open_directory(const fs::path& root, const std::string& path) {
  return runtime::open_in_root(root, path.empty() ? "/" : path, O_RDONLY | O_DIRECTORY);
}

// The directory at `path`, made with its parents when absent. Links to directories are followed in the root.
io::UniqueFd require_directory(const fs::path& root, const std::string& path, const Owner& owner,
                               bool* made) {
  io::UniqueFd directory = open_directory(root, path);
  if (directory) return directory;
  const fs::path wanted(path);
  const std::string name = wanted.filename().string();
  const io::UniqueFd parent = require_directory(root, wanted.parent_path().string(), owner, made);
  if (::mkdirat(parent.get(), name.c_str(), 0755) != 0) {
    throw core::errno_error("make directory " + path);
  }
  set_owner(parent.get(), name, owner);
  if (made != nullptr) *made = true;
  directory = open_directory(root, path);
  if (!directory) throw core::Error("make directory " + path, "it leads out of the image");
  return directory;
}

// What is in a file's way goes; a directory in its way is an error.
void clear_way(int directory, const std::string& name) {
  if (::unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return;
  if (errno == EISDIR) throw core::Error("copy over " + name, "it is a directory");
  throw core::errno_error("replace " + name);
}

void copy_bytes(int from, int to, std::uint64_t size) {
  // In the kernel, and by reference where the file system can.
  std::uint64_t left = size;
  while (left > 0) {
    const ssize_t copied = ::copy_file_range(from, nullptr, to, nullptr, left, 0);
    if (copied <= 0) break;
    left -= static_cast<std::uint64_t>(copied);
  }
  std::vector<char> piece(left > 0 ? kPiece : 0);
  while (left > 0) {
    const ssize_t got = ::read(from, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw core::errno_error("read a file to copy");
    if (got == 0) return;
    io::write_all(to, {piece.data(), static_cast<std::size_t>(got)});
    left -= std::min(left, static_cast<std::uint64_t>(got));
  }
}

class Copier {
 public:
  explicit Copier(const CopyOptions& options) : options_(options) {}

  void copy(const SourceEntry& entry, int directory, const std::string& name) const {
    if (S_ISDIR(entry.status.st_mode)) return copy_directory(entry, directory, name);
    clear_way(directory, name);
    if (S_ISLNK(entry.status.st_mode)) return copy_link(entry, directory, name);
    copy_file(entry, directory, name);
  }

  Owner owner(const SourceEntry& entry) const {
    if (options_.owner) return *options_.owner;
    return options_.keep_owner ? Owner{entry.status.st_uid, entry.status.st_gid} : Owner{};
  }

 private:
  mode_t mode(const SourceEntry& entry) const { return options_.mode.value_or(entry.status.st_mode & 07777); }

  void copy_directory(const SourceEntry& entry, int directory, const std::string& name) const {
    if (::mkdirat(directory, name.c_str(), 0700) != 0) {
      struct stat there{};
      const bool is_directory =
          errno == EEXIST && ::fstatat(directory, name.c_str(), &there, 0) == 0 && S_ISDIR(there.st_mode);
      if (!is_directory) throw core::Error("copy directory " + entry.path, "something else is in its place");
      // A link to a directory stays a link and keeps what it leads to.
      if (::fstatat(directory, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(there.st_mode))
        return;
    }
    set_owner(directory, name, owner(entry));
    if (::fchmodat(directory, name.c_str(), mode(entry), 0) != 0)
      throw core::errno_error("set the mode of " + entry.path);
  }

  void copy_link(const SourceEntry& entry, int directory, const std::string& name) const {
    if (::symlinkat(entry.link.c_str(), directory, name.c_str()) != 0)
      throw core::errno_error("make link " + entry.path);
    set_owner(directory, name, owner(entry));
  }

  void copy_file(const SourceEntry& entry, int directory, const std::string& name) const {
    const io::UniqueFd from(
        ::openat(entry.directory.get(), entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!from) throw core::errno_error("read " + entry.name);
    const io::UniqueFd to(
        ::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!to) throw core::errno_error("write " + name);
    copy_bytes(from.get(), to.get(), static_cast<std::uint64_t>(entry.status.st_size));
    set_owner(to.get(), "", owner(entry));  // before the mode: chown takes set-user-id bits away
    const timespec times[2] = {entry.status.st_mtim, entry.status.st_mtim};
    if (::fchmod(to.get(), mode(entry)) != 0 || ::futimens(to.get(), times) != 0) {
      throw core::errno_error("set the mode of " + name);
    }
  }

  const CopyOptions& options_;
};

void split_parent(const std::string& path, std::string& parent, std::string& name) {
  const fs::path whole(path);
  parent = whole.parent_path().string();
  name = whole.filename().string();
}

void copy_one(const SourceTree& source, const std::string& path, const fs::path& root,
              const std::string& destination, bool into_directory, const CopyOptions& options) {
  const Copier copier(options);
  const Owner maker = options.owner.value_or(Owner{});
  if (source.is_directory(path)) {
    require_directory(root, destination, maker, nullptr);
    source.walk(path, [&](const SourceEntry& entry) {
      if (entry.path.empty()) return;
      std::string parent;
      std::string name;
      split_parent(destination + "/" + entry.path, parent, name);
      const io::UniqueFd directory = require_directory(root, parent, maker, nullptr);
      copier.copy(entry, directory.get(), name);
    });
    return;
  }
  std::string parent = destination;
  std::string name = fs::path(path).filename().string();
  if (!into_directory && !open_directory(root, destination)) split_parent(destination, parent, name);
  const io::UniqueFd directory = require_directory(root, parent, maker, nullptr);
  source.walk(path, [&](const SourceEntry& entry) { copier.copy(entry, directory.get(), name); });
}

std::string without_slash(const std::string& path) {
  const std::size_t last = path.find_last_not_of('/');
  return last == std::string::npos ? "" : path.substr(0, last + 1);
}

}  // namespace

void copy_into(const SourceTree& source, const std::vector<std::string>& paths, const fs::path& root,
               const std::string& destination, const CopyOptions& options) {
  const bool into_directory = destination.ends_with('/') || paths.size() > 1;
  for (const std::string& path : paths) {
    std::string target = without_slash(destination);
    const bool keeps_parents = options.parents && path.find('/') != std::string::npos;
    if (keeps_parents) target += "/" + fs::path(path).parent_path().string();
    if (options.parents && source.is_directory(path)) target += "/" + fs::path(path).filename().string();
    copy_one(source, path, root, target, into_directory || options.parents, options);
  }
}

bool make_directory_in(const fs::path& root, const std::string& path, const Owner& owner) {
  bool made = false;
  require_directory(root, without_slash(path), owner, &made);
  return made;
}

void write_file_in(const fs::path& root, const std::string& destination, std::string_view bytes,
                   std::uint32_t mode, const Owner& owner) {
  std::string parent;
  std::string name;
  split_parent(destination, parent, name);
  const io::UniqueFd directory = require_directory(root, parent, owner, nullptr);
  clear_way(directory.get(), name);
  const io::UniqueFd file(
      ::openat(directory.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) throw core::errno_error("write " + destination);
  io::write_all(file.get(), bytes);
  set_owner(file.get(), "", owner);
  if (::fchmod(file.get(), mode) != 0) throw core::errno_error("set the mode of " + destination);
}

}  // namespace sampan::build
