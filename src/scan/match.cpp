#include "scan/match.h"

#include <algorithm>

#include "core/encoding.h"

namespace sampan::scan {
namespace {

// What to look up: a package by one name and version.
struct Query {
  std::string name;
  std::string version;
};

std::vector<Query> queries_of(const Package& package) {
  switch (package.type) {
    case PackageType::kDpkg:  // OSV's records of Debian and Ubuntu speak of source packages
      return {{package.source_name.empty() ? package.name : package.source_name,
               package.source_version.empty() ? package.version : package.source_version}};
    case PackageType::kApk:
      if (package.source_name.empty() || package.source_name == package.name) break;
      return {{package.source_name, package.version}, {package.name, package.version}};
    default:
      break;
  }
  return {{package.name, package.version}};
}

const OsvVector* preferred(const std::vector<OsvVector>& vectors) {
  for (const char* version : {"3", "4", "2"}) {
    for (const auto& vector : vectors) {
      if (vector.score.version.starts_with(version)) return &vector;
    }
  }
  return nullptr;
}

// The first fix after the version, of the ranges it is in.
std::string fix_for(Scheme scheme, const Database::Hit& hit, std::string_view version) {
  std::string fix;
  for (const auto& range : hit.ranges) {
    const auto order = range.semver ? Scheme::kSemVer : scheme;
    if (!is_within(scheme, range, version)) continue;
    for (const auto& event : range.events) {
      if (event.kind != OsvEvent::Kind::kFixed || compare_versions(order, event.version, version) <= 0)
        continue;
      if (fix.empty() || compare_versions(order, event.version, fix) < 0) fix = event.version;
    }
  }
  return fix;
}

std::string uri_of(const Advisory& advisory, const std::string& ecosystem) {
  const bool cve = advisory.name.starts_with("CVE-");
  if (cve && ecosystem.starts_with("Debian"))
    return "https://security-tracker.debian.org/tracker/" + advisory.name;
  if (cve && ecosystem.starts_with("Ubuntu")) return "https://ubuntu.com/security/" + advisory.name;
  if (cve) return "https://nvd.nist.gov/vuln/detail/" + advisory.name;
  if (!advisory.references.empty()) return advisory.references.front();
  return "https://osv.dev/vulnerability/" + core::percent_encode(advisory.id);
}

class Matching {
 public:
  Matching(const Inventory& inventory, const Database& database)
      : inventory_(inventory), database_(database) {}

  void match(const Package& package) {
    for (const auto& ecosystem : ecosystems_of(package.type, inventory_.os)) {
      const auto scheme = scheme_of(ecosystem);
      if (!scheme) continue;
      for (const auto& query : queries_of(package)) {
        database_.find(ecosystem, query.name, [&](const Database::Hit& hit) {
          if (is_affected(*scheme, hit.ranges, hit.versions, query.version)) {
            take(package, query, ecosystem, fix_for(*scheme, hit, query.version), hit);
          }
        });
      }
    }
  }

  Report finish() {
    Report report;
    report.cut = cut_;
    for (auto& [key, finding] : findings_) {
      ++report.counts[finding.severity];
      report.findings.push_back(std::move(finding));
    }
    std::sort(report.findings.begin(), report.findings.end(), [](const Finding& a, const Finding& b) {
      if (a.severity != b.severity) return a.severity > b.severity;
      return std::tie(a.advisory.name, a.package_name, a.package_version) <
             std::tie(b.advisory.name, b.package_name, b.package_version);
    });
    return report;
  }

 private:
  // The same flaw told by several records (a CVE and its advisory) is one finding of a package.
  void take(const Package& package, const Query& query, const std::string& ecosystem, std::string fix,
            const Database::Hit& hit) {
    const auto& advisory = advisory_of(hit.record);
    const auto key = std::tuple(advisory.name, query.name, query.version);
    auto found = findings_.find(key);
    if (found == findings_.end()) {
      if (findings_.size() >= kMostFindings) {
        cut_ = true;
        return;
      }
      Finding finding;
      finding.advisory = advisory;
      finding.package_name = query.name;
      finding.package_version = query.version;
      finding.uri = uri_of(advisory, ecosystem);
      found = findings_.emplace(key, std::move(finding)).first;
    } else if (found->second.advisory.id != advisory.id) {
      merge(found->second.advisory, advisory);
    }
    auto& finding = found->second;
    finding.severity = std::max(finding.severity, hit.severity);
    if (finding.fixed_in.empty()) finding.fixed_in = std::move(fix);
    if (const auto* vector = preferred(finding.advisory.vectors)) {
      finding.score = vector->score.score;
      finding.vector = vector->vector;
    }
    auto& packages = finding.packages;
    const bool there = std::find(packages.begin(), packages.end(), package) != packages.end();
    if (!there && packages.size() < kMostPackagesOfFinding) packages.push_back(package);
  }

  static void merge(Advisory& into, const Advisory& other) {
    const auto add = [](std::vector<std::string>& texts, const std::string& text, std::size_t most) {
      if (texts.size() < most && std::find(texts.begin(), texts.end(), text) == texts.end())
        texts.push_back(text);
    };
    if (other.id != into.name) add(into.related, other.id, 50);
    for (const auto& text : other.related) add(into.related, text, 50);
    for (const auto& text : other.references) add(into.references, text, 20);
    if (into.description.empty()) into.description = other.description;
    if (into.vectors.empty()) into.vectors = other.vectors;
  }

  const Advisory& advisory_of(std::uint32_t record) {
    const auto found = advisories_.find(record);
    if (found != advisories_.end()) return found->second;
    return advisories_.emplace(record, database_.advisory(record)).first->second;
  }

  const Inventory& inventory_;
  const Database& database_;
  std::map<std::tuple<std::string, std::string, std::string>, Finding> findings_;
  std::map<std::uint32_t, Advisory> advisories_;
  bool cut_ = false;
};

}  // namespace

Report match(const Inventory& inventory, const Database& database) {
  Matching matching(inventory, database);
  for (const auto& package : inventory.packages) matching.match(package);
  return matching.finish();
}

}  // namespace sampan::scan
