// The databases of dpkg and apk.
#include "core/text.h"
#include "scan/lines.h"
#include "scan/package_files.h"

namespace sampan::scan {
namespace {

// "openssl (3.0.1-1)": name, and version where it is another than the package's own.
void take_source(std::string_view value, Package& package) {
  const auto open = value.find('(');
  package.source_name = core::trim(value.substr(0, open));
  if (open == value.npos) return;
  const auto close = value.find(')', open);
  package.source_version = core::trim(value.substr(open + 1, close - open - 1));
}

}  // namespace

std::vector<Package> parse_dpkg_status(std::string_view text) {
  std::vector<Package> packages;
  Package current;
  bool installed = true;
  const auto finish = [&] {
    if (current.source_name.empty()) current.source_name = current.name;
    if (current.source_version.empty()) current.source_version = current.version;
    if (installed && !current.name.empty()) packages.push_back(std::move(current));
    current = Package();
    installed = true;  // distroless' status.d has no Status line
  };
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    if (line.empty()) {
      finish();
      continue;
    }
    if (line.front() == ' ' || line.front() == '\t') continue;
    const auto colon = line.find(':');
    if (colon == line.npos) continue;
    const auto name = line.substr(0, colon);
    const auto value = core::trim(line.substr(colon + 1));
    if (name == "Package") current.name = value;
    if (name == "Version") current.version = value;
    if (name == "Architecture") current.architecture = value;
    if (name == "Source") take_source(value, current);
    // "install ok installed"; what was removed and left its configuration is not there.
    if (name == "Status") installed = value.ends_with(" installed");
  }
  finish();
  return packages;
}

std::vector<Package> parse_apk_installed(std::string_view text) {
  std::vector<Package> packages;
  Package current;
  const auto finish = [&] {
    if (current.source_name.empty()) current.source_name = current.name;
    current.source_version = current.version;
    current.type = PackageType::kApk;
    if (!current.name.empty()) packages.push_back(std::move(current));
    current = Package();
  };
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    if (line.empty()) finish();
    if (line.size() < 2 || line[1] != ':') continue;
    const auto value = core::trim(line.substr(2));
    if (line[0] == 'P') current.name = value;
    if (line[0] == 'V') current.version = value;
    if (line[0] == 'A') current.architecture = value;
    if (line[0] == 'o') current.source_name = value;
  }
  finish();
  return packages;
}

}  // namespace sampan::scan
