// One record of OSV's schema (ossf.github.io/osv-schema), as much of it as matching needs. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scan/cvss.h"
#include "scan/version.h"

namespace sampan::scan {

struct OsvEvent {
  enum class Kind : unsigned char { kIntroduced, kFixed, kLastAffected, kLimit };
  Kind kind;
  std::string version;
  bool operator==(const OsvEvent&) const = default;
};

struct OsvRange {
  bool semver = false;  // else the ecosystem's own order
  std::vector<OsvEvent> events;
};

struct OsvAffected {
  std::string ecosystem;  // "Debian:12"
  std::string name;
  std::vector<OsvRange> ranges;
  std::vector<std::string> versions;
  Severity severity = Severity::kUndefined;  // said of this package, where the record says it
};

struct OsvVector {
  std::string vector;
  CvssScore score;
};

struct OsvRecord {
  std::string id;
  std::string name;                  // the CVE it stands for, where it stands for one; else its id
  std::vector<std::string> related;  // other names of the same
  std::string description;
  std::string published, modified;  // RFC 3339
  std::vector<std::string> references;
  std::vector<OsvVector> vectors;
  Severity severity = Severity::kUndefined;
  bool withdrawn = false;
  std::vector<OsvAffected> affected;  // those of a package; commits are not matched
};

// Throws core::Error when it is no OSV record. Lists and texts beyond their limits are cut.
OsvRecord parse_osv(std::string_view text);

// OSV's evaluation algorithm: is `version` listed, or within one of the ranges?
bool is_affected(Scheme scheme, const std::vector<OsvRange>& ranges, const std::vector<std::string>& versions,
                 std::string_view version);
bool is_within(Scheme scheme, const OsvRange& range, std::string_view version);

}  // namespace sampan::scan
