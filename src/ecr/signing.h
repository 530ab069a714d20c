// The signing configuration of a registry: which pushed images are to be signed, by which profile.
//
// Kept and matched, never carried out: there is no AWS Signer here, and a signature that nobody can verify
// would be worse than none. What a matching image's status says is therefore always that it could not be
// signed, and why. Clients sign by themselves (notation, cosign): their signatures are referrers of the
// image.
//   /ecr/signing/<account>/<region>   the configuration
// On the control strand.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/ecr.h"
#include "aws/row_codec.h"
#include "ecr/names.h"
#include "io/executors.h"
#include "store/table.h"

namespace sampan::ecr {

using SigningConfiguration = api::ecr::SigningConfiguration;

// Profiles of the rules that a repository of this name matches, each once. A rule without filters is for all.
// Pure.
std::vector<std::string> signing_profiles(const SigningConfiguration& configuration,
                                          std::string_view repository);

class Signing {
 public:
  explicit Signing(store::Store& store) : store_(store), rows_(store, "/ecr/signing/") {}
  const SigningConfiguration* find(const std::string& account, const std::string& region) const;
  io::Awaitable<void> put(std::string account, std::string region, SigningConfiguration configuration);
  io::Awaitable<std::optional<SigningConfiguration>> remove(std::string account, std::string region);

 private:
  store::Store& store_;
  store::Table<SigningConfiguration> rows_;
};

}  // namespace sampan::ecr
