// Python: what pip and its relatives installed or locked.
#include "core/text.h"
#include "scan/json_text.h"
#include "scan/lines.h"
#include "scan/package_files.h"

namespace sampan::scan {
namespace {

Package pypi(std::string_view name, std::string_view version) {
  Package package;
  package.type = PackageType::kPyPI;
  package.name = normal_python_name(name);
  package.version = version;
  return package;
}

void take_section(const boost::json::value& lock, std::string_view section, std::vector<Package>& packages) {
  const auto* entries = object_in(lock, section);
  if (!entries) return;
  for (const auto& [name, value] : *entries) {
    const auto* entry = value.if_object();
    auto version = entry ? text_in(*entry, "version") : std::string_view();
    if (version.starts_with("==")) packages.push_back(pypi(name, version.substr(2)));
  }
}

}  // namespace

std::string normal_python_name(std::string_view name) {
  std::string normal;
  for (const char c : core::to_lower(name)) {
    const bool separator = c == '-' || c == '_' || c == '.';
    if (!separator)
      normal += c;
    else if (normal.empty() || normal.back() != '-')
      normal += '-';
  }
  return normal;
}

std::vector<Package> parse_python_metadata(std::string_view text) {
  Package package = pypi("", "");
  Lines lines(text);
  for (std::string_view line; lines.next(line) && !line.empty();) {  // the description follows an empty line
    if (line.starts_with("Name:")) package.name = normal_python_name(core::trim(line.substr(5)));
    if (line.starts_with("Version:")) package.version = core::trim(line.substr(8));
  }
  return {package};
}

// Only what is pinned: "name[extra]==1.0 ; marker # comment".
std::vector<Package> parse_requirements(std::string_view text) {
  std::vector<Package> packages;
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    line = core::trim(line.substr(0, line.find('#')));
    const auto pin = line.find("==");
    if (line.empty() || line.front() == '-' || pin == line.npos) continue;
    auto name = core::trim(line.substr(0, pin));
    name = core::trim(name.substr(0, name.find('[')));
    auto version = line.substr(pin + (line.substr(pin).starts_with("===") ? 3 : 2));
    version = core::trim(version.substr(0, version.find_first_of(";, \t\\")));
    if (version.empty()) {  // "== 1.0"
      version = core::trim(line.substr(pin + 2));
      version = version.substr(0, version.find_first_of(";, \t\\"));
    }
    if (name.find_first_of("<>!~= ;,@") != name.npos || version.find('*') != version.npos) continue;
    packages.push_back(pypi(name, version));
  }
  return packages;
}

std::vector<Package> parse_pipfile_lock(std::string_view text) {
  const auto lock = parse_json(text);
  std::vector<Package> packages;
  take_section(lock, "default", packages);
  return packages;
}

// TOML, of which each "[[package]]" table's own simple lines are read.
std::vector<Package> parse_poetry_lock(std::string_view text) {
  std::vector<Package> packages;
  Package current;
  bool inside = false;
  const auto finish = [&] {
    if (inside && !current.name.empty()) packages.push_back(std::move(current));
    current = pypi("", "");
  };
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    if (line.starts_with('[')) {
      if (inside) finish();
      inside = line == "[[package]]";
      if (inside) current = pypi("", "");
      continue;
    }
    const auto equals = line.find('=');
    if (!inside || equals == line.npos || line.front() == ' ') continue;
    const auto name = core::trim(line.substr(0, equals));
    const auto value = unquoted(core::trim(line.substr(equals + 1)));
    if (name == "name") current.name = normal_python_name(value);
    if (name == "version") current.version = value;
    if (name == "category" && value == "dev") inside = false;  // before Poetry 1.5
  }
  finish();
  return packages;
}

}  // namespace sampan::scan
