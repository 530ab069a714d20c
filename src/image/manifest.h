// Image manifests and indexes: OCI 1.1 and Docker schema 2 (version 1 is refused). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "image/json_fields.h"
#include "image/layer.h"
#include "image/reference.h"

namespace sampan::image {

inline constexpr char kOciManifest[] = "application/vnd.oci.image.manifest.v1+json";
inline constexpr char kOciIndex[] = "application/vnd.oci.image.index.v1+json";
inline constexpr char kOciConfig[] = "application/vnd.oci.image.config.v1+json";
inline constexpr char kDockerManifest[] = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr char kDockerList[] = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr char kDockerConfig[] = "application/vnd.docker.container.image.v1+json";

inline constexpr std::size_t kLargestManifest = 4 * 1024 * 1024;  // OCI distribution: "at least 4 megabytes"
inline constexpr std::size_t kLargestConfig = 8 * 1024 * 1024;
inline constexpr std::size_t kMostDescriptors = 2048;

struct Platform {
  std::string os = "linux";
  std::string architecture = "amd64";
  std::string variant;
  bool operator==(const Platform&) const = default;
  std::string str() const;  // "linux/arm64/v8"
};

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::vector<std::string> urls;
  std::string artifact_type;
  std::map<std::string, std::string> annotations;
  std::optional<Platform> platform;

  // A layer that its publisher forbids to be redistributed: it need not be in the registry.
  bool foreign() const;
};

struct Manifest {
  std::string media_type;
  std::optional<Descriptor> config;   // of an image
  std::vector<Descriptor> layers;     // of an image
  std::vector<Descriptor> manifests;  // of an index
  std::optional<Descriptor> subject;  // what this is about (a signature's image)
  std::string artifact_type;          // as written, or "" (see kind())
  std::map<std::string, std::string> annotations;

  bool is_index() const { return !config; }
  // OCI 1.1: the artifact type, or else the configuration's media type.
  std::string effective_artifact_type() const;
  std::uint64_t content_size() const;  // of configuration and layers
};

// Throws BadDocument: not JSON, wrong types, no digest where one belongs, beyond the limits above, or a
// `content_type` (the sender's, may be empty) that contradicts the document.
Manifest parse_manifest(std::string_view bytes, std::string_view content_type = {});
std::string render_manifest(const Manifest& manifest);

bool is_manifest_type(std::string_view media_type);
bool is_index_type(std::string_view media_type);

// The manifest of an index that runs on `platform`: same system and architecture; the same variant before
// none before others. Nothing when there is none.
const Descriptor* choose_platform(const Manifest& index, const Platform& platform);

}  // namespace sampan::image
