#include "scan/jar.h"

#include "core/error.h"
#include "scan/archive.h"
#include "scan/package_files.h"

namespace sampan::scan {
namespace {

constexpr int kDeepest = 3;  // a library in a web archive in an enterprise archive
constexpr std::uint64_t kMostEntries = 200'000;
constexpr std::uint64_t kMostBytes = 512ull << 20;  // of all inner archives together
constexpr std::uint64_t kLargestProperties = 64 * 1024;

class Jar {
 public:
  void read(std::string_view bytes, std::string_view path, int depth) {
    auto archive = Archive::zip(bytes);
    Archive::Entry entry;
    while (archive.next(entry)) {
      if (++entries_ > kMostEntries) throw core::Error("read the Java archive", "it has too many entries");
      const std::string_view name = entry.path;
      if (name.starts_with("META-INF/maven/") && name.ends_with("/pom.properties")) {
        for (auto& package : parse_pom_properties(archive.read_all(kLargestProperties))) {
          package.path = path;
          packages.push_back(std::move(package));
        }
      } else if (name.ends_with(".jar") || name.ends_with(".war")) {
        if (depth >= kDeepest) continue;
        const auto inner = archive.read_all(kMostBytes - bytes_);
        bytes_ += inner.size();
        read(inner, std::string(path) + '/' + entry.path, depth + 1);
      }
    }
  }
  std::vector<Package> packages;

 private:
  std::uint64_t entries_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

std::vector<Package> read_jar(std::string_view bytes, std::string_view path) {
  Jar jar;
  jar.read(bytes, path, 1);
  std::erase_if(jar.packages, [](const Package& package) {
    return package.version.empty() || package.version.size() > kLongestVersion ||
           package.name.size() > kLongestName;
  });
  return std::move(jar.packages);
}

}  // namespace sampan::scan
