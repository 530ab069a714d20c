// How OSV names distributions.
#include "core/text.h"
#include "scan/match.h"

namespace sampan::scan {
namespace {

std::string major_of(const std::string& version) {
  return version.substr(0, version.find('.'));
}

// "3.18" of "3.18.4"
std::string minor_of(const std::string& version) {
  const auto first = version.find('.');
  return first == std::string::npos ? version : version.substr(0, version.find('.', first + 1));
}

// The release's own, and the name alone, which speaks of every release.
std::vector<std::string> with_release(const std::string& name, const std::string& release) {
  if (release.empty()) return {name};
  return {name + ':' + release, name};
}

std::vector<std::string> of_system(const OperatingSystem& os) {
  const auto& version = os.version_id;
  if (os.id == "debian") return with_release("Debian", major_of(version));
  if (os.id == "ubuntu") return {"Ubuntu:" + version + ":LTS", "Ubuntu:" + version, "Ubuntu"};
  if (os.id == "alpine") return with_release("Alpine", version.empty() ? "" : 'v' + minor_of(version));
  if (os.id == "wolfi") return {"Wolfi"};
  if (os.id == "chainguard") return {"Chainguard", "Wolfi"};
  if (os.id == "rocky") return with_release("Rocky Linux", major_of(version));
  if (os.id == "almalinux") return with_release("AlmaLinux", major_of(version));
  if (os.id == "openeuler") return with_release("openEuler", version);
  if (os.id == "mageia") return with_release("Mageia", version);
  if (os.id == "photon") return with_release("Photon OS", version);
  if (os.id == "azurelinux") return with_release("Azure Linux", major_of(version));
  return {};
}

}  // namespace

bool is_known(const OperatingSystem& os) {
  return !of_system(os).empty();
}

std::vector<std::string> ecosystems_of(PackageType type, const OperatingSystem& os) {
  switch (type) {
    case PackageType::kDpkg:
    case PackageType::kApk:
    case PackageType::kRpm:
      return of_system(os);
    default:
      return {std::string(name_of(type))};
  }
}

}  // namespace sampan::scan
