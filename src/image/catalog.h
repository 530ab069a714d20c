// Which image a repository's tag names, as the builder, the puller and the node need it. The ecr folder
// owns repositories and implements this; image/, build/ and node/ only know the seam.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "image/manifest.h"
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
  // Brings the image here first when it comes from elsewhere by a rule of the registry (a pull-through
  // cache): all that its platform's image needs, as new as the rule wants it. Does nothing for all other
  // images, nor when what is here will do. Throws core::Error when it is not here and cannot be had. From any
  // executor.
  virtual boost::asio::awaitable<void> obtain(const Registry&, const Reference&, const Platform&) const {
    co_return;
  }
  // obtain() would ask elsewhere: what resolve() gives now may not be what is run. On the control strand.
  virtual bool may_change(const Registry&, const Reference&) const { return false; }
  // Makes `tag` of `repository` name `manifest`, whose blobs and itself are in the content store already;
  // the repository is made when it is absent. Durable when it returns. From any executor.
  virtual boost::asio::awaitable<void> tag(const Registry& registry, const std::string& repository,
                                           const std::string& tag, const Digest& manifest) = 0;
};

}  // namespace sampan::image
