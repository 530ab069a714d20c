// Scores of CVSS vectors, computed as FIRST's specifications say. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sampan::scan {

// ECR's severities, least first.
enum class Severity { kUndefined, kInformational, kLow, kMedium, kHigh, kCritical };
std::string_view name_of(Severity severity);
// "HIGH", "moderate", "negligible", "unimportant", …: as databases write them.
Severity severity_of_word(std::string_view word);

struct CvssScore {
  double score = 0;     // 0.0 to 10.0, one decimal
  std::string version;  // "2.0", "3.0", "3.1", "4.0"
};
// Base score of versions 2 and 3; of version 4 with what the vector says of threat and environment. Nothing
// for a vector that lacks a metric it must have, or has a value or a metric that there is none of.
std::optional<CvssScore> score_of(std::string_view vector);
// The specification's qualitative scale; 0.0 ("None") is informational.
Severity severity_of_score(double score, std::string_view version);

}  // namespace sampan::scan
