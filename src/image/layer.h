// What names a layer. A value.
#pragma once

#include <cstdint>
#include <string>

#include "image/reference.h"

namespace sampan::image {

inline constexpr char kLayerTar[] = "application/vnd.oci.image.layer.v1.tar";
inline constexpr char kLayerGzip[] = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr char kLayerZstd[] = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr char kDockerLayerGzip[] = "application/vnd.docker.image.rootfs.diff.tar.gzip";

struct LayerDescriptor {
  Digest digest;  // of the bytes in the content store, compressed or not
  std::uint64_t size = 0;
  std::string media_type;
  Digest diff_id;  // of the uncompressed tar: the configuration's rootfs.diff_ids
  bool operator==(const LayerDescriptor&) const = default;
};

}  // namespace sampan::image
