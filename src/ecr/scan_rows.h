// What is stored of image scanning:
//   /ecr/scan-rules/<account>/<region>              ScanRulesRow: the registry's scanning configuration
//   /ecr/scans/<account>/<region>/<name>@<digest>   ScanRow: one an image that was, or is to be, scanned
// The findings themselves are files (scan_files.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "store/table.h"

namespace sampan::ecr {

struct ScanRule {
  std::string frequency;             // SCAN_ON_PUSH, CONTINUOUS_SCAN, MANUAL
  std::vector<std::string> filters;  // wildcards over repository names
  bool operator==(const ScanRule&) const = default;
};

struct ScanRulesRow {
  bool enhanced = false;
  std::vector<ScanRule> rules;
  bool operator==(const ScanRulesRow&) const = default;
};

struct ScanRow {
  // What came of the last scan. A scan that is still to be done is `wanted`, whatever came of the one before.
  enum class Outcome { kNone, kComplete, kFailed, kUnsupported, kNoDatabase };
  bool wanted = false;
  Outcome outcome = Outcome::kNone;
  std::string problem;                          // of kFailed, kUnsupported and kNoDatabase
  core::TimePoint created_at{};                 // of the row: an image that comes again gets another
  core::TimePoint requested_at{};               // the push or StartImageScan that counts for a day
  std::optional<core::TimePoint> first_at;      // the first complete scan
  std::optional<core::TimePoint> completed_at;  // the last one
  std::optional<core::TimePoint> source_at;     // how old the database was then
  std::string database;                         // which one, by its signature
  std::map<std::string, int> counts;            // by severity
  bool operator==(const ScanRow&) const = default;
};

// Of the file that holds what was found.
std::string report_name(std::string_view image_key, const ScanRow& row);

}  // namespace sampan::ecr

template <>
struct sampan::store::RowCodec<sampan::ecr::ScanRulesRow> {
  static std::string encode(const ecr::ScanRulesRow& row);
  static ecr::ScanRulesRow decode(std::string_view text);
};
template <>
struct sampan::store::RowCodec<sampan::ecr::ScanRow> {
  static std::string encode(const ecr::ScanRow& row);
  static ecr::ScanRow decode(std::string_view text);
};
