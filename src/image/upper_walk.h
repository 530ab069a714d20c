// Reads an overlayfs upper directory as the list of entries of the layer it stands for. Blocking.
#pragma once

#include <filesystem>
#include <vector>

#include "image/layer_writer.h"

namespace sampan::image {

// Sorted as write_layer wants them. Symbolic links are never followed.
std::vector<LayerEntry> read_upper(const std::filesystem::path& upper);

}  // namespace sampan::image
