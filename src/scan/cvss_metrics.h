// A CVSS vector taken apart. Private to the scores.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sampan::scan {

using Metrics = std::map<std::string, char, std::less<>>;  // each value by its first letter

std::optional<double> cvss2_base(const Metrics& metrics);
std::optional<double> cvss3_base(const Metrics& metrics);
std::optional<double> cvss4_score(const Metrics& metrics);

}  // namespace sampan::scan
