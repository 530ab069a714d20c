// Images to files, for `docker load`, skopeo and others. Blocking.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "image/content_store.h"

namespace sampan::image {

enum class ArchiveKind { kOci, kDocker };

// Writes a tar archive of the image (of an index: all of it for kOci, the linux/amd64 image for kDocker).
// `names`: "app:1.2". The file appears when it is whole.
void export_archive(const ContentStore& content, const Digest& manifest,
                    const std::vector<std::string>& names, ArchiveKind kind,
                    const std::filesystem::path& destination);

}  // namespace sampan::image
