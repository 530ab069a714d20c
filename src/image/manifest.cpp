#include "image/manifest.h"

#include <fmt/core.h>

namespace sampan::image {
namespace json = boost::json;
namespace {

Digest parse_digest(const JsonFields& fields) {
  const auto text = fields.text("digest");
  auto digest = Digest::parse(text);
  if (!digest) fields.fail(fmt::format("'{}' is no digest: sha256 and sha512 are known", text.substr(0, 100)));
  return *digest;
}

Platform parse_platform(const JsonFields& fields) {
  Platform platform;
  platform.os = fields.text("os");
  platform.architecture = fields.text("architecture");
  platform.variant = fields.text("variant");
  return platform;
}

Descriptor parse_descriptor(const JsonFields& fields) {
  Descriptor descriptor{.media_type = fields.text("mediaType"), .digest = parse_digest(fields)};
  const auto size = fields.integer("size");
  if (!size || *size < 0) fields.fail("it has no size");
  descriptor.size = static_cast<std::uint64_t>(*size);
  descriptor.urls = fields.texts("urls");
  descriptor.artifact_type = fields.text("artifactType");
  descriptor.annotations = fields.text_map("annotations");
  if (const auto platform = fields.object("platform")) descriptor.platform = parse_platform(*platform);
  return descriptor;
}

std::vector<Descriptor> parse_descriptors(const JsonFields& fields, std::string_view name) {
  std::vector<Descriptor> descriptors;
  for (const auto& item : fields.objects(name, kMostDescriptors))
    descriptors.push_back(parse_descriptor(item));
  return descriptors;
}

std::string without_parameters(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (!content_type.empty() && content_type.back() == ' ') content_type.remove_suffix(1);
  return std::string(content_type);
}

// The document's own word, else the sender's, else what its members say.
std::string decide_media_type(const JsonFields& fields, std::string_view content_type) {
  const auto told = without_parameters(content_type);
  auto written = fields.text("mediaType");
  if (!written.empty() && is_manifest_type(told) && told != written) {
    fields.fail(fmt::format("its mediaType is {}, but it was sent as {}", written, told));
  }
  if (written.empty()) {
    written = is_manifest_type(told) ? told : fields.has("manifests") ? kOciIndex : kOciManifest;
  }
  if (!is_manifest_type(written)) fields.fail(fmt::format("its mediaType {} is not supported", written));
  return written;
}

json::object render_descriptor(const Descriptor& descriptor) {
  json::object object{
      {"mediaType", descriptor.media_type}, {"digest", descriptor.digest.str()}, {"size", descriptor.size}};
  if (!descriptor.urls.empty()) object["urls"] = json::value_from(descriptor.urls);
  if (!descriptor.artifact_type.empty()) object["artifactType"] = descriptor.artifact_type;
  if (!descriptor.annotations.empty()) object["annotations"] = json::value_from(descriptor.annotations);
  if (descriptor.platform) {
    json::object platform{{"architecture", descriptor.platform->architecture},
                          {"os", descriptor.platform->os}};
    if (!descriptor.platform->variant.empty()) platform["variant"] = descriptor.platform->variant;
    object["platform"] = std::move(platform);
  }
  return object;
}

json::array render_descriptors(const std::vector<Descriptor>& descriptors) {
  json::array array;
  for (const auto& descriptor : descriptors) array.push_back(render_descriptor(descriptor));
  return array;
}

// Lower is better; nothing when it cannot run there.
std::optional<int> distance(const Platform& offered, const Platform& wanted) {
  if (offered.os != wanted.os || offered.architecture != wanted.architecture) return std::nullopt;
  if (offered.variant == wanted.variant) return 0;
  return offered.variant.empty() ? 1 : 2;
}

}  // namespace

std::string Platform::str() const {
  return variant.empty() ? os + '/' + architecture : os + '/' + architecture + '/' + variant;
}

bool Descriptor::foreign() const {
  return media_type.find("nondistributable") != std::string::npos ||
         media_type.find("rootfs.foreign") != std::string::npos;
}

std::string Manifest::effective_artifact_type() const {
  if (!artifact_type.empty() || !config) return artifact_type;
  return config->media_type;
}

std::uint64_t Manifest::content_size() const {
  std::uint64_t total = config ? config->size : 0;
  for (const auto& layer : layers) total += layer.size;
  return total;
}

bool is_index_type(std::string_view media_type) {
  return media_type == kOciIndex || media_type == kDockerList;
}

bool is_manifest_type(std::string_view media_type) {
  return media_type == kOciManifest || media_type == kDockerManifest || is_index_type(media_type);
}

Manifest parse_manifest(std::string_view bytes, std::string_view content_type) {
  const auto document = parse_json_object(bytes, kLargestManifest, "manifest");
  const JsonFields fields(document.get_object(), "manifest");
  if (fields.integer("schemaVersion") != 2) fields.fail("its schemaVersion is not 2");
  Manifest manifest;
  manifest.media_type = decide_media_type(fields, content_type);
  manifest.artifact_type = fields.text("artifactType");
  manifest.annotations = fields.text_map("annotations");
  if (const auto subject = fields.object("subject")) manifest.subject = parse_descriptor(*subject);
  if (is_index_type(manifest.media_type)) {
    // A document that is both could be read differently by two readers (CVE-2021-41190).
    if (fields.has("config") || fields.has("layers")) fields.fail("it is an index and has layers");
    if (!fields.has("manifests")) fields.fail("it has no manifests");
    manifest.manifests = parse_descriptors(fields, "manifests");
    return manifest;
  }
  if (fields.has("manifests")) fields.fail("it is an image and has manifests");
  const auto config = fields.object("config");
  if (!config) fields.fail("it has no config");
  manifest.config = parse_descriptor(*config);
  if (!fields.has("layers")) fields.fail("it has no layers");
  manifest.layers = parse_descriptors(fields, "layers");
  return manifest;
}

std::string render_manifest(const Manifest& manifest) {
  json::object object{{"schemaVersion", 2}, {"mediaType", manifest.media_type}};
  if (!manifest.artifact_type.empty()) object["artifactType"] = manifest.artifact_type;
  if (manifest.config) {
    object["config"] = render_descriptor(*manifest.config);
    object["layers"] = render_descriptors(manifest.layers);
  } else {
    object["manifests"] = render_descriptors(manifest.manifests);
  }
  if (manifest.subject) object["subject"] = render_descriptor(*manifest.subject);
  if (!manifest.annotations.empty()) object["annotations"] = json::value_from(manifest.annotations);
  return json::serialize(object);
}

const Descriptor* choose_platform(const Manifest& index, const Platform& platform) {
  const Descriptor* best = nullptr;
  int best_distance = 0;
  for (const auto& candidate : index.manifests) {
    // One without a platform says nothing against it: images of one platform are often indexed so.
    const auto away = candidate.platform ? distance(*candidate.platform, platform) : std::optional(3);
    if (away && (!best || *away < best_distance)) {
      best = &candidate;
      best_distance = *away;
    }
  }
  return best;
}

}  // namespace sampan::image
