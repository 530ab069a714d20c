// Manifests and indexes: what is read can be written, and read again as the same.
#include "image/manifest.h"

#include "core/fuzz_target.h"

namespace sampan::image {
namespace {

bool same(const Descriptor& a, const Descriptor& b) {
  return a.media_type == b.media_type && a.digest == b.digest && a.size == b.size && a.urls == b.urls &&
         a.artifact_type == b.artifact_type && a.annotations == b.annotations && a.platform == b.platform;
}

bool same(const std::vector<Descriptor>& a, const std::vector<Descriptor>& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) { return same(x, y); });
}

FUZZ_TARGET(manifest) {
  Manifest manifest;
  try {
    manifest = parse_manifest(input);
  } catch (const BadDocument&) {
    return;
  }
  FUZZ_CHECK(is_manifest_type(manifest.media_type) || is_index_type(manifest.media_type));
  manifest.content_size();
  const auto again = parse_manifest(render_manifest(manifest));
  FUZZ_CHECK(again.media_type == manifest.media_type);
  FUZZ_CHECK(again.config.has_value() == manifest.config.has_value());
  FUZZ_CHECK(!again.config || same(*again.config, *manifest.config));
  FUZZ_CHECK(same(again.layers, manifest.layers) && same(again.manifests, manifest.manifests));
  FUZZ_CHECK(again.annotations == manifest.annotations);
  choose_platform(manifest, Platform());
}

}  // namespace
}  // namespace sampan::image
