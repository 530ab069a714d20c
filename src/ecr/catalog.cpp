#include "ecr/catalog.h"

#include <algorithm>

#include "core/error.h"
#include "ecr/pull_through.h"
#include "ecr/storage_class.h"

namespace sampan::ecr {

Catalog::Catalog(Repositories& repositories, io::Executors& executors, std::vector<std::string> hosts)
    : repositories_(repositories), executors_(executors), hosts_(std::move(hosts)) {}

bool Catalog::owns(std::string_view host) const {
  if (host.empty() || std::find(hosts_.begin(), hosts_.end(), host) != hosts_.end()) return true;
  return parse_ecr_host(host).has_value();
}

namespace {

RepositoryId id_of(const image::Registry& registry, const image::Reference& reference) {
  RepositoryId id{registry.account, registry.region, reference.repository};
  if (const auto host = parse_ecr_host(reference.host)) {
    id.account = host->account;
    id.region = host->region;
  }
  return id;
}

}  // namespace

bool Catalog::may_change(const image::Registry& registry, const image::Reference& reference) const {
  if (!pull_through_ || reference.digest) return false;
  return pull_through_->is_due(id_of(registry, reference), reference.tag);
}

boost::asio::awaitable<void> Catalog::obtain(const image::Registry& registry,
                                             const image::Reference& reference,
                                             const image::Platform& platform) const {
  if (!pull_through_ || !owns(reference.host)) co_return;
  auto wanted = reference.digest ? reference.digest->str() : reference.tag;
  auto work = pull_through_->image(id_of(registry, reference), std::move(wanted), platform);
  std::string failed;
  try {
    co_await boost::asio::co_spawn(executors_.control(), std::move(work), boost::asio::use_awaitable);
  } catch (const UpstreamError& error) {
    failed = error.what();
  }
  if (!failed.empty()) throw core::Error("pull " + reference.str() + " through the cache", failed);
}

std::optional<image::Digest> Catalog::resolve(const image::Registry& registry,
                                              const image::Reference& reference) const {
  const auto id = id_of(registry, reference);
  const auto digest = reference.digest ? reference.digest : repositories_.find_tag(id, reference.tag);
  const auto* row = digest ? repositories_.find_image(id, *digest) : nullptr;
  if (!row || status_of(*row, repositories_.now()) != ImageStatus::kActive) return std::nullopt;
  return digest;
}

boost::asio::awaitable<void> Catalog::tag(const image::Registry& registry, const std::string& repository,
                                          const std::string& tag, const image::Digest& manifest) {
  RepositoryId id{registry.account, registry.region, repository};
  const auto tried = "name an image " + repository + ':' + tag;
  if (!valid_repository_name(repository)) throw core::Error(tried, "that is no name for a repository");
  if (!image::valid_tag(tag)) throw core::Error(tried, "that is no tag");
  auto work = repositories_.publish(std::move(id), tag, manifest);
  std::string refused;
  try {
    co_await boost::asio::co_spawn(executors_.control(), std::move(work), boost::asio::use_awaitable);
  } catch (const Refusal& refusal) {
    refused = refusal.what();
  }
  if (!refused.empty()) throw core::Error(tried, refused);
}

}  // namespace sampan::ecr
