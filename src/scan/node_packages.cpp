// npm, yarn and pnpm.
#include "core/text.h"
#include "scan/json_text.h"
#include "scan/lines.h"
#include "scan/package_files.h"

namespace sampan::scan {
namespace {

namespace json = boost::json;

Package npm(std::string_view name, std::string_view version) {
  Package package;
  package.type = PackageType::kNpm;
  package.name = name;
  package.version = version;
  return package;
}

// "@scope/name" of "node_modules/a/node_modules/@scope/name"
std::string_view name_of_place(std::string_view place) {
  static constexpr std::string_view kModules = "node_modules/";
  const auto at = place.rfind(kModules);
  return at == place.npos ? std::string_view() : place.substr(at + kModules.size());
}

// Versions 2 and 3: a flat table of places.
void take_places(const json::object& places, std::vector<Package>& packages) {
  for (const auto& [place, value] : places) {
    const auto* entry = value.if_object();
    if (!entry || flag_in(*entry, "dev") || flag_in(*entry, "link")) continue;
    const auto alias = text_in(*entry, "name");  // "npm:other@1" installed under another name
    const auto name = alias.empty() ? name_of_place(place) : alias;
    if (std::string_view(place).empty() || name.empty()) continue;  // the project itself, or a workspace
    packages.push_back(npm(name, text_in(*entry, "version")));
  }
}

// Version 1: a tree.
void take_tree(const json::object& dependencies, std::vector<Package>& packages) {
  for (const auto& [name, value] : dependencies) {
    const auto* entry = value.if_object();
    if (!entry) continue;
    auto version = text_in(*entry, "version");
    std::string_view real = name;
    if (version.starts_with("npm:")) {
      version.remove_prefix(4);
      const auto at = version.rfind('@');
      real = version.substr(0, at);
      version = at == version.npos ? std::string_view() : version.substr(at + 1);
    }
    const bool is_url = version.find("://") != version.npos || version.starts_with("file:");
    if (!flag_in(*entry, "dev") && !is_url) packages.push_back(npm(real, version));
    if (const auto* below = object_in(value, "dependencies")) take_tree(*below, packages);
  }
}

// "name" of "name@^1.0", "@scope/name@npm:1.0" (quoted or not)
std::string_view name_of_pattern(std::string_view pattern) {
  pattern = unquoted(core::trim(pattern));
  const auto at = pattern.find('@', pattern.starts_with('@') ? 1 : 0);
  const auto name = pattern.substr(0, at);
  const auto range = at == pattern.npos ? std::string_view() : pattern.substr(at + 1);
  // An alias: "mine@npm:real@^1"
  if (range.starts_with("npm:") && range.find('@', 5) != range.npos) return name_of_pattern(range.substr(4));
  return name;
}

// "/name@1.0(peer@2)", "name@1.0", "/name/1.0_peer": what pnpm has called packages over the years.
bool take_pnpm_key(std::string_view key, std::vector<Package>& packages) {
  key = unquoted(core::trim(key));
  if (key.starts_with('/')) key.remove_prefix(1);
  key = key.substr(0, key.find('('));
  const auto scope = key.starts_with('@') ? key.find('/') + 1 : 0;
  const auto at = key.find_first_of("@/", scope);
  if (at == key.npos) return false;
  auto version = key.substr(at + 1);
  version = version.substr(0, version.find('_'));
  if (version.empty() || version.front() < '0' || version.front() > '9') return false;
  packages.push_back(npm(key.substr(0, at), version));
  return true;
}

}  // namespace

std::vector<Package> parse_npm_lock(std::string_view text) {
  const auto value = parse_json(text);
  std::vector<Package> packages;
  if (const auto* places = object_in(value, "packages")) {
    take_places(*places, packages);
  } else if (const auto* tree = object_in(value, "dependencies")) {
    take_tree(*tree, packages);
  }
  return packages;
}

std::vector<Package> parse_npm_package(std::string_view text) {
  const auto value = parse_json(text);
  const auto* object = value.if_object();
  if (!object) return {};
  return {npm(text_in(*object, "name"), text_in(*object, "version"))};
}

// Both forms: an unindented line of patterns ends with ':', its version stands indented below.
std::vector<Package> parse_yarn_lock(std::string_view text) {
  std::vector<Package> packages;
  std::string_view name;
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto trimmed = core::trim(line);
    if (line.front() != ' ') {
      const auto patterns = unquoted(trimmed.substr(0, trimmed.size() - (trimmed.ends_with(':') ? 1 : 0)));
      name = name_of_pattern(patterns.substr(0, patterns.find(',')));
      if (name.starts_with('"')) name.remove_prefix(1);
      if (name == "__metadata" || patterns.find("@workspace:") != patterns.npos) name = {};
      continue;
    }
    if (name.empty() || line.starts_with("   ") || !trimmed.starts_with("version")) continue;
    auto version = core::trim(trimmed.substr(7));
    if (version.starts_with(':')) version = core::trim(version.substr(1));
    packages.push_back(npm(name, unquoted(version)));
    name = {};
  }
  return packages;
}

std::vector<Package> parse_pnpm_lock(std::string_view text) {
  std::vector<Package> packages;
  bool inside = false;
  bool taken = false;
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.front() != ' ') {
      inside = line == "packages:";
      continue;
    }
    const bool is_key = line.size() > 2 && line.starts_with("  ") && line[2] != ' ';
    if (inside && is_key) {
      const auto trimmed = core::trim(line);
      const std::size_t end = trimmed.ends_with(": {}") ? 4 : trimmed.ends_with(':') ? 1 : 0;
      taken = end > 0 && take_pnpm_key(trimmed.substr(0, trimmed.size() - end), packages);
    } else if (inside && taken && core::trim(line) == "dev: true") {
      packages.pop_back();
      taken = false;
    }
  }
  return packages;
}

}  // namespace sampan::scan
