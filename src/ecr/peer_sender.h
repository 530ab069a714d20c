// Sends a shipment to another Sampan: logs in by its API for the region that is meant, then pushes as any
// client of a registry does, with one header more that says it is a replication. The other side then makes
// the repository if it is not there, leaves tags that it holds fast where they are, and replicates nothing
// on. Resumes for free: what is there already is not sent again.
#pragma once

#include <string>

#include "ecr/registry_peers.h"
#include "ecr/shipment.h"
#include "image/content_store.h"
#include "image/registry_client.h"
#include "io/executors.h"

namespace sampan::ecr {

// On every request of a replication; its value is "<region>/<account>" of where the image was pushed.
inline constexpr char kReplicationHeader[] = "X-Sampan-Replication";

class PeerSender {
 public:
  // All must outlive the send.
  PeerSender(io::Executors& executors, image::RegistryNetwork& network, const image::ContentStore& content,
             Peer peer, Destination destination)
      : executors_(executors),
        network_(network),
        content_(content),
        peer_(std::move(peer)),
        destination_(std::move(destination)) {}

  // On the network executor. Throws core::Error, aws::Fault (the login) or ReplicationFailure.
  io::Awaitable<void> send(RepositoryId from, Shipment shipment);

 private:
  io::Awaitable<std::string> log_in();
  io::Awaitable<void> send_item(image::RegistryClient& client, const std::string& repository,
                                const Shipment::Item& item);
  io::Awaitable<std::string> read_manifest(image::Digest digest);

  io::Executors& executors_;
  image::RegistryNetwork& network_;
  const image::ContentStore& content_;
  Peer peer_;
  Destination destination_;
};

}  // namespace sampan::ecr
