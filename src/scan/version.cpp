#include "scan/version.h"

#include <array>

#include "scan/version_parts.h"

namespace sampan::scan {

int compare_versions(Scheme scheme, std::string_view a, std::string_view b) {
  switch (scheme) {
    case Scheme::kDpkg:
      return compare_dpkg(a, b);
    case Scheme::kApk:
      return compare_apk(a, b);
    case Scheme::kRpm:
      return compare_rpm(a, b);
    case Scheme::kSemVer:
      return compare_semver(a, b);
    case Scheme::kPep440:
      return compare_pep440(a, b);
    case Scheme::kGem:
      return compare_gem(a, b);
    case Scheme::kMaven:
      return compare_maven(a, b);
    case Scheme::kComposer:
      return compare_composer(a, b);
  }
  return compare_text(a, b);
}

std::optional<Scheme> scheme_of(std::string_view ecosystem) {
  static constexpr std::array<std::pair<std::string_view, Scheme>, 21> kSchemes{{
      {"Debian", Scheme::kDpkg},      {"Ubuntu", Scheme::kDpkg},     {"Alpine", Scheme::kApk},
      {"Wolfi", Scheme::kApk},        {"Chainguard", Scheme::kApk},  {"Red Hat", Scheme::kRpm},
      {"Rocky Linux", Scheme::kRpm},  {"AlmaLinux", Scheme::kRpm},   {"SUSE", Scheme::kRpm},
      {"openSUSE", Scheme::kRpm},     {"openEuler", Scheme::kRpm},   {"Mageia", Scheme::kRpm},
      {"Photon OS", Scheme::kRpm},    {"Azure Linux", Scheme::kRpm}, {"npm", Scheme::kSemVer},
      {"crates.io", Scheme::kSemVer}, {"Go", Scheme::kSemVer},       {"PyPI", Scheme::kPep440},
      {"RubyGems", Scheme::kGem},     {"Maven", Scheme::kMaven},     {"Packagist", Scheme::kComposer},
  }};
  const auto base = ecosystem.substr(0, ecosystem.find(':'));
  for (const auto& [name, scheme] : kSchemes) {
    if (name == base) return scheme;
  }
  return std::nullopt;
}

}  // namespace sampan::scan
