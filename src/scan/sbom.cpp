#include "scan/sbom.h"

#include <fmt/core.h>

#include <boost/json.hpp>
#include <set>

#include "core/encoding.h"
#include "core/version.h"

namespace sampan::scan {
namespace {

namespace json = boost::json;

// To the second: SPDX allows no fractions.
std::string stamp(core::TimePoint time) {
  return core::to_iso8601(time).substr(0, 19) + 'Z';
}

// A name-based UUID: the same content has the same one.
std::string uuid_of(const std::string& text) {
  const auto hex = core::sha256_hex(text);
  return fmt::format("{}-{}-5{}-8{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(13, 3),
                     hex.substr(17, 3), hex.substr(20, 12));
}

std::string subject_url(const SbomSubject& subject) {
  const auto slash = subject.name.rfind('/');
  return "pkg:oci/" + core::percent_encode(subject.name.substr(slash == std::string::npos ? 0 : slash + 1)) +
         '@' + core::percent_encode(subject.digest) + "?repository_url=" + core::percent_encode(subject.name);
}

json::object property(std::string_view name, std::string_view value) {
  return {{"name", name}, {"value", value}};
}

json::object component_of(const Package& package, const std::string& url, const std::string& reference) {
  json::object component{{"type", "library"},
                         {"bom-ref", reference},
                         {"name", package.name},
                         {"version", package.version},
                         {"purl", url}};
  json::array properties;
  if (!package.path.empty()) properties.push_back(property("sampan:path", package.path));
  if (!package.source_name.empty()) properties.push_back(property("sampan:source", package.source_name));
  if (!package.source_version.empty()) {
    properties.push_back(property("sampan:source-version", package.source_version));
  }
  if (!properties.empty()) component["properties"] = std::move(properties);
  return component;
}

}  // namespace

std::string render_cyclonedx(const Inventory& inventory, const SbomSubject& subject) {
  json::array components;
  if (!inventory.os.id.empty()) {
    components.push_back(json::object{{"type", "operating-system"},
                                      {"bom-ref", "os:" + inventory.os.id},
                                      {"name", inventory.os.id},
                                      {"version", inventory.os.version_id},
                                      {"description", inventory.os.pretty_name}});
  }
  std::set<std::string> used;
  for (const auto& package : inventory.packages) {
    const auto url = package_url(package, inventory.os);
    auto reference = url;  // the same package in two places: two references
    for (int i = 2; !used.insert(reference).second; ++i) reference = url + '#' + std::to_string(i);
    components.push_back(component_of(package, url, reference));
  }
  const json::object image{{"type", "container"},
                           {"bom-ref", subject_url(subject)},
                           {"name", subject.name},
                           {"version", subject.digest},
                           {"purl", subject_url(subject)}};
  const json::object tool{{"type", "application"}, {"name", "sampan"}, {"version", core::kVersion}};
  const json::object bom{{"$schema", "http://cyclonedx.org/schema/bom-1.5.schema.json"},
                         {"bomFormat", "CycloneDX"},
                         {"specVersion", "1.5"},
                         {"serialNumber", "urn:uuid:" + uuid_of(subject.name + '@' + subject.digest)},
                         {"version", 1},
                         {"metadata", json::object{{"timestamp", stamp(subject.made_at)},
                                                   {"tools", json::object{{"components", json::array{tool}}}},
                                                   {"component", image}}},
                         {"components", std::move(components)}};
  return json::serialize(bom) + '\n';
}

std::string render_spdx(const Inventory& inventory, const SbomSubject& subject) {
  const auto reference = [](std::string_view type, std::string_view locator) {
    return json::array{json::object{
        {"referenceCategory", "PACKAGE-MANAGER"}, {"referenceType", type}, {"referenceLocator", locator}}};
  };
  json::array packages, relations;
  packages.push_back(json::object{{"SPDXID", "SPDXRef-Image"},
                                  {"name", subject.name},
                                  {"versionInfo", subject.digest},
                                  {"downloadLocation", "NOASSERTION"},
                                  {"filesAnalyzed", false},
                                  {"primaryPackagePurpose", "CONTAINER"},
                                  {"externalRefs", reference("purl", subject_url(subject))}});
  relations.push_back(json::object{{"spdxElementId", "SPDXRef-DOCUMENT"},
                                   {"relationshipType", "DESCRIBES"},
                                   {"relatedSpdxElement", "SPDXRef-Image"}});
  std::size_t number = 0;
  for (const auto& package : inventory.packages) {
    const auto id = fmt::format("SPDXRef-Package-{}", ++number);
    json::object entry{{"SPDXID", id},
                       {"name", package.name},
                       {"versionInfo", package.version},
                       {"downloadLocation", "NOASSERTION"},
                       {"filesAnalyzed", false},
                       {"externalRefs", reference("purl", package_url(package, inventory.os))}};
    if (!package.path.empty()) entry["sourceInfo"] = "found in " + package.path;
    packages.push_back(std::move(entry));
    relations.push_back(json::object{
        {"spdxElementId", "SPDXRef-Image"}, {"relationshipType", "CONTAINS"}, {"relatedSpdxElement", id}});
  }
  const json::object document{
      {"spdxVersion", "SPDX-2.3"},
      {"dataLicense", "CC0-1.0"},
      {"SPDXID", "SPDXRef-DOCUMENT"},
      {"name", subject.name},
      {"documentNamespace", "urn:uuid:" + uuid_of("spdx " + subject.name + '@' + subject.digest)},
      {"creationInfo",
       json::object{{"created", stamp(subject.made_at)},
                    {"creators", json::array{std::string("Tool: sampan-") + core::kVersion}}}},
      {"packages", std::move(packages)},
      {"relationships", std::move(relations)}};
  return json::serialize(document) + '\n';
}

}  // namespace sampan::scan
