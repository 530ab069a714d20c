#include "scan/cvss.h"

#include "core/text.h"
#include "scan/cvss_metrics.h"

namespace sampan::scan {
namespace {

// "AV:N/AC:L": nothing when it is malformed or says a metric twice.
std::optional<Metrics> take_apart(std::string_view vector) {
  Metrics metrics;
  for (const auto& part : core::split(vector, '/')) {
    const auto colon = part.find(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == part.size()) return std::nullopt;
    if (!metrics.emplace(part.substr(0, colon), part[colon + 1]).second) return std::nullopt;
  }
  return metrics;
}

}  // namespace

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::kInformational:
      return "INFORMATIONAL";
    case Severity::kLow:
      return "LOW";
    case Severity::kMedium:
      return "MEDIUM";
    case Severity::kHigh:
      return "HIGH";
    case Severity::kCritical:
      return "CRITICAL";
    default:
      return "UNDEFINED";
  }
}

Severity severity_of_word(std::string_view word) {
  static constexpr std::pair<std::string_view, Severity> kWords[]{
      {"critical", Severity::kCritical},
      {"important", Severity::kHigh},
      {"high", Severity::kHigh},
      {"moderate", Severity::kMedium},
      {"medium", Severity::kMedium},
      {"low", Severity::kLow},
      {"negligible", Severity::kInformational},
      {"unimportant", Severity::kInformational},
      {"none", Severity::kInformational},
      {"informational", Severity::kInformational},
  };
  // Debian's urgencies may end in stars: "medium**".
  auto lower = core::to_lower(core::trim(word));
  while (lower.ends_with('*')) lower.pop_back();
  for (const auto& [known, severity] : kWords) {
    if (known == lower) return severity;
  }
  return Severity::kUndefined;
}

std::optional<CvssScore> score_of(std::string_view vector) {
  vector = core::trim(vector);
  if (vector.size() > 512) return std::nullopt;
  if (vector.starts_with('(') && vector.ends_with(')')) vector = vector.substr(1, vector.size() - 2);
  std::string version = "2.0";
  if (vector.starts_with("CVSS:")) {
    version = vector.substr(5, vector.find('/') - 5);
    vector.remove_prefix(std::min(vector.size(), 6 + version.size()));
  }
  const auto metrics = take_apart(vector);
  if (!metrics) return std::nullopt;
  std::optional<double> score;
  if (version == "2.0") score = cvss2_base(*metrics);
  if (version == "3.0" || version == "3.1") score = cvss3_base(*metrics);
  if (version == "4.0") score = cvss4_score(*metrics);
  if (!score) return std::nullopt;
  return CvssScore{*score, version};
}

Severity severity_of_score(double score, std::string_view version) {
  if (score <= 0) return Severity::kInformational;
  if (score < 4) return Severity::kLow;
  if (score < 7) return Severity::kMedium;
  if (score < 9 || version == "2.0") return Severity::kHigh;  // version 2 knows no "critical"
  return Severity::kCritical;
}

}  // namespace sampan::scan
