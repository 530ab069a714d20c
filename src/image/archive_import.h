// Images from files: `docker save` archives, OCI archives and OCI layout directories, and root file systems.
// Blocking.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "image/content_store.h"
#include "image/image.h"
#include "image/layer_writer.h"

namespace sampan::image {

struct ImportedImage {
  Digest manifest;                 // of an image or an index
  std::vector<std::string> names;  // as the archive has them: "debian:bookworm", "latest", or none
};

// Everything the archive's list of images names is then in the content store, each blob checked against its
// digest. `source`: a tar archive (plain, gzip, zstd) or a directory. Throws core::Error naming what is
// wrong. Nothing is ever written under a name that the archive gives.
std::vector<ImportedImage> import_archive(const std::filesystem::path& source, ContentStore& content);

// One layer from a tar of a whole root file system (plain, gzip or zstd), and an image over it.
Image import_root(const std::filesystem::path& tar, ContentStore& content, ImageConfig config);

}  // namespace sampan::image
