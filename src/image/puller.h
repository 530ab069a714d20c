// Gets images from wherever they are: this Sampan's repositories, the registry that a name says, Docker Hub;
// and sends them to other registries.
//
// Everything that arrives is checked against its digest while it streams into the content store; a layer that
// breaks off is taken up again where it broke. Concurrent pulls of one blob share the transfer.
// Call from any executor; the work runs on the network and blocking executors.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "image/blob_tier.h"
#include "image/catalog.h"
#include "image/image.h"
#include "image/layer_store.h"
#include "image/registry_session.h"
#include "io/executors.h"

namespace sampan::image {

// One step to tell the user: "pulling debian:bookworm from registry-1.docker.io", or bytes of one blob.
struct PullProgress {
  std::string what;
  std::optional<Digest> blob;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
};

struct PullOptions {
  Platform platform;
  std::optional<RegistryLogin> login;                 // for the registry that the reference names
  std::function<void(const PullProgress&)> progress;  // on any thread
};

class Images {
 public:
  // All must outlive this. `default_registry` is asked for names without a host.
  Images(io::Executors& executors, ContentStore& content, LayerStore& layers, const Catalog& catalog,
         RegistryNetwork& network, std::string default_registry = "registry-1.docker.io");
  ~Images();

  // Where blobs come from that are not in the content store; before the first call.
  void set_tier(BlobTier* tier);
  // While it lives, what these calls give stays in the stores. From before the first of them until what was
  // got is written down somewhere that collection looks at (a row, a task's record).
  Holds::Hold hold() const;

  // The image that `reference` names, seen from `registry`: first among this Sampan's own, then in the
  // registry the reference names, then in the default one. Throws core::Error that names all that was tried.
  io::Awaitable<Image> ensure(Registry registry, Reference reference, PullOptions options = {});
  // An image whose blobs are here.
  io::Awaitable<Image> load(Digest manifest, Platform platform = {});
  // Its layers' directories, bottom first; unpacks in parallel what is not unpacked.
  io::Awaitable<std::vector<std::filesystem::path>> ensure_unpacked(Image image);
  // Unpacks the image's layers in the background, one image after the other, when it runs on this machine:
  // what was pushed starts at once. A failure is only logged: whoever runs the image meets it again. Returns
  // at once.
  void place_later(Digest manifest);
  // Sends the manifest (or index) `manifest` and all it names to another registry under `target`.
  io::Awaitable<void> push(Digest manifest, Reference target, PullOptions options = {});

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with the background unpacking
};

}  // namespace sampan::image
