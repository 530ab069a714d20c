// A base image from the distribution's own packages, where no public registry can be reached:
// `sampan image bootstrap debian:bookworm` runs mmdebstrap with this machine's own apt sources and proxy, and
// makes one layer of what it writes. The image keeps the sources, keys and apt settings that were used, so
// that `apt-get install` works in builds upon it.
#pragma once

#include <functional>
#include <string>

#include "image/catalog.h"
#include "image/content_store.h"
#include "image/image.h"
#include "image/layer_store.h"
#include "io/executors.h"

namespace sampan::build {

class Bootstrap {
 public:
  Bootstrap(io::Executors& executors, image::ContentStore& content, image::LayerStore& layers,
            image::Catalog& catalog);

  // `name` is "debian:SUITE" (or "debian:SUITE-slim", the same packages). `progress` gets mmdebstrap's own
  // lines, on any thread. Throws core::Error: mmdebstrap missing, an unknown suite, its last words.
  io::Awaitable<image::Image> run(image::Registry registry, std::string name,
                                  std::function<void(std::string_view)> progress);

 private:
  io::Executors& executors_;
  image::ContentStore& content_;
  image::LayerStore& layers_;
  image::Catalog& catalog_;
};

}  // namespace sampan::build
