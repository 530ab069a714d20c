#include "ecr/peer_sender.h"

#include <fmt/core.h>

#include "api/ecr.h"
#include "aws/client.h"
#include "core/encoding.h"
#include "core/error.h"
#include "ecr/replication_failure.h"

namespace sampan::ecr {
namespace ops = sampan::api::ecr::ops;
namespace {

image::RegistryAddress address_of(const std::string& endpoint) {
  if (auto address = image::RegistryAddress::parse(endpoint)) return *address;
  throw core::Error("replicate to " + endpoint, "that is no address of a registry");
}

}  // namespace

// The password of a token for exactly the registry that is meant.
io::Awaitable<std::string> PeerSender::log_in() {
  const aws::Client client(peer_.endpoint, destination_.region, {peer_.access_key, peer_.secret});
  const auto registry = co_await client.call<ops::DescribeRegistry>({});
  if (registry.registryId != destination_.account) {
    throw ReplicationFailure("AccessDenied",
                             fmt::format("the key for {} belongs to account {}, not to {}", peer_.endpoint,
                                         registry.registryId.value_or("?"), destination_.account),
                             ReplicationFailure::Passes::kNo);
  }
  const auto given = co_await client.call<ops::GetAuthorizationToken>({});
  const auto& data = given.authorizationData;
  const auto token = data && !data->empty() ? data->front().authorizationToken : std::nullopt;
  const auto text = token ? core::from_base64(*token) : std::nullopt;
  const auto colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos) throw core::Error("log in to " + peer_.endpoint, "it gave no token");
  co_return text->substr(colon + 1);
}

io::Awaitable<std::string> PeerSender::read_manifest(image::Digest digest) {
  const auto* content = &content_;
  co_return co_await io::offload(
      executors_, [content, digest] { return content->read(digest, image::kLargestManifest); });
}

io::Awaitable<void> PeerSender::send_item(image::RegistryClient& client, const std::string& repository,
                                          const Shipment::Item& item) {
  const auto there = co_await client.manifest(repository, item.digest.str());
  if (there) co_return;
  for (const auto& blob : item.blobs) {
    const bool has = co_await client.has_blob(repository, blob);
    if (!has) co_await client.send_blob(repository, blob, content_);
  }
  auto bytes = co_await read_manifest(item.digest);
  co_await client.send_manifest(repository, item.digest.str(), std::move(bytes), item.media_type);
}

io::Awaitable<void> PeerSender::send(RepositoryId from, Shipment shipment) {
  image::RegistryLogin login{"AWS", {}};
  login.password = co_await log_in();
  image::RegistryClient client(executors_, network_, address_of(peer_.endpoint), login);
  client.send_always(kReplicationHeader, from.region + '/' + from.account);
  for (const auto& item : shipment.items) co_await send_item(client, from.name, item);
  const auto& image = shipment.items.at(shipment.image);
  for (const auto& tag : shipment.tags) {
    auto bytes = co_await read_manifest(image.digest);
    co_await client.send_manifest(from.name, tag, std::move(bytes), image.media_type);
  }
}

}  // namespace sampan::ecr
