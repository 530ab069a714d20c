#include "ecr/signing.h"

#include <algorithm>

#include "core/text.h"

namespace sampan::ecr {
namespace {

bool is_for(const api::ecr::SigningRule& rule, std::string_view repository) {
  if (!rule.repositoryFilters || rule.repositoryFilters->empty()) return true;
  return std::any_of(rule.repositoryFilters->begin(), rule.repositoryFilters->end(),
                     [&](const auto& filter) { return core::wildcard_match(filter.filter, repository); });
}

}  // namespace

std::vector<std::string> signing_profiles(const SigningConfiguration& configuration,
                                          std::string_view repository) {
  std::vector<std::string> profiles;
  for (const auto& rule : configuration.rules) {
    const auto& profile = rule.signingProfileArn;
    if (!is_for(rule, repository) || std::find(profiles.begin(), profiles.end(), profile) != profiles.end())
      continue;
    profiles.push_back(profile);
  }
  return profiles;
}

const SigningConfiguration* Signing::find(const std::string& account, const std::string& region) const {
  return rows_.find(account + '/' + region);
}

io::Awaitable<void> Signing::put(std::string account, std::string region,
                                 SigningConfiguration configuration) {
  co_await store::transact(store_,
                           [&](store::Txn& tx) { tx.put(rows_, account + '/' + region, configuration); });
}

io::Awaitable<std::optional<SigningConfiguration>> Signing::remove(std::string account, std::string region) {
  co_return co_await store::transact(store_, [&](store::Txn& tx) {
    auto had = tx.get(rows_, account + '/' + region);
    if (had) tx.erase(rows_, account + '/' + region);
    return had;
  });
}

}  // namespace sampan::ecr
