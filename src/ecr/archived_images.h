// Which layers only archived images of a repository need: they cannot be fetched until one is restored.
// Kept from the images' rows; costs nothing for repositories without archived images. On the control strand.
#pragma once

#include <map>
#include <set>
#include <string>

#include "ecr/repositories.h"

namespace sampan::ecr {

class ArchivedImages {
 public:
  ArchivedImages(Repositories& repositories, core::Clock& clock);
  bool hides(const RepositoryId& repository, const image::Digest& blob) const;

 private:
  void change(const std::string& key, const ImageRow* row);

  Repositories& repositories_;
  core::Clock& clock_;
  std::map<std::string, std::set<std::string>, std::less<>> ever_archived_;  // repository key -> image keys
};

}  // namespace sampan::ecr
