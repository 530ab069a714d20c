// Other Sampans, as destinations of replication: a file of the operator's that says which (region, account)
// is reached where and with which key. It holds secrets: mode 0600, as the AWS tools' own.
//
//   [eu-west-1 111111111111]
//   endpoint = https://harbour.example:4566
//   aws_access_key_id = AKIA…
//   aws_secret_access_key = …
//
// Read anew when it has changed. A destination that it does not name is a registry of this Sampan.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "ecr/replication_rules.h"

namespace sampan::ecr {

struct Peer {
  std::string endpoint;  // "https://host:port"
  std::string access_key;
  std::string secret;
  bool operator==(const Peer&) const = default;
};
using Peers = std::map<Destination, Peer>;

// Throws core::Error that names the line at fault.
Peers parse_peers(std::string_view text);

// Thread-safe.
class PeersFile {
 public:
  explicit PeersFile(std::filesystem::path path) : path_(std::move(path)) {}
  // The peer that is that registry; nothing when it is one of our own. Throws core::Error while the file
  // cannot be used: better no replication than one to the wrong place. Blocks.
  std::optional<Peer> find(const Destination& destination);
  const std::filesystem::path& path() const { return path_; }

 private:
  void refresh();

  std::filesystem::path path_;
  std::mutex mutex_;
  std::optional<std::filesystem::file_time_type> read_at_;  // the file's own time
  Peers peers_;
};

}  // namespace sampan::ecr
