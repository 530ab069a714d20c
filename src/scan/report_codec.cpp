// How findings are kept.
#include <boost/json.hpp>

#include "core/error.h"
#include "scan/compressed.h"
#include "scan/match.h"

namespace sampan::scan {
namespace {

namespace json = boost::json;

constexpr std::size_t kLargestReport = 1024 * 1024 * 1024;

json::value to_json(const Package& p) {
  return json::array{static_cast<int>(p.type), p.name,         p.version, p.source_name,
                     p.source_version,         p.architecture, p.path};
}

std::string text(const json::value& value) {
  return std::string(value.as_string());
}

Package to_package(const json::value& value) {
  const auto& row = value.as_array();
  return {static_cast<PackageType>(row.at(0).to_number<int>()),
          text(row.at(1)),
          text(row.at(2)),
          text(row.at(3)),
          text(row.at(4)),
          text(row.at(5)),
          text(row.at(6))};
}

json::value to_json(const Finding& f) {
  json::array packages, vectors;
  for (const auto& package : f.packages) packages.push_back(to_json(package));
  for (const auto& vector : f.advisory.vectors) vectors.emplace_back(vector.vector);
  return json::array{f.advisory.id,
                     f.advisory.name,
                     f.advisory.description,
                     f.advisory.published,
                     f.advisory.modified,
                     json::value_from(f.advisory.related),
                     json::value_from(f.advisory.references),
                     std::move(vectors),
                     static_cast<int>(f.severity),
                     std::move(packages),
                     f.package_name,
                     f.package_version,
                     f.fixed_in,
                     f.uri,
                     f.score,
                     f.vector};
}

Finding to_finding(const json::value& value) {
  const auto& row = value.as_array();
  Finding f;
  f.advisory = {text(row.at(0)),
                text(row.at(1)),
                text(row.at(2)),
                text(row.at(3)),
                text(row.at(4)),
                json::value_to<std::vector<std::string>>(row.at(5)),
                json::value_to<std::vector<std::string>>(row.at(6)),
                {}};
  for (const auto& vector : row.at(7).as_array()) {
    if (auto score = score_of(vector.as_string())) f.advisory.vectors.push_back({text(vector), *score});
  }
  f.severity = static_cast<Severity>(row.at(8).to_number<int>());
  for (const auto& package : row.at(9).as_array()) f.packages.push_back(to_package(package));
  f.package_name = text(row.at(10));
  f.package_version = text(row.at(11));
  f.fixed_in = text(row.at(12));
  f.uri = text(row.at(13));
  f.score = row.at(14).to_number<double>();
  f.vector = text(row.at(15));
  return f;
}

}  // namespace

std::string encode_report(const Report& report) {
  json::array findings;
  findings.reserve(report.findings.size());
  for (const auto& finding : report.findings) findings.push_back(to_json(finding));
  return compress(
      json::serialize(json::object{{"form", 1}, {"cut", report.cut}, {"findings", std::move(findings)}}));
}

Report decode_report(std::string_view bytes) try {
  const auto value = json::parse(decompress(bytes, kLargestReport));
  Report report;
  report.cut = value.at("cut").as_bool();
  for (const auto& item : value.at("findings").as_array()) {
    report.findings.push_back(to_finding(item));
    ++report.counts[report.findings.back().severity];
  }
  return report;
} catch (const std::exception& error) {
  throw core::Error("read kept findings", error.what());
}

}  // namespace sampan::scan
