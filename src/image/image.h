// An image that is whole in the content store, ready to be run or built upon. A value.
#pragma once

#include <vector>

#include "image/content_store.h"
#include "image/image_config.h"
#include "image/layer.h"

namespace sampan::image {

struct Image {
  Digest manifest;  // of the image itself, never of an index
  Digest config_digest;
  std::vector<LayerDescriptor> layers;  // bottom first
  ImageConfig config;
};

// Reads the image that `manifest` names; of an index, the one for `platform`. Throws core::Error when a blob
// is absent, BadDocument when manifest and configuration make no image. Blocking.
Image load_image(const ContentStore& content, const Digest& manifest, const Platform& platform = {});

// Stores the configuration (whose diff_ids are set from `layers`) and an OCI manifest over it. The layers are
// in the content store already. Blocking.
Image store_image(ContentStore& content, ImageConfig config, std::vector<LayerDescriptor> layers,
                  io::Durability durability = io::Durability::kFlushed);

}  // namespace sampan::image
