#include "image/upper_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/log.h"

namespace sampan::image {
namespace fs = std::filesystem;
namespace {

constexpr int kDeepest = 2048;

std::vector<std::string> list_names(const fs::path& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(directory.c_str()), &::closedir);
  if (!listing) throw core::errno_error("list " + directory.string());
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_kept(std::string_view name) {
  if (name.starts_with("user.")) return !name.starts_with("user.overlay.");
  return name == "security.capability" || name.starts_with("system.posix_acl_");
}

std::optional<std::string> read_attribute(const fs::path& file, const char* name) {
  char value[65536];
  const auto size = ::lgetxattr(file.c_str(), name, value, sizeof value);
  if (size < 0) return std::nullopt;
  return std::string(value, static_cast<std::size_t>(size));
}

std::map<std::string, std::string> read_attributes(const fs::path& file) {
  std::map<std::string, std::string> attributes;
  char names[65536];
  const auto size = ::llistxattr(file.c_str(), names, sizeof names);
  for (const char* at = names; size > 0 && at < names + size; at += std::string_view(at).size() + 1) {
    if (!is_kept(at)) continue;
    if (auto value = read_attribute(file, at)) attributes.emplace(at, std::move(*value));
  }
  return attributes;
}

class Walk {
 public:
  explicit Walk(const fs::path& root) : root_(root) {}

  std::vector<LayerEntry> run() {
    directory({}, 0);
    return std::move(entries_);
  }

 private:
  void directory(const std::string& inside, int depth) {
    if (depth > kDeepest) throw core::Error("read " + (root_ / inside).string(), "it is nested too deep");
    for (const auto& name : list_names(root_ / inside)) {
      visit(inside.empty() ? name : inside + '/' + name, depth);
    }
  }

  void visit(const std::string& inside, int depth) {
    const auto file = root_ / inside;
    struct stat info{};
    if (::lstat(file.c_str(), &info) != 0) throw core::errno_error("look at " + file.string());
    LayerEntry entry;
    entry.path = inside;
    if (S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0)) {
      entry.type = LayerEntry::Type::kWhiteout;
      entries_.push_back(std::move(entry));
      return;
    }
    entry.mode = info.st_mode & 07777;
    entry.uid = info.st_uid;
    entry.gid = info.st_gid;
    entry.mtime = info.st_mtim.tv_sec;
    if (S_ISDIR(info.st_mode)) return visit_directory(std::move(entry), depth);
    if (S_ISLNK(info.st_mode)) {
      entry.type = LayerEntry::Type::kSymlink;
      entry.link_target = fs::read_symlink(file).string();
    } else if (S_ISREG(info.st_mode)) {
      entry.source = file;
      entry.xattrs = read_attributes(file);
      if (info.st_nlink > 1) link_to_first(entry, info);
    } else {
      core::log::info("{} is no file, directory or link: not in the layer", file.string());
      return;
    }
    entries_.push_back(std::move(entry));
  }

  void visit_directory(LayerEntry entry, int depth) {
    const auto inside = entry.path;
    const auto opaque = read_attribute(root_ / inside, "trusted.overlay.opaque");
    entry.type = LayerEntry::Type::kDirectory;
    entry.xattrs = read_attributes(root_ / inside);
    entries_.push_back(std::move(entry));
    if (opaque == "y") {
      LayerEntry mark;
      mark.path = inside;
      mark.type = LayerEntry::Type::kOpaque;
      entries_.push_back(std::move(mark));
    }
    directory(inside, depth + 1);
  }

  void link_to_first(LayerEntry& entry, const struct stat& info) {
    const auto [first, is_first] = links_.emplace(std::pair(info.st_dev, info.st_ino), entry.path);
    if (is_first) return;
    entry.type = LayerEntry::Type::kHardLink;
    entry.link_target = first->second;
    entry.source.clear();
    entry.xattrs.clear();
  }

  const fs::path& root_;
  std::vector<LayerEntry> entries_;
  std::map<std::pair<dev_t, ino_t>, std::string> links_;
};

}  // namespace

std::vector<LayerEntry> read_upper(const fs::path& upper) {
  return Walk(upper).run();
}

}  // namespace sampan::image
