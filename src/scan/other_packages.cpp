// Ruby, Go, Rust, PHP and Java.
#include "core/text.h"
#include "scan/json_text.h"
#include "scan/lines.h"
#include "scan/package_files.h"

namespace sampan::scan {
namespace {

Package make(PackageType type, std::string_view name, std::string_view version) {
  Package package;
  package.type = type;
  package.name = name;
  package.version = version;
  return package;
}

// OSV writes Go's versions without their "v".
Package go(std::string_view module, std::string_view version) {
  if (version.starts_with('v')) version.remove_prefix(1);
  return make(PackageType::kGo, module, version);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "name-1.2.3-x86_64-linux": the version begins at the first '-' before a digit and ends at a platform.
Package gem_of_name(std::string_view text) {
  for (std::size_t at = text.find('-'); at != text.npos; at = text.find('-', at + 1)) {
    if (at + 1 >= text.size() || !is_digit(text[at + 1])) continue;
    const auto version = text.substr(at + 1);
    return make(PackageType::kGem, text.substr(0, at), version.substr(0, version.find('-')));
  }
  return make(PackageType::kGem, text, "");
}

void take_require(std::string_view line, std::vector<Package>& packages) {
  line = core::trim(line.substr(0, line.find("//")));
  const auto space = line.find_first_of(" \t");
  if (space == line.npos) return;
  packages.push_back(go(unquoted(line.substr(0, space)), core::trim(line.substr(space + 1))));
}

// "old v1 => new v2", "old => new v2", "old => ./here"
void take_replace(std::string_view line, std::vector<Package>& packages) {
  line = core::trim(line.substr(0, line.find("//")));
  const auto arrow = line.find("=>");
  if (arrow == line.npos) return;
  const auto from = core::trim(line.substr(0, arrow));
  const auto old_module = from.substr(0, from.find_first_of(" \t"));
  const auto old_version = from.size() == old_module.size() ? "" : core::trim(from.substr(old_module.size()));
  const auto had = std::erase_if(packages, [&](const Package& package) {
    return package.name == old_module &&
           (old_version.empty() || go("", old_version).version == package.version);
  });
  if (had > 0) take_require(core::trim(line.substr(arrow + 2)), packages);
}

}  // namespace

std::vector<Package> parse_gemfile_lock(std::string_view text) {
  std::vector<Package> packages;
  bool specs = false;
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    if (line.empty() || line.front() != ' ') {
      specs = false;
      continue;
    }
    if (line == "  specs:") specs = true;
    // Four spaces: a gem; six: what it asks for.
    if (!specs || !line.starts_with("    ") || line.starts_with("     ")) continue;
    const auto open = line.find(" (");
    const auto close = line.find(')', open == line.npos ? 0 : open);
    if (open == line.npos || close == line.npos) continue;
    const auto version = line.substr(open + 2, close - open - 2);
    packages.push_back(
        make(PackageType::kGem, core::trim(line.substr(0, open)), version.substr(0, version.find('-'))));
  }
  return packages;
}

std::vector<Package> parse_gemspec_name(std::string_view path) {
  auto name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".gemspec")) name.remove_suffix(8);
  return {gem_of_name(name)};
}

std::vector<Package> parse_go_mod(std::string_view text) {
  std::vector<Package> packages;
  std::vector<std::string_view> replaces;
  std::string_view block;
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    line = core::trim(line);
    if (line == ")") block = {};
    if (line.ends_with('(')) {
      block = core::trim(line.substr(0, line.size() - 1));
      continue;
    }
    if (block == "require") take_require(line, packages);
    if (block == "replace") replaces.push_back(line);
    if (line.starts_with("require ")) take_require(core::trim(line.substr(8)), packages);
    if (line.starts_with("replace ")) replaces.push_back(core::trim(line.substr(8)));
  }
  for (const auto line : replaces) take_replace(line, packages);
  return packages;
}

std::vector<Package> parse_go_sum(std::string_view text) {
  std::vector<Package> packages;
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    const auto space = line.find(' ');
    if (space == line.npos) continue;
    const auto version = line.substr(space + 1, line.find(' ', space + 1) - space - 1);
    if (!version.ends_with("/go.mod")) packages.push_back(go(line.substr(0, space), version));
  }
  return packages;
}

std::vector<Package> parse_cargo_lock(std::string_view text) {
  std::vector<Package> packages;
  Package current;
  bool from_registry = false;
  const auto finish = [&] {
    if (from_registry) packages.push_back(current);
    current = make(PackageType::kCargo, "", "");
    from_registry = false;
  };
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    if (line.starts_with('[')) finish();
    const auto equals = line.find(" = ");
    if (equals == line.npos || line.front() == ' ') continue;
    const auto name = line.substr(0, equals);
    const auto value = unquoted(core::trim(line.substr(equals + 3)));
    if (name == "name") current.name = value;
    if (name == "version") current.version = value;
    if (name == "source") from_registry = true;  // without: a crate of the project itself
  }
  finish();
  return packages;
}

// composer.lock and Composer 2's installed.json ({"packages": […]}), and Composer 1's (an array).
std::vector<Package> parse_composer(std::string_view text) {
  const auto value = parse_json(text);
  const auto* list = value.if_array();
  if (const auto* object = value.if_object()) list = array_in(*object, "packages");
  std::vector<Package> packages;
  if (!list) return packages;
  for (const auto& item : *list) {
    const auto* entry = item.if_object();
    if (!entry) continue;
    auto version = text_in(*entry, "version");
    if (version.starts_with('v')) version.remove_prefix(1);
    packages.push_back(make(PackageType::kComposer, core::to_lower(text_in(*entry, "name")), version));
  }
  return packages;
}

std::vector<Package> parse_pom_properties(std::string_view text) {
  std::string_view group, artifact, version;
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    const auto equals = line.find('=');
    if (equals == line.npos || line.starts_with('#')) continue;
    const auto name = core::trim(line.substr(0, equals));
    const auto value = core::trim(line.substr(equals + 1));
    if (name == "groupId") group = value;
    if (name == "artifactId") artifact = value;
    if (name == "version") version = value;
  }
  if (group.empty() || artifact.empty()) return {};
  return {make(PackageType::kMaven, std::string(group) + ':' + std::string(artifact), version)};
}

}  // namespace sampan::scan
