// The Network of this machine's kernel: bridges, veths and namespaces by rtnetlink, rules by nftables.
//
//   <run-dir>/netns/<task>    pin of the task's network namespace
//   <run-dir>/userns/<task>   pin of the user namespace that owns it
//
// One bridge a VPC (its alias is the VPC's id) with the gateway address of each subnet in use; one table
// pair an instance. Everything is named after the instance, so that several share a machine.
#pragma once

#include <mutex>
#include <set>

#include "io/executors.h"
#include "node/id_ranges.h"
#include "node/netlink.h"
#include "node/network.h"
#include "node/nft.h"
#include "node/nft_rules.h"
#include "node/warm_namespaces.h"

namespace sampan::node {

struct KernelNetworkOptions {
  std::filesystem::path run_dir;  // absolute
  std::string instance;           // 4 hex digits
  UserNamespaces user_namespaces = UserNamespaces::kFargate;
  std::size_t warm = 8;
};

class KernelNetwork final : public Network {
 public:
  KernelNetwork(io::Executors& executors, KernelNetworkOptions options);
  ~KernelNetwork() override;

  std::vector<std::string> recover(const std::vector<KnownSandbox>& known) override;
  Sandbox attach(const NetworkRequest& request) override;
  void detach(const std::string& task_id) override;
  io::UniqueFd open_endpoint(const std::string& vpc_id) override;
  void secure(const SecurityRules& rules) override;
  void maintain() override;

 private:
  std::filesystem::path network_pin(const std::string& task_id) const;
  std::filesystem::path user_pin(const std::string& task_id) const;
  int ensure_bridge(const NetworkAssignment& network);  // its index
  PortRules connect(const NetworkRequest& request, int network_fd);
  Sandbox pin(const NetworkRequest& request, const Namespaces& namespaces);
  void add_port(const std::string& task_id, const PortRules& port, std::vector<Publication> published);
  void drop_port(const std::string& task_id);
  void drop_strangers(const std::set<std::string>& tasks);
  void undo(const std::string& task_id, const std::optional<IdRange>& ids);
  void apply_tables();
  void keep_foreign_accepts();

  const KernelNetworkOptions options_;
  const InstanceNames names_;
  const std::shared_ptr<IdRanges> id_ranges_;  // shared with namespaces being made in advance
  std::mutex mutex_;                           // of all below; the kernel does these one at a time anyway
  Netlink netlink_;
  Nft nft_;
  FilterState filter_;
  std::set<std::string> gateways_;      // that stand on a bridge
  std::map<std::string, IdRange> ids_;  // by task
  WarmNamespaces warm_plain_;
  WarmNamespaces warm_owned_;
};

}  // namespace sampan::node
