#include "scan/package.h"

#include <boost/json.hpp>

#include "core/encoding.h"
#include "core/error.h"
#include "core/text.h"
#include "scan/compressed.h"

namespace sampan::scan {
namespace {

namespace json = boost::json;

constexpr std::size_t kLargestInventory = 512 * 1024 * 1024;

std::string_view purl_type(PackageType type) {
  switch (type) {
    case PackageType::kDpkg:
      return "deb";
    case PackageType::kApk:
      return "apk";
    case PackageType::kRpm:
      return "rpm";
    case PackageType::kNpm:
      return "npm";
    case PackageType::kPyPI:
      return "pypi";
    case PackageType::kGem:
      return "gem";
    case PackageType::kGo:
      return "golang";
    case PackageType::kCargo:
      return "cargo";
    case PackageType::kComposer:
      return "composer";
    case PackageType::kMaven:
      return "maven";
  }
  return "generic";
}

bool is_distribution(PackageType type) {
  return type == PackageType::kDpkg || type == PackageType::kApk || type == PackageType::kRpm;
}

}  // namespace

std::string_view name_of(PackageType type) {
  switch (type) {
    case PackageType::kDpkg:
      return "Debian";
    case PackageType::kApk:
      return "Alpine";
    case PackageType::kRpm:
      return "RPM";
    case PackageType::kNpm:
      return "npm";
    case PackageType::kPyPI:
      return "PyPI";
    case PackageType::kGem:
      return "RubyGems";
    case PackageType::kGo:
      return "Go";
    case PackageType::kCargo:
      return "crates.io";
    case PackageType::kComposer:
      return "Packagist";
    case PackageType::kMaven:
      return "Maven";
  }
  return "";
}

std::string_view manager_of(PackageType type) {
  switch (type) {
    case PackageType::kNpm:
      return "NODEPKG";
    case PackageType::kPyPI:
      return "PYTHONPKG";
    case PackageType::kGem:
      return "GEMSPEC";
    case PackageType::kGo:
      return "GOMOD";
    case PackageType::kCargo:
      return "CARGO";
    case PackageType::kComposer:
      return "COMPOSER";
    case PackageType::kMaven:
      return "JAR";
    default:
      return "OS";
  }
}

std::string package_url(const Package& package, const OperatingSystem& os) {
  auto name = core::percent_encode(package.name, true);
  if (package.type == PackageType::kMaven) name = core::replace_all(name, "%3A", "/");
  std::string url = "pkg:" + std::string(purl_type(package.type)) + '/';
  if (is_distribution(package.type) && !os.id.empty()) url += core::percent_encode(os.id) + '/';
  url += name + '@' + core::percent_encode(package.version);
  std::string question;
  if (!package.architecture.empty()) question += "&arch=" + core::percent_encode(package.architecture);
  if (is_distribution(package.type) && !os.id.empty()) {
    question +=
        "&distro=" + core::percent_encode(os.version_id.empty() ? os.id : os.id + '-' + os.version_id);
  }
  if (!question.empty()) question[0] = '?';
  return url + question;
}

std::string encode_inventory(const Inventory& inventory) {
  json::array packages;
  packages.reserve(inventory.packages.size());
  for (const auto& package : inventory.packages) {
    packages.push_back(json::array{static_cast<int>(package.type), package.name, package.version,
                                   package.source_name, package.source_version, package.architecture,
                                   package.path});
  }
  const json::object object{
      {"form", 1},
      {"os", json::array{inventory.os.id, inventory.os.version_id, inventory.os.pretty_name}},
      {"architecture", inventory.architecture},
      {"packages", std::move(packages)},
      {"notes", json::value_from(inventory.notes)}};
  return compress(json::serialize(object));
}

Inventory decode_inventory(std::string_view bytes) try {
  const auto value = json::parse(decompress(bytes, kLargestInventory));
  const auto& object = value.as_object();
  const auto text = [](const json::value& item) { return std::string(item.as_string()); };
  Inventory inventory;
  const auto& os = object.at("os").as_array();
  inventory.os = {text(os.at(0)), text(os.at(1)), text(os.at(2))};
  inventory.architecture = text(object.at("architecture"));
  for (const auto& item : object.at("packages").as_array()) {
    const auto& row = item.as_array();
    inventory.packages.push_back({static_cast<PackageType>(row.at(0).to_number<int>()), text(row.at(1)),
                                  text(row.at(2)), text(row.at(3)), text(row.at(4)), text(row.at(5)),
                                  text(row.at(6))});
  }
  for (const auto& note : object.at("notes").as_array()) inventory.notes.push_back(text(note));
  return inventory;
} catch (const std::exception& error) {
  throw core::Error("read a kept inventory", error.what());
}

}  // namespace sampan::scan
