// The packages of an image, read from its layers in the content store. Nothing is unpacked to the disk, and
// memory does not depend on the layers' size: every layer is streamed once and only the files that tell of
// packages are held, one at a time.
//
// Layers are hostile: the limits below hold for all of them together, a path cannot leave the root because
// nothing is ever opened by it, and a file that does not read as it should is a note in the inventory.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "image/bytes.h"
#include "image/content_store.h"
#include "image/manifest.h"
#include "scan/image_files.h"

namespace sampan::scan {

struct ReadLimits {
  std::uint64_t bytes = 64ull << 30;  // uncompressed, of all layers
  std::uint64_t entries = 4'000'000;
  std::size_t memory = 256 * 1024 * 1024;  // of what is held of packages
  std::size_t notes = 50;
};

// The work was given up because the daemon ends.
class Stopped : public core::Error {
 public:
  Stopped() : core::Error("the scan was stopped") {}
};

// Throws core::Error: a layer is absent, damaged or beyond the limits; Stopped. Blocking.
Inventory read_image(const image::ContentStore& content, const image::Manifest& manifest,
                     const ReadLimits& limits = {}, std::stop_token stop = {});

// The layers by themselves, bottom first, each (compressed) opened when its turn comes. For tests and files.
using OpenLayer = std::function<std::unique_ptr<image::ByteSource>(std::size_t index)>;
Inventory read_layers(std::size_t count, const OpenLayer& open, const ReadLimits& limits = {},
                      std::stop_token stop = {});

}  // namespace sampan::scan
