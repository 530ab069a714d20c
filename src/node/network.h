// The seam to the machine's network: a task's namespace, its interface and address, and what may reach it.
// KernelNetwork (kernel_network.h) is the real engine, FakeNetwork (fake_network.h) keeps a list.
//
// All calls block and are thread-safe: make them on the blocking pool.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/file.h"
#include "node/link.h"
#include "node/namespaces.h"

namespace sampan::node {

enum class UserNamespaces { kNever, kFargate };

struct NetworkRequest {
  std::string task_id;
  NetworkAssignment network;
  std::vector<PortMapping> ports;
  bool user_namespace = false;
};

// What the kernel holds for a task. Paths are pins, so they outlive this process.
struct Sandbox {
  std::filesystem::path network_namespace;  // empty: the host's
  std::filesystem::path user_namespace;     // empty: the host's
  std::optional<IdRange> ids;               // with user_namespace
  std::string address;                      // empty: none of its own
  std::vector<NetworkBinding> bindings;     // bridge and host modes
};

// A task that had its sandbox before this process began.
struct KnownSandbox {
  NetworkRequest request;
  Sandbox sandbox;
};

// Rules for security groups: nft rules by chain name, and which chains guard an address.
struct SecurityRules {
  std::map<std::string, std::vector<std::string>> chains;
  std::map<std::string, std::string> inbound;   // address -> chain
  std::map<std::string, std::string> outbound;  // address -> chain
};

class Network {
 public:
  virtual ~Network() = default;
  // Once, before the rest: makes the machine agree with `known` (every task that should have a sandbox)
  // and removes what belongs to no task of it. Answers which of them still stand.
  virtual std::vector<std::string> recover(const std::vector<KnownSandbox>& known) = 0;
  // Gives the task its sandbox. Throws core::Error; nothing is left then. What another life of the daemon
  // left half-made for the task is replaced.
  virtual Sandbox attach(const NetworkRequest& request) = 0;
  // Nothing there is no error.
  virtual void detach(const std::string& task_id) = 0;
  // A listening socket at which the tasks of that VPC find their metadata; nothing where there is no such
  // network. Once a VPC and life.
  virtual io::UniqueFd open_endpoint(const std::string& vpc_id) = 0;
  // Replaces all rules at once.
  virtual void secure(const SecurityRules& rules) = 0;
  // Every half minute: mends what other programs undid (a flushed rule set, Docker's chains made anew).
  virtual void maintain() = 0;
};

}  // namespace sampan::node
