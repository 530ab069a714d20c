// Which image a repository's tag names, as the builder, the puller and the node need it. The ecr folder
// owns repositories and implements this; image/, build/ and node/ only know the seam.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "image/reference.h"

namespace sampan::image {

// Whose registry: an account in a region.
struct Registry {
  std::string account;
  std::string region;
};

class Catalog {
 public:
  virtual ~Catalog() = default;
  // True for the host names under which this Sampan's registry is reached, and for "" (no host written).
  virtual bool owns(std::string_view host) const = 0;
  // The manifest (or index) that `reference` names in `registry`; nothing when there is none.
  // On the control strand.
  virtual std::optional<Digest> resolve(const Registry& registry, const Reference& reference) const = 0;
  // Makes `tag` of `repository` name `manifest`, whose blobs and itself are in the content store already;
  // the repository is made when it is absent. Durable when it returns. From any executor.
  virtual boost::asio::awaitable<void> tag(const Registry& registry, const std::string& repository,
                                           const std::string& tag, const Digest& manifest) = 0;
};

}  // namespace sampan::image
