#include "build/source_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "core/error.h"
#include "core/text.h"
#include "runtime/user.h"

namespace sampan::build {
namespace {

constexpr int kDeepest = 256;
constexpr std::size_t kPiece = 1024 * 1024;

bool has_wildcard(std::string_view part) {
  return part.find_first_of("*?[\\") != std::string_view::npos;
}

std::string join(const std::string& parent, const std::string& name) {
  return parent.empty() ? name : parent + "/" + name;
}

std::vector<std::string> names_in(int directory) {
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* opened = copy >= 0 ? ::fdopendir(copy) : nullptr;
  if (opened == nullptr) throw core::errno_error("list a directory of the context");
  const std::unique_ptr<DIR, int (*)(DIR*)> guard(opened, ::closedir);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(opened)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string read_link(int directory, const std::string& name) {
  char target[4096];
  const ssize_t size = ::readlinkat(directory, name.c_str(), target, sizeof target);
  if (size < 0) throw core::errno_error("read link " + name);
  return std::string(target, static_cast<std::size_t>(size));
}

bool is_copied(mode_t mode) {
  return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode);
}

void hash_number(core::Sha256& hash, std::uint64_t number) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(number >> (8 * i));
  hash.update(bytes);
}

void hash_text(core::Sha256& hash, std::string_view text) {
  hash_number(hash, text.size());
  hash.update(text);
}

void hash_file(core::Sha256& hash, const SourceEntry& entry) {
  const io::UniqueFd file(
      ::openat(entry.directory.get(), entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) throw core::errno_error("read " + entry.name);
  std::vector<char> piece(std::min<std::size_t>(kPiece, static_cast<std::size_t>(entry.status.st_size) + 1));
  std::uint64_t total = 0;
  while (true) {
    const ssize_t size = ::read(file.get(), piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw core::errno_error("read " + entry.name);
    if (size == 0) break;
    total += static_cast<std::uint64_t>(size);
    hash.update({piece.data(), static_cast<std::size_t>(size)});
  }
  hash_number(hash, total);
}

}  // namespace

SourceTree::SourceTree(std::filesystem::path root, IgnoreRules rules)
    : root_(std::move(root)), rules_(std::move(rules)) {}

std::vector<std::string> SourceTree::match(std::string_view pattern) const {
  std::vector<std::string> found = {""};
  for (const std::string& part :
       core::split(std::filesystem::path("/" + std::string(pattern)).lexically_normal().string(), '/')) {
    if (part.empty() || part == ".") continue;
    std::vector<std::string> next;
    for (const std::string& parent : found) {
      if (!has_wildcard(part)) {
        next.push_back(join(parent, part));
        continue;
      }
      const auto directory = runtime::open_in_root(root_, "/" + parent, O_RDONLY | O_DIRECTORY);
      if (!directory) continue;
      for (const std::string& name : names_in(directory.get())) {
        if (match_part(part, name)) next.push_back(join(parent, name));
      }
    }
    found = std::move(next);
  }
  std::erase_if(found, [this](const std::string& path) {
    if (!path.empty() && rules_.ignores(path) && !(rules_.may_take_back() && is_directory(path))) return true;
    return !runtime::open_in_root(root_, "/" + path, O_PATH);
  });
  return found;
}

bool SourceTree::is_directory(const std::string& path) const {
  const auto fd = runtime::open_in_root(root_, "/" + path, O_PATH);
  struct stat status{};
  return fd && ::fstat(fd.get(), &status) == 0 && S_ISDIR(status.st_mode);
}

io::UniqueFd SourceTree::open(const std::string& path) const {
  auto fd = runtime::open_in_root(root_, "/" + path, O_RDONLY | O_NONBLOCK);
  if (!fd) throw core::Error("open " + path, "not found");
  return fd;
}

// One walk under way: the match's own path in the tree, and who is told.
struct SourceTree::Walk {
  const SourceTree& tree;
  const std::string& top;
  const std::function<void(const SourceEntry&)>& visit;

  void children(int directory, const std::string& relative, int depth) const {
    if (depth > kDeepest) throw core::Error("walk " + top, "more than 256 directories deep");
    for (const std::string& name : names_in(directory)) child(directory, relative, name, depth);
  }

  void child(int directory, const std::string& relative, const std::string& name, int depth) const {
    SourceEntry entry;
    entry.path = join(relative, name);
    entry.name = name;
    if (::fstatat(directory, name.c_str(), &entry.status, AT_SYMLINK_NOFOLLOW) != 0) {
      throw core::errno_error("stat " + entry.path);
    }
    if (!is_copied(entry.status.st_mode)) return;
    const bool ignored = tree.rules_.ignores(join(top, entry.path));
    const bool is_directory = S_ISDIR(entry.status.st_mode);
    if (ignored && !(is_directory && tree.rules_.may_take_back())) return;
    if (S_ISLNK(entry.status.st_mode)) entry.link = read_link(directory, name);
    entry.directory = io::UniqueFd(::fcntl(directory, F_DUPFD_CLOEXEC, 3));
    if (!ignored) visit(entry);
    if (!is_directory) return;
    const io::UniqueFd below(
        ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!below) throw core::errno_error("open " + entry.path);
    children(below.get(), entry.path, depth + 1);
  }
};

void SourceTree::walk(const std::string& path, const std::function<void(const SourceEntry&)>& visit) const {
  const auto found = runtime::open_in_root(root_, "/" + path, O_PATH);
  if (!found) throw core::Error("walk " + path, "not found");
  SourceEntry top;
  if (::fstat(found.get(), &top.status) != 0) throw core::errno_error("stat " + path);
  if (!is_copied(top.status.st_mode)) return;
  // The descriptor's own name follows to the very file that was found, never elsewhere.
  if (S_ISREG(top.status.st_mode)) {
    const std::string real =
        std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", found.get())).string();
    top.directory = io::open_file(std::filesystem::path(real).parent_path(), O_RDONLY | O_DIRECTORY);
    top.name = std::filesystem::path(real).filename().string();
    return visit(top);
  }
  visit(top);
  const auto directory = runtime::open_in_root(root_, "/" + path, O_RDONLY | O_DIRECTORY);
  Walk{*this, path, visit}.children(directory.get(), "", 0);
}

void SourceTree::hash(const std::string& path, core::Sha256& into) const {
  walk(path, [&into](const SourceEntry& entry) {
    hash_text(into, entry.path);
    hash_number(into, entry.status.st_mode);
    hash_text(into, entry.link);
    if (S_ISREG(entry.status.st_mode)) hash_file(into, entry);
  });
  hash_text(into, "end");
}

}  // namespace sampan::build
