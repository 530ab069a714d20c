// image scan, image sbom: what an image consists of, and what is known to be wrong with it.
#include <fmt/core.h>

#include <boost/json.hpp>
#include <chrono>
#include <thread>

#include "api/ecr.h"
#include "aws/fault.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/encoding.h"
#include "core/error.h"
#include "core/text.h"

namespace sampan::cli {
namespace {

namespace ecr = api::ecr;
namespace json = boost::json;

constexpr std::chrono::minutes kLongestWait{15};
constexpr std::string_view kSeverities[]{"CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED"};

struct Named {
  std::string repository;
  ecr::ImageIdentifier image;
};

// "localhost:4566/team/app:1", "team/app", "team/app@sha256:…"
Named parse_name(const Session& session, std::string name) {
  if (const auto host = session.registry_host() + "/"; name.starts_with(host))
    name = name.substr(host.size());
  Named named;
  if (const auto at = name.find('@'); at != std::string::npos) {
    named.image.imageDigest = name.substr(at + 1);
    named.repository = name.substr(0, at);
    return named;
  }
  const auto colon = name.rfind(':');
  named.image.imageTag = colon == std::string::npos ? "latest" : name.substr(colon + 1);
  named.repository = name.substr(0, colon);
  return named;
}

// Of an index: the image for Linux on this machine's kind of processor, else its first.
std::string choose_image(const json::value& index) {
#if defined(__aarch64__)
  constexpr std::string_view kArchitecture = "arm64";
#else
  constexpr std::string_view kArchitecture = "amd64";
#endif
  std::string chosen;
  for (const auto& item : index.at("manifests").as_array()) {
    const auto& entry = item.as_object();
    const auto digest = std::string(entry.at("digest").as_string());
    if (chosen.empty()) chosen = digest;
    const auto* platform = entry.if_contains("platform");
    if (platform && platform->at("os").as_string() == "linux" &&
        platform->at("architecture").as_string() == kArchitecture)
      return digest;
  }
  if (chosen.empty()) throw core::Error("the index names no image");
  return chosen;
}

void resolve_index(Session& session, Named& named) {
  ecr::BatchGetImageRequest ask;
  ask.repositoryName = named.repository;
  ask.imageIds = {named.image};
  const auto answer = session.call<ecr::ops::BatchGetImage>(ask);
  for (const auto& failure : answer.failures.value_or(std::vector<ecr::ImageFailure>())) {
    throw core::Error(named.repository + ": " + failure.failureReason.value_or("the image cannot be had"));
  }
  const auto images = answer.images.value_or(std::vector<ecr::Image>());
  if (images.empty()) throw core::Error(named.repository + ": there is no such image");
  const auto manifest = json::parse(images[0].imageManifest.value_or("{}"));
  if (!manifest.as_object().contains("manifests")) return;
  named.image = {};
  named.image.imageDigest = choose_image(manifest);
}

using Answer = ecr::DescribeImageScanFindingsResponse;

std::string status_of(const Answer& answer) {
  return answer.imageScanStatus ? answer.imageScanStatus->status.value_or("") : "";
}

// The first page, of a scan that has ended; starts one where there is none, or the last one failed.
Answer await_scan(Session& session, const Named& named, bool again) {
  ecr::DescribeImageScanFindingsRequest ask;
  ask.repositoryName = named.repository;
  ask.imageId = named.image;
  ask.maxResults = 1000;
  const auto start = [&] {
    ecr::StartImageScanRequest request;
    request.repositoryName = named.repository;
    request.imageId = named.image;
    session.call<ecr::ops::StartImageScan>(request);
  };
  // What failed within the last 24 hours is not scanned again: then its failure is the answer.
  const auto try_start = [&] {
    try {
      start();
      return true;
    } catch (const aws::Fault& fault) {
      if (fault.code() != "LimitExceededException") throw;
      return false;
    }
  };
  bool started = again;
  if (again) start();
  Progress progress(session.interactive());
  const bool shown = session.interactive() && !session.json();  // what is printed may be read by a program
  if (shown) progress.begin("Scan of " + named.repository);
  const auto deadline = std::chrono::steady_clock::now() + kLongestWait;
  while (std::chrono::steady_clock::now() < deadline) {
    try {
      auto answer = session.call<ecr::ops::DescribeImageScanFindings>(ask);
      const auto status = status_of(answer);
      if (status == "FAILED" && !started && try_start()) {
        started = true;
      } else if (status != "IN_PROGRESS" && status != "PENDING") {
        if (shown) progress.done();
        return answer;
      }
    } catch (const aws::Fault& fault) {
      if (fault.code() != "ScanNotFoundException" || started) throw;
      started = true;
      start();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
  throw core::Error("the scan has not ended within 15 minutes");
}

struct Line {
  std::string severity, name, package, version, fixed, uri;
};

std::string attribute(const ecr::ImageScanFinding& finding, std::string_view key) {
  for (const auto& one : finding.attributes.value_or(std::vector<ecr::Attribute>())) {
    if (one.key == key) return one.value.value_or("");
  }
  return "";
}

void add_lines(const ecr::ImageScanFindings& found, std::vector<Line>& lines) {
  for (const auto& one : found.findings.value_or(std::vector<ecr::ImageScanFinding>())) {
    lines.push_back({one.severity.value_or(""), one.name.value_or(""), attribute(one, "package_name"),
                     attribute(one, "package_version"), attribute(one, "fixed_in_version"),
                     one.uri.value_or("")});
  }
  for (const auto& one : found.enhancedFindings.value_or(std::vector<ecr::EnhancedImageScanFinding>())) {
    const auto details = one.packageVulnerabilityDetails.value_or(ecr::PackageVulnerabilityDetails());
    Line line{one.severity.value_or(""),     details.vulnerabilityId.value_or(""), "", "", "",
              details.sourceUrl.value_or("")};
    if (line.severity == "UNTRIAGED") line.severity = "UNDEFINED";
    if (details.vulnerablePackages && !details.vulnerablePackages->empty()) {
      const auto& package = details.vulnerablePackages->front();
      line.package = package.name.value_or("");
      line.version = package.version.value_or("") + (package.release ? '-' + *package.release : "");
      line.fixed = package.fixedInVersion.value_or("");
      if (line.fixed == "NotAvailable") line.fixed.clear();
    }
    lines.push_back(std::move(line));
  }
}

std::vector<Line> all_lines(Session& session, const Named& named, Answer page) {
  std::vector<Line> lines;
  while (true) {
    if (page.imageScanFindings) add_lines(*page.imageScanFindings, lines);
    if (!page.nextToken) return lines;
    ecr::DescribeImageScanFindingsRequest ask;
    ask.repositoryName = named.repository;
    ask.imageId = named.image;
    ask.maxResults = 1000;
    ask.nextToken = page.nextToken;
    page = session.call<ecr::ops::DescribeImageScanFindings>(ask);
  }
}

int rank(std::string_view severity) {
  for (std::size_t i = 0; i < std::size(kSeverities); ++i) {
    if (kSeverities[i] == severity) return static_cast<int>(i);
  }
  return static_cast<int>(std::size(kSeverities));
}

void print_json(const Named& named, const Answer& answer, const std::vector<Line>& lines) {
  json::array findings;
  for (const auto& line : lines) {
    findings.push_back(json::object{{"severity", line.severity},
                                    {"name", line.name},
                                    {"package", line.package},
                                    {"version", line.version},
                                    {"fixedIn", line.fixed},
                                    {"uri", line.uri}});
  }
  json::object counts;
  for (const auto severity : kSeverities) {
    const auto count = std::count_if(lines.begin(), lines.end(),
                                     [&](const Line& line) { return line.severity == severity; });
    if (count > 0) counts[severity] = count;
  }
  const auto image = answer.imageId.value_or(ecr::ImageIdentifier());
  fmt::print("{}\n", json::serialize(json::object{{"repository", named.repository},
                                                  {"digest", image.imageDigest.value_or("")},
                                                  {"status", status_of(answer)},
                                                  {"counts", counts},
                                                  {"findings", findings}}));
}

void print_table(const std::vector<Line>& lines) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& line : lines) {
    rows.push_back(
        {line.severity, line.name, line.package, line.version, line.fixed.empty() ? "-" : line.fixed});
  }
  if (!rows.empty())
    fmt::print("{}", render_table({"SEVERITY", "NAME", "PACKAGE", "VERSION", "FIXED IN"}, rows));
  std::string summary;
  for (const auto severity : kSeverities) {
    const auto count = std::count_if(lines.begin(), lines.end(),
                                     [&](const Line& line) { return line.severity == severity; });
    if (count > 0)
      summary += fmt::format("{}{} {}", summary.empty() ? "" : ", ", count, core::to_lower(severity));
  }
  fmt::print("{} findings{}\n", lines.size(), summary.empty() ? "" : ": " + summary);
}

struct ScanFlags {
  std::string name;
  std::string fail_on;
  bool ignore_unfixed = false;
  bool again = false;
};

void scan(Session& session, const ScanFlags& flags) {
  auto named = parse_name(session, flags.name);
  resolve_index(session, named);
  const auto answer = await_scan(session, named, flags.again);
  const auto status = status_of(answer);
  if (status != "COMPLETE" && status != "ACTIVE") {
    throw core::Error(flags.name + ": " + status + ": " + answer.imageScanStatus->description.value_or(""));
  }
  auto lines = all_lines(session, named, answer);
  if (flags.ignore_unfixed) std::erase_if(lines, [](const Line& line) { return line.fixed.empty(); });
  if (session.json())
    print_json(named, answer, lines);
  else
    print_table(lines);
  if (flags.fail_on.empty()) return;
  const int worst = rank(flags.fail_on);
  const auto count = std::count_if(lines.begin(), lines.end(),
                                   [&](const Line& line) { return rank(line.severity) <= worst; });
  if (count > 0) {
    throw core::Error(
        fmt::format("{}: {} findings are {} or worse", flags.name, count, core::to_lower(flags.fail_on)));
  }
}

void sbom(Session& session, const std::string& name, const std::string& format) {
  auto named = parse_name(session, name);
  resolve_index(session, named);
  auto target = "/sampan/v1/inventory?repository=" +
                core::percent_encode(session.registry_host() + '/' + named.repository) + "&format=" + format;
  if (named.image.imageDigest)
    target += "&digest=" + core::percent_encode(*named.image.imageDigest);
  else
    target += "&tag=" + core::percent_encode(*named.image.imageTag);
  const auto answer = session.request("GET", target, "", kLongestWait);
  if (answer.status != 200) throw core::Error(name + ": " + std::string(core::trim(answer.body)));
  fmt::print("{}", answer.body);
}

}  // namespace

void add_image_scan(CLI::App& image, Session& session) {
  auto flags = std::make_shared<ScanFlags>();
  auto* command = image.add_subcommand("scan", "What is known to be wrong with an image's packages");
  command->add_option("NAME", flags->name, "NAME[:TAG] or NAME@DIGEST")->required();
  command->add_option("--fail-on", flags->fail_on, "Exit 1 when there is a finding as bad as this")
      ->transform(CLI::CheckedTransformer(std::map<std::string, std::string>{{"critical", "CRITICAL"},
                                                                             {"high", "HIGH"},
                                                                             {"medium", "MEDIUM"},
                                                                             {"low", "LOW"},
                                                                             {"any", "UNDEFINED"}},
                                          CLI::ignore_case));
  command->add_flag("--ignore-unfixed", flags->ignore_unfixed, "Leave out what no version mends yet");
  command->add_flag("--again", flags->again, "Scan anew (once in 24 hours)");
  command->callback([flags, &session] { scan(session, *flags); });
  command->fallthrough();
}

void add_image_sbom(CLI::App& image, Session& session) {
  auto name = std::make_shared<std::string>();
  auto format = std::make_shared<std::string>("cyclonedx");
  auto* command = image.add_subcommand("sbom", "The image's bill of materials, as JSON");
  command->add_option("NAME", *name, "NAME[:TAG] or NAME@DIGEST")->required();
  command->add_option("--format", *format, "cyclonedx or spdx")
      ->check(CLI::IsMember({"cyclonedx", "spdx"}))
      ->capture_default_str();
  command->callback([name, format, &session] { sbom(session, *name, *format); });
  command->fallthrough();
}

}  // namespace sampan::cli
