// Reads all images' rows for ImageIndex::load(). Part of image_index.cpp.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ecr/digest_pool.h"
#include "ecr/rows.h"
#include "ecr/tag_map.h"
#include "store/packed_table.h"

namespace sampan::ecr {

struct LoadedImages {
  struct Repository {
    std::string name;
    TagMap tags;
    std::size_t images = 0;
  };
  // An image with children or a subject: few have any.
  struct Relation {
    std::string repository;
    std::string of;  // raw digests
    std::string self;
    bool is_subject = false;
  };
  std::vector<Repository> repositories;
  std::vector<Relation> relations;
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> needed;
};

// Holds each image's digest in `pool` once. Throws core::Error that names the row which cannot be read.
LoadedImages load_images(const store::PackedTable<ImageRow>& images, DigestPool& pool);

// One number for a blob in a repository.
std::uint64_t need_number(std::string_view repository, std::string_view raw_digest);

}  // namespace sampan::ecr
