// The base scores of CVSS 2.0 (guide, 3.2.1) and 3.x (specification, 7.1).
#include <cmath>
#include <initializer_list>

#include "scan/cvss_metrics.h"

namespace sampan::scan {
namespace {

struct Value {
  char letter;
  double weight;
};

// The weight of a metric's value; `bad` is set when it is absent or unknown.
double weight(const Metrics& metrics, std::string_view name, std::initializer_list<Value> values, bool& bad) {
  const auto found = metrics.find(name);
  if (found != metrics.end()) {
    for (const auto& value : values) {
      if (value.letter == found->second) return value.weight;
    }
  }
  bad = true;
  return 0;
}

// The smallest number of one decimal that is not below; over whole numbers, as 3.1's appendix A has it, so
// that it is the same on every machine.
double round_up(double score) {
  const auto scaled = static_cast<long>(std::lround(score * 100000));
  if (scaled % 10000 == 0) return static_cast<double>(scaled) / 100000.0;
  return (std::floor(static_cast<double>(scaled) / 10000.0) + 1) / 10.0;
}

}  // namespace

std::optional<double> cvss2_base(const Metrics& metrics) {
  bool bad = false;
  const double av = weight(metrics, "AV", {{'L', 0.395}, {'A', 0.646}, {'N', 1.0}}, bad);
  const double ac = weight(metrics, "AC", {{'H', 0.35}, {'M', 0.61}, {'L', 0.71}}, bad);
  const double au = weight(metrics, "Au", {{'M', 0.45}, {'S', 0.56}, {'N', 0.704}}, bad);
  const double c = weight(metrics, "C", {{'N', 0}, {'P', 0.275}, {'C', 0.66}}, bad);
  const double i = weight(metrics, "I", {{'N', 0}, {'P', 0.275}, {'C', 0.66}}, bad);
  const double a = weight(metrics, "A", {{'N', 0}, {'P', 0.275}, {'C', 0.66}}, bad);
  if (bad) return std::nullopt;
  const double impact = 10.41 * (1 - (1 - c) * (1 - i) * (1 - a));
  const double exploitability = 20 * av * ac * au;
  const double factor = impact == 0 ? 0 : 1.176;
  return std::round((0.6 * impact + 0.4 * exploitability - 1.5) * factor * 10) / 10;
}

std::optional<double> cvss3_base(const Metrics& metrics) {
  bool bad = false;
  const bool changed = weight(metrics, "S", {{'U', 0}, {'C', 1}}, bad) == 1;
  const double av = weight(metrics, "AV", {{'N', 0.85}, {'A', 0.62}, {'L', 0.55}, {'P', 0.2}}, bad);
  const double ac = weight(metrics, "AC", {{'L', 0.77}, {'H', 0.44}}, bad);
  const double pr =
      weight(metrics, "PR", {{'N', 0.85}, {'L', changed ? 0.68 : 0.62}, {'H', changed ? 0.5 : 0.27}}, bad);
  const double ui = weight(metrics, "UI", {{'N', 0.85}, {'R', 0.62}}, bad);
  const double c = weight(metrics, "C", {{'H', 0.56}, {'L', 0.22}, {'N', 0}}, bad);
  const double i = weight(metrics, "I", {{'H', 0.56}, {'L', 0.22}, {'N', 0}}, bad);
  const double a = weight(metrics, "A", {{'H', 0.56}, {'L', 0.22}, {'N', 0}}, bad);
  if (bad) return std::nullopt;
  const double iss = 1 - (1 - c) * (1 - i) * (1 - a);
  const double impact = changed ? 7.52 * (iss - 0.029) - 3.25 * std::pow(iss - 0.02, 15) : 6.42 * iss;
  if (impact <= 0) return 0.0;
  const double exploitability = 8.22 * av * ac * pr * ui;
  return round_up(std::min(changed ? 1.08 * (impact + exploitability) : impact + exploitability, 10.0));
}

}  // namespace sampan::scan
