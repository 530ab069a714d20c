// Which of an image's packages a database knows to be vulnerable. Pure over both, but for reading the
// database's details.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "scan/database.h"
#include "scan/package.h"

namespace sampan::scan {

struct Finding {
  Advisory advisory;
  Severity severity = Severity::kUndefined;
  // All of one source package and version: a library's binary packages are one finding.
  std::vector<Package> packages;
  std::string package_name;  // the source's, where it has one
  std::string package_version;
  std::string fixed_in;  // the first version without it; "" when none is known
  std::string uri;
  double score = 0;    // by the preferred vector; 0 when there is none
  std::string vector;  // the preferred one, or ""
};

using SeverityCounts = std::map<Severity, int>;

struct Report {
  std::vector<Finding> findings;  // worst first, then by name and package
  SeverityCounts counts;
  bool cut = false;  // there were more than kMostFindings
};

inline constexpr std::size_t kMostFindings = 20'000;
inline constexpr std::size_t kMostPackagesOfFinding = 50;

Report match(const Inventory& inventory, const Database& database);

// The ecosystems, as OSV names them, whose records speak of such a package of such a system; first the most
// exact. None for a system that OSV does not know.
std::vector<std::string> ecosystems_of(PackageType type, const OperatingSystem& os);
// True when the packages of the system itself can be matched.
bool is_known(const OperatingSystem& os);

// Compressed JSON; decode throws core::Error.
std::string encode_report(const Report& report);
Report decode_report(std::string_view bytes);

}  // namespace sampan::scan
