#include "image/image.h"

#include <fmt/core.h>

namespace sampan::image {
namespace {

constexpr int kDeepestIndex = 4;

// From an index to the image in it that runs on `platform`.
std::pair<Digest, Manifest> find_image(const ContentStore& content, Digest digest, const Platform& platform) {
  for (int depth = 0; depth < kDeepestIndex; ++depth) {
    auto manifest = parse_manifest(content.read(digest, kLargestManifest));
    if (!manifest.is_index()) return {std::move(digest), std::move(manifest)};
    const auto* chosen = choose_platform(manifest, platform);
    if (!chosen) {
      throw core::Error("read image " + digest.str(), "its index has no image for " + platform.str());
    }
    digest = Digest(chosen->digest);
  }
  throw core::Error("read image " + digest.str(), "its indexes are nested too deep");
}

}  // namespace

Image load_image(const ContentStore& content, const Digest& digest, const Platform& platform) {
  auto [found, manifest] = find_image(content, digest, platform);
  auto config = parse_config(content.read(manifest.config->digest, kLargestConfig));
  if (config.diff_ids.size() != manifest.layers.size()) {
    throw BadDocument("read image " + found.str(),
                      fmt::format("its manifest has {} layers, its configuration {}", manifest.layers.size(),
                                  config.diff_ids.size()));
  }
  Image image{found, manifest.config->digest, {}, std::move(config)};
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const auto& layer = manifest.layers[i];
    image.layers.push_back({layer.digest, layer.size, layer.media_type, image.config.diff_ids[i]});
  }
  return image;
}

Image store_image(ContentStore& content, ImageConfig config, std::vector<LayerDescriptor> layers,
                  io::Durability durability) {
  config.diff_ids.clear();
  Manifest manifest;
  manifest.media_type = kOciManifest;
  for (const auto& layer : layers) {
    config.diff_ids.push_back(layer.diff_id);
    manifest.layers.push_back({.media_type = layer.media_type, .digest = layer.digest, .size = layer.size});
  }
  const auto text = render_config(config);
  const auto config_digest = content.put(text, durability);
  manifest.config = Descriptor{.media_type = kOciConfig, .digest = config_digest, .size = text.size()};
  return {content.put(render_manifest(manifest), durability), config_digest, std::move(layers),
          std::move(config)};
}

}  // namespace sampan::image
