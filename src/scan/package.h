// What an image has installed. Values; codec for keeping them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sampan::scan {

enum class PackageType { kDpkg, kApk, kRpm, kNpm, kPyPI, kGem, kGo, kCargo, kComposer, kMaven };

struct Package {
  PackageType type = PackageType::kDpkg;
  std::string name;  // Maven: "group:artifact"; npm: with its scope
  std::string version;
  std::string source_name;  // of distributions: the package it was built from, when that is another
  std::string source_version;
  std::string architecture;
  std::string path;  // the file that told of it, relative to the image's root
  auto operator<=>(const Package&) const = default;
};

// /etc/os-release
struct OperatingSystem {
  std::string id;          // "debian"
  std::string version_id;  // "12"
  std::string pretty_name;
  bool operator==(const OperatingSystem&) const = default;
};

struct Inventory {
  OperatingSystem os;
  std::string architecture;        // of the image: "amd64"
  std::vector<Package> packages;   // sorted, each once
  std::vector<std::string> notes;  // what could not be read, and why
  bool operator==(const Inventory&) const = default;
};

// OSV's ecosystem of a language's packages ("npm"), and of a distribution's where its release does not
// matter.
std::string_view name_of(PackageType type);
// As ECR names them: "OS", "NODEPKG", "PYTHONPKG", …
std::string_view manager_of(PackageType type);
// "pkg:npm/%40scope/name@1.0"
std::string package_url(const Package& package, const OperatingSystem& os);

// Compressed JSON; decode throws core::Error.
std::string encode_inventory(const Inventory& inventory);
Inventory decode_inventory(std::string_view bytes);

}  // namespace sampan::scan
