#include "ecr/scan_shapes.h"

#include <fmt/core.h>

#include "aws/time_text.h"
#include "core/encoding.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;
namespace {

constexpr std::size_t kLongestAttribute = 256;  // the model's

std::vector<api::ScanningRepositoryFilter> render_filters(const std::vector<std::string>& filters) {
  std::vector<api::ScanningRepositoryFilter> rendered;
  for (const auto& filter : filters) {
    auto& one = rendered.emplace_back();
    one.filter = filter;
    one.filterType = "WILDCARD";
  }
  return rendered;
}

void add_attribute(std::vector<api::Attribute>& attributes, const char* key, const std::string& value) {
  if (value.empty()) return;
  auto& attribute = attributes.emplace_back();
  attribute.key = key;
  attribute.value = value.substr(0, kLongestAttribute);
}

api::ImageScanFinding render_basic(const scan::Finding& finding) {
  api::ImageScanFinding out;
  out.name = finding.advisory.name;
  if (!finding.advisory.description.empty()) out.description = finding.advisory.description;
  out.uri = finding.uri;
  out.severity = std::string(scan::name_of(finding.severity));
  auto& attributes = out.attributes.emplace();
  add_attribute(attributes, "package_version", finding.package_version);
  add_attribute(attributes, "package_name", finding.package_name);
  add_attribute(attributes, "fixed_in_version", finding.fixed_in);
  for (const auto& vector : finding.advisory.vectors) {
    const auto& version = vector.score.version;
    const char major = version.front();
    add_attribute(attributes,
                  major == '2'   ? "CVSS2_VECTOR"
                  : major == '3' ? "CVSS3_VECTOR"
                                 : "CVSS4_VECTOR",
                  vector.vector);
    add_attribute(attributes,
                  major == '2'   ? "CVSS2_SCORE"
                  : major == '3' ? "CVSS3_SCORE"
                                 : "CVSS4_SCORE",
                  fmt::format("{:.1f}", vector.score.score));
  }
  return out;
}

// "1:2.3-4" in rpm's three parts, as Inspector shows versions.
void split_version(const scan::Package& package, api::VulnerablePackage& out) {
  std::string_view version = package.version;
  const bool system = package.type == scan::PackageType::kDpkg || package.type == scan::PackageType::kRpm;
  out.epoch = 0;
  if (system) {
    const auto colon = version.find(':');
    if (colon != version.npos && colon > 0 && colon < 9 && version.find_first_not_of("0123456789") == colon) {
      out.epoch = std::stoi(std::string(version.substr(0, colon)));
      version.remove_prefix(colon + 1);
    }
    if (const auto hyphen = version.rfind('-'); hyphen != version.npos) {
      out.release = std::string(version.substr(hyphen + 1));
      version = version.substr(0, hyphen);
    }
  }
  out.version = std::string(version);
}

api::VulnerablePackage render_package(const scan::Finding& finding, const scan::Package& package) {
  api::VulnerablePackage out;
  out.name = package.name;
  split_version(package, out);
  if (!package.architecture.empty()) out.arch = package.architecture;
  out.packageManager = std::string(scan::manager_of(package.type));
  if (*out.packageManager != "OS") out.filePath = package.path;
  out.fixedInVersion = finding.fixed_in.empty() ? "NotAvailable" : finding.fixed_in;
  return out;
}

std::optional<core::TimePoint> to_time(const std::string& text) {
  return aws::parse_iso8601(text);
}

api::PackageVulnerabilityDetails render_details(const scan::Finding& finding) {
  api::PackageVulnerabilityDetails out;
  const auto& advisory = finding.advisory;
  auto& scores = out.cvss.emplace();
  for (const auto& vector : advisory.vectors) {
    auto& score = scores.emplace_back();
    score.baseScore = vector.score.score;
    score.scoringVector = vector.vector;
    score.version = vector.score.version;
    score.source = "OSV";
  }
  out.referenceUrls = advisory.references;
  out.relatedVulnerabilities = advisory.related;
  out.source = "OSV";
  out.sourceUrl = finding.uri;
  out.vendorCreatedAt = to_time(advisory.published);
  out.vendorUpdatedAt = to_time(advisory.modified);
  out.vendorSeverity = std::string(scan::name_of(finding.severity));
  out.vulnerabilityId = advisory.name;
  auto& packages = out.vulnerablePackages.emplace();
  for (const auto& package : finding.packages) packages.push_back(render_package(finding, package));
  return out;
}

std::string image_arn(const ScannedImage& image) {
  return image.repository.arn() + '/' + image.digest.str();
}

api::Resource render_resource(const ScannedImage& image) {
  api::Resource out;
  out.id = image_arn(image);
  out.type = "AWS_ECR_CONTAINER_IMAGE";
  auto& details = out.details.emplace().awsEcrContainerImage.emplace();
  details.imageHash = image.digest.str();
  details.imageTags = image.image.tags;
  details.pushedAt = image.image.pushed_at;
  details.registry = image.repository.account;
  details.repositoryName = image.repository.name;
  return out;
}

api::EnhancedImageScanFinding render_enhanced(const ScannedImage& image, const scan::Finding& finding) {
  api::EnhancedImageScanFinding out;
  const auto& advisory = finding.advisory;
  out.awsAccountId = image.repository.account;
  if (!advisory.description.empty()) out.description = advisory.description;
  const auto identity =
      image_arn(image) + ' ' + advisory.name + ' ' + finding.package_name + ' ' + finding.package_version;
  out.findingArn = fmt::format("arn:aws:inspector2:{}:{}:finding/{}", image.repository.region,
                               image.repository.account, core::sha256_hex(identity).substr(0, 32));
  out.firstObservedAt = image.scan.first_at;
  out.lastObservedAt = image.scan.completed_at;
  out.updatedAt = image.scan.completed_at;
  out.packageVulnerabilityDetails = render_details(finding);
  auto& advice = out.remediation.emplace().recommendation.emplace();
  advice.text = finding.fixed_in.empty() ? "None Provided" : "Upgrade to " + finding.fixed_in;
  out.resources.emplace().push_back(render_resource(image));
  if (!finding.vector.empty()) {
    out.score = finding.score;
    auto& details = out.scoreDetails.emplace().cvss.emplace();
    details.score = finding.score;
    details.scoreSource = "OSV";
    details.scoringVector = finding.vector;
    for (const auto& vector : advisory.vectors) {
      if (vector.vector == finding.vector) details.version = vector.score.version;
    }
  }
  out.severity = finding.severity == scan::Severity::kUndefined
                     ? "UNTRIAGED"
                     : std::string(scan::name_of(finding.severity));
  out.status = "ACTIVE";
  out.title = fmt::format("{} - {}", advisory.name, finding.package_name);
  out.type = "PACKAGE_VULNERABILITY";
  out.fixAvailable = finding.fixed_in.empty() ? "NO" : "YES";
  return out;
}

}  // namespace

api::RegistryScanningConfiguration render_scan_rules(const ScanRulesRow& row) {
  api::RegistryScanningConfiguration out;
  out.scanType = row.enhanced ? "ENHANCED" : "BASIC";
  auto& rules = out.rules.emplace();
  for (const auto& rule : row.rules) {
    auto& one = rules.emplace_back();
    one.scanFrequency = rule.frequency;
    one.repositoryFilters = render_filters(rule.filters);
  }
  return out;
}

api::RepositoryScanningConfiguration render_scan_plan(const RepositoryId& id, const ScanPlan& plan) {
  api::RepositoryScanningConfiguration out;
  out.repositoryArn = id.arn();
  out.repositoryName = id.name;
  out.scanOnPush = plan.on_push();
  out.scanFrequency = plan.frequency;
  out.appliedScanFilters = render_filters(plan.filters);
  return out;
}

api::ImageScanStatus render_scan_status(const ScanView& view) {
  api::ImageScanStatus out;
  out.status = view.status;
  if (!view.description.empty()) out.description = view.description;
  return out;
}

api::ImageScanFindings render_findings(const ScannedImage& image, const scan::Report& report,
                                       aws::Page& page) {
  api::ImageScanFindings out;
  out.imageScanCompletedAt = image.scan.completed_at;
  out.vulnerabilitySourceUpdatedAt = image.scan.source_at;
  out.findingSeverityCounts.emplace();
  for (const auto& [severity, count] : image.scan.counts) (*out.findingSeverityCounts)[severity] = count;
  if (image.enhanced)
    out.enhancedFindings.emplace();
  else
    out.findings.emplace();
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    const auto key = fmt::format("{:08}", i);
    if (key <= page.after()) continue;
    if (!page.take(key)) break;
    if (image.enhanced)
      out.enhancedFindings->push_back(render_enhanced(image, report.findings[i]));
    else
      out.findings->push_back(render_basic(report.findings[i]));
  }
  return out;
}

void describe_scan(const Scans& scans, const RepositoryId& id, const image::Digest& digest,
                   api::ImageDetail& detail) {
  const auto* row = scans.find(id, digest);
  if (!row) return;
  const auto view = scans.view(id, *row);
  detail.imageScanStatus = render_scan_status(view);
  if (!view.has_findings) return;
  auto& summary = detail.imageScanFindingsSummary.emplace();
  summary.imageScanCompletedAt = row->completed_at;
  summary.vulnerabilitySourceUpdatedAt = row->source_at;
  summary.findingSeverityCounts.emplace();
  for (const auto& [severity, count] : row->counts) (*summary.findingSeverityCounts)[severity] = count;
}

}  // namespace sampan::ecr
