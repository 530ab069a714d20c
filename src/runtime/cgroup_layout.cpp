#include <unistd.h>

#include "core/text.h"
#include "runtime/host.h"

namespace sampan::runtime {
namespace {

// A line of mountinfo: "36 35 98:0 / /mnt/point rw,noatime shared:1 - cgroup cgroup rw,memory".
struct MountLine {
  std::string target;
  std::string type;
  std::vector<std::string> super_options;
};

std::optional<MountLine> parse_line(const std::string& line) {
  const std::size_t dash = line.find(" - ");
  if (dash == std::string::npos) return std::nullopt;
  const auto before = core::split(std::string_view(line).substr(0, dash), ' ');
  const auto after = core::split(std::string_view(line).substr(dash + 3), ' ');
  if (before.size() < 6 || after.size() < 3) return std::nullopt;
  // A mount of a part of the tree (a container's) is not the hierarchy itself.
  if (before[3] != "/") return std::nullopt;
  return MountLine{before[4], after[0], core::split(after[2], ',')};
}

bool is_option_of_every_mount(std::string_view option) {
  return option == "rw" || option == "ro" || option == "xattr" || option == "noprefix" ||
         option == "clone_children" || option.starts_with("release_agent=");
}

}  // namespace

CgroupLayout parse_cgroup_mounts(std::string_view mountinfo) {
  CgroupLayout layout;
  for (const std::string& line : core::split(mountinfo, '\n')) {
    const auto parsed = parse_line(line);
    if (!parsed) continue;
    if (parsed->type == "cgroup2") layout.unified = parsed->target;
    if (parsed->type != "cgroup") continue;
    for (const std::string& option : parsed->super_options) {
      if (!is_option_of_every_mount(option)) layout.controllers.emplace(option, parsed->target);
    }
  }
  if (layout.controllers.empty()) {
    layout.mode = CgroupMode::kV2;
  } else {
    layout.mode = layout.unified.empty() ? CgroupMode::kV1 : CgroupMode::kHybrid;
  }
  return layout;
}

}  // namespace sampan::runtime
