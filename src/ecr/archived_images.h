// Which layers only archived images of a repository need: they cannot be fetched until one is restored.
// A repository is looked through when it is first asked about, and followed from then on. On the control strand.
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
  using Keys = std::set<std::string>;  // of images that were archived once
  const Keys& keys_of(const std::string& repository) const;
  void change(const std::string& key, const std::string* row);

  Repositories& repositories_;
  core::Clock& clock_;
  mutable std::map<std::string, Keys, std::less<>> known_;  // by repository
};

}  // namespace sampan::ecr
