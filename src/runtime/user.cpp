#include "runtime/user.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/error.h"
#include "core/text.h"

namespace sampan::runtime {
namespace {

struct PasswdEntry {
  std::string name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string home;
};

std::optional<std::uint32_t> parse_id(std::string_view text) {
  const auto value = core::parse_int(text);
  if (!value || *value < 0 || *value > INT32_MAX) return std::nullopt;  // Docker's range
  return static_cast<std::uint32_t>(*value);
}

// By name first, then by number, as Docker looks.
std::optional<PasswdEntry> find_user(std::string_view passwd, std::string_view wanted) {
  const auto number = parse_id(wanted);
  std::optional<PasswdEntry> by_number;
  for (const std::string& line : core::split(passwd, '\n')) {
    const auto fields = core::split(line, ':');
    if (fields.size() < 6) continue;
    const auto uid = parse_id(fields[2]);
    const auto gid = parse_id(fields[3]);
    if (!uid || !gid) continue;
    PasswdEntry entry{fields[0], *uid, *gid, fields[5]};
    if (entry.name == wanted) return entry;
    if (number && *number == entry.uid && !by_number) by_number = entry;
  }
  return by_number;
}

std::optional<std::uint32_t> find_group(std::string_view group, std::string_view wanted) {
  for (const std::string& line : core::split(group, '\n')) {
    const auto fields = core::split(line, ':');
    if (fields.size() >= 3 && fields[0] == wanted) return parse_id(fields[2]);
  }
  return parse_id(wanted);
}

std::uint32_t group_or_throw(std::string_view group, std::string_view wanted) {
  const auto gid = find_group(group, wanted);
  if (!gid) {
    throw core::Error("unable to find group " + std::string(wanted), "no matching entries in group file");
  }
  return *gid;
}

void add_once(std::vector<std::uint32_t>& gids, std::uint32_t gid) {
  if (std::find(gids.begin(), gids.end(), gid) == gids.end()) gids.push_back(gid);
}

void add_memberships(ResolvedUser& user, std::string_view group, std::string_view name) {
  for (const std::string& line : core::split(group, '\n')) {
    const auto fields = core::split(line, ':');
    if (fields.size() < 4) continue;
    const auto members = core::split(fields[3], ',');
    const auto gid = parse_id(fields[2]);
    if (gid && std::find(members.begin(), members.end(), name) != members.end()) {
      add_once(user.additional_gids, *gid);
    }
  }
}

}  // namespace

ResolvedUser resolve_user(std::string_view user, const std::vector<std::string>& additional_groups,
                          std::string_view passwd, std::string_view group) {
  const std::size_t colon = user.find(':');
  const std::string_view who = user.substr(0, colon);
  const std::string_view which = colon == std::string_view::npos ? "" : user.substr(colon + 1);

  ResolvedUser resolved;
  const std::string_view wanted = who.empty() ? "0" : who;
  const auto entry = find_user(passwd, wanted);
  const auto number = parse_id(wanted);
  if (!entry && !number) {
    throw core::Error("unable to find user " + std::string(who), "no matching entries in passwd file");
  }
  resolved.uid = entry ? entry->uid : *number;
  resolved.gid = entry ? entry->gid : 0;
  if (entry && !entry->home.empty()) resolved.home = entry->home;
  if (!entry && resolved.uid == 0) resolved.home = "/root";
  if (!which.empty()) resolved.gid = group_or_throw(group, which);
  // A group that was written takes the place of the user's own memberships.
  if (entry && which.empty()) add_memberships(resolved, group, entry->name);
  for (const std::string& more : additional_groups) {
    add_once(resolved.additional_gids, group_or_throw(group, more));
  }
  return resolved;
}

ResolvedUser resolve_user_in(const std::filesystem::path& rootfs, std::string_view user,
                             const std::vector<std::string>& additional_groups) {
  const auto passwd = read_file_in_root(rootfs, "/etc/passwd");
  const auto group = read_file_in_root(rootfs, "/etc/group");
  return resolve_user(user, additional_groups, passwd.value_or(""), group.value_or(""));
}

io::UniqueFd open_in_root(const std::filesystem::path& root, const std::filesystem::path& path, int flags,
                          unsigned mode) {
  const io::UniqueFd directory = io::open_file(root, O_PATH | O_DIRECTORY);
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const std::filesystem::path name = path.empty() ? "/" : path;
  for (int attempt = 0;; ++attempt) {
    io::UniqueFd fd(
        static_cast<int>(::syscall(SYS_openat2, directory.get(), name.c_str(), &how, sizeof how)));
    if (fd) return fd;
    if (errno == ENOENT || errno == ENOTDIR) return {};
    // The kernel saw a rename race with "..": asks to try again.
    if ((errno == EAGAIN || errno == EINTR) && attempt < 32) continue;
    throw core::errno_error("open " + name.string() + " in " + root.string());
  }
}

std::optional<std::string> read_file_in_root(const std::filesystem::path& root,
                                             const std::filesystem::path& path, std::size_t limit) {
  // O_PATH first: opening a fifo would wait and a device might act.
  const io::UniqueFd found = open_in_root(root, path, O_PATH);
  if (!found) return std::nullopt;
  struct stat status{};
  if (::fstat(found.get(), &status) != 0) throw core::errno_error("stat " + path.string());
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return io::read_file("/proc/self/fd/" + std::to_string(found.get()), limit);
}

}  // namespace sampan::runtime
