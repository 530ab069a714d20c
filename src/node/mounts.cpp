#include "node/mounts.h"

#include "core/text.h"
#include "io/file.h"
#include "runtime/overlay.h"

namespace sampan::node {
namespace {

// proc(5): space, tab, newline and backslash are written as \ooo.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 3 >= text.size()) {
      plain += text[i];
      continue;
    }
    plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += 3;
  }
  return plain;
}

}  // namespace

std::vector<std::filesystem::path> mounts_below(std::string_view mountinfo,
                                                const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  for (const auto& line : core::split(mountinfo, '\n')) {
    auto fields = core::split(line, ' ');  // id, parent, device, root, mount point, …
    if (fields.size() < 5) continue;
    auto point = unescape(fields[4]);
    if (point == folder.string() || point.starts_with(folder.string() + "/")) found.emplace_back(point);
  }
  std::reverse(found.begin(), found.end());  // later ones lie in earlier ones
  return found;
}

void unmount_below(const std::filesystem::path& folder) {
  for (const auto& point : mounts_below(io::read_file("/proc/self/mountinfo"), folder))
    runtime::unmount(point);
}

}  // namespace sampan::node
