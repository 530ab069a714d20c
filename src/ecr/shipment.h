// What one replication sends: an image with everything that belongs to it. Read from the tables at one
// moment, so on the control strand; the result is a value for any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ecr/repositories.h"

namespace sampan::ecr {

inline constexpr std::size_t kMostManifests = 4096;  // of one shipment

struct Shipment {
  struct Item {
    image::Digest digest;
    std::string media_type;
    std::vector<image::Digest> blobs;
  };
  std::vector<Item> items;        // what others name comes before them
  std::size_t image = 0;          // which of them is the image that was pushed
  std::vector<std::string> tags;  // that it is to have
};

// The image, its children if it is an index, and what refers to any of these (signatures travel with their
// image). Of `tags` those that still name it. Nothing when the image is gone.
std::optional<Shipment> plan_shipment(const Repositories& repositories, const RepositoryId& id,
                                      const image::Digest& image, const std::vector<std::string>& tags);

}  // namespace sampan::ecr
