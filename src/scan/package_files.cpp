#include "scan/package_files.h"

#include <algorithm>

#include "core/text.h"
#include "scan/lines.h"

namespace sampan::scan {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// "usr/lib/python3/dist-packages/x.dist-info" of "…/x.dist-info/METADATA"
std::string_view directory_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

std::optional<FileKind> system_kind(std::string_view path) {
  if (path == "etc/os-release" || path == "usr/lib/os-release") return FileKind::kOsRelease;
  if (path == "var/lib/dpkg/status") return FileKind::kDpkgStatus;
  if (directory_of(path) == "var/lib/dpkg/status.d") {
    if (path.ends_with(".md5sums")) return std::nullopt;
    return FileKind::kDpkgStatus;
  }
  if (path == "lib/apk/db/installed" || path == "usr/lib/apk/db/installed") return FileKind::kApkInstalled;
  if (directory_of(path) == "var/lib/rpm" || directory_of(path) == "usr/lib/sysimage/rpm") {
    const auto name = file_name(path);
    if (name == "rpmdb.sqlite" || name == "Packages" || name == "Packages.db") return FileKind::kRpmDatabase;
  }
  return std::nullopt;
}

bool is_python_metadata(std::string_view path, std::string_view name) {
  const auto directory = directory_of(path);
  if (name == "METADATA") return directory.ends_with(".dist-info");
  if (name == "PKG-INFO") return directory.ends_with(".egg-info") || file_name(directory) == "EGG-INFO";
  return name.ends_with(".egg-info");
}

bool in_node_modules(std::string_view path) {
  return path.starts_with("node_modules/") || path.find("/node_modules/") != path.npos;
}

bool is_gemspec(std::string_view path, std::string_view name) {
  if (!name.ends_with(".gemspec")) return false;
  const auto directory = directory_of(path);
  return directory.ends_with("specifications") || directory.ends_with("specifications/default");
}

std::optional<FileKind> kind_by_name(std::string_view name) {
  static constexpr std::pair<std::string_view, FileKind> kNames[]{
      {"package-lock.json", FileKind::kNpmLock},
      {"npm-shrinkwrap.json", FileKind::kNpmLock},
      {".package-lock.json", FileKind::kNpmLock},
      {"yarn.lock", FileKind::kYarnLock},
      {"pnpm-lock.yaml", FileKind::kPnpmLock},
      {"requirements.txt", FileKind::kPythonRequirements},
      {"Pipfile.lock", FileKind::kPipfileLock},
      {"poetry.lock", FileKind::kPoetryLock},
      {"uv.lock", FileKind::kPoetryLock},
      {"Gemfile.lock", FileKind::kGemfileLock},
      {"gems.locked", FileKind::kGemfileLock},
      {"go.mod", FileKind::kGoMod},
      {"go.sum", FileKind::kGoSum},
      {"Cargo.lock", FileKind::kCargoLock},
      {"composer.lock", FileKind::kComposerLock},
  };
  for (const auto& [known, kind] : kNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

bool believable(const Package& package) {
  const auto printable = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
  };
  return !package.name.empty() && !package.version.empty() && package.name.size() <= kLongestName &&
         package.version.size() <= kLongestVersion && package.source_name.size() <= kLongestName &&
         package.source_version.size() <= kLongestVersion && package.architecture.size() <= kLongestVersion &&
         printable(package.name) && printable(package.version) && printable(package.source_name) &&
         printable(package.source_version) && printable(package.architecture);
}

std::vector<Package> parse(FileKind kind, std::string_view path, std::string_view text) {
  switch (kind) {
    case FileKind::kDpkgStatus:
      return parse_dpkg_status(text);
    case FileKind::kApkInstalled:
      return parse_apk_installed(text);
    case FileKind::kNpmLock:
      return parse_npm_lock(text);
    case FileKind::kNpmPackage:
      return parse_npm_package(text);
    case FileKind::kYarnLock:
      return parse_yarn_lock(text);
    case FileKind::kPnpmLock:
      return parse_pnpm_lock(text);
    case FileKind::kPythonMetadata:
      return parse_python_metadata(text);
    case FileKind::kPythonRequirements:
      return parse_requirements(text);
    case FileKind::kPipfileLock:
      return parse_pipfile_lock(text);
    case FileKind::kPoetryLock:
      return parse_poetry_lock(text);
    case FileKind::kGemfileLock:
      return parse_gemfile_lock(text);
    case FileKind::kGemspec:
      return parse_gemspec_name(path);
    case FileKind::kGoMod:
      return parse_go_mod(text);
    case FileKind::kGoSum:
      return parse_go_sum(text);
    case FileKind::kCargoLock:
      return parse_cargo_lock(text);
    case FileKind::kComposerLock:
    case FileKind::kComposerInstalled:
      return parse_composer(text);
    default:
      return {};
  }
}

}  // namespace

std::optional<FileKind> kind_of(std::string_view path) {
  if (auto kind = system_kind(path)) return kind;
  const auto name = file_name(path);
  if (name == "package.json") {
    return in_node_modules(path) ? std::optional(FileKind::kNpmPackage) : std::nullopt;
  }
  // What a package brings along for its own development is not installed.
  const auto kind = kind_by_name(name);
  if (kind && in_node_modules(path) && name != ".package-lock.json") return std::nullopt;
  if (kind) return kind;
  if (is_python_metadata(path, name)) return FileKind::kPythonMetadata;
  if (is_gemspec(path, name)) return FileKind::kGemspec;
  if (path.ends_with("vendor/composer/installed.json")) return FileKind::kComposerInstalled;
  if (name.ends_with(".jar") || name.ends_with(".war") || name.ends_with(".ear")) return FileKind::kJar;
  return std::nullopt;
}

std::uint64_t size_limit(FileKind kind) {
  switch (kind) {
    case FileKind::kOsRelease:
      return kMiB;
    case FileKind::kNpmPackage:
    case FileKind::kPythonMetadata:
    case FileKind::kPythonRequirements:
    case FileKind::kGoMod:
      return 4 * kMiB;
    case FileKind::kGemspec:
      return 0;  // its name says it all
    case FileKind::kRpmDatabase:
    case FileKind::kJar:
      return 256 * kMiB;
    default:
      return 64 * kMiB;
  }
}

OperatingSystem parse_os_release(std::string_view text) {
  OperatingSystem os;
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    const auto equals = line.find('=');
    if (equals == line.npos) continue;
    const auto name = core::trim(line.substr(0, equals));
    const auto value = unquoted(core::trim(line.substr(equals + 1))).substr(0, kLongestVersion);
    if (name == "ID") os.id = core::to_lower(value);
    if (name == "VERSION_ID") os.version_id = value;
    if (name == "PRETTY_NAME") os.pretty_name = value;
  }
  return os;
}

std::vector<Package> parse_packages(FileKind kind, std::string_view path, std::string_view text) {
  auto packages = parse(kind, path, text);
  std::erase_if(packages, [](const Package& package) { return !believable(package); });
  for (auto& package : packages) package.path = path;
  return packages;
}

}  // namespace sampan::scan
