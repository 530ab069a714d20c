#include "node/teardown.h"

#include "core/error.h"
#include "io/file.h"
#include "node/mounts.h"
#include "node/namespaces.h"
#include "node/netlink.h"
#include "node/nft.h"
#include "node/nft_rules.h"
#include "node/record.h"

namespace sampan::node {
namespace {

namespace fs = std::filesystem;

class Steps {
 public:
  template <class F>
  void attempt(const std::string& what, F work) {
    try {
      work();
    } catch (const std::exception& error) {
      failures_.push_back(fmt::format("{}: {}", what, error.what()));
    }
  }
  void add(std::vector<std::string> more) { failures_.insert(failures_.end(), more.begin(), more.end()); }
  std::vector<std::string> take() { return std::move(failures_); }

 private:
  std::vector<std::string> failures_;
};

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code ignored;  // absent: nothing in it
  for (const auto& entry : fs::directory_iterator(folder, ignored)) found.push_back(entry.path());
  return found;
}

void remove_containers(const fs::path& task_folder, runtime::Runtime& runtime, Steps& steps) {
  std::optional<Intent> intent;
  steps.attempt("read " + task_folder.string(), [&] {
    if (auto text = io::read_file_if_exists(task_folder / "task.json")) intent = parse_intent(*text);
  });
  if (!intent) return;
  for (std::size_t i = 0; i < intent->runtime_ids.size(); ++i) {
    auto folder = task_folder / intent->assignment.containers[i].name;
    if (!fs::exists(folder)) continue;
    const auto& id = intent->runtime_ids[i];
    steps.attempt("container " + id, [&] { runtime.remove({id, folder}); });
  }
}

void remove_foreign_accepts(Nft& nft, const InstanceNames& names) {
  for (const auto& chain : find_dropping_chains(nft.list_json("list chains"), names)) {
    auto rules = nft.list_json(fmt::format("list chain {} {} {}", chain.family, chain.table, chain.chain));
    for (auto handle : find_own_rules(rules, names)) nft.apply(render_rule_removal(chain, handle));
  }
}

}  // namespace

std::vector<std::string> teardown_network(const fs::path& run_dir, const std::string& instance) {
  Steps steps;
  InstanceNames names{instance};
  for (const char* folder : {"netns", "userns"}) {
    for (const auto& pin : entries(run_dir / folder)) {
      steps.attempt("namespace " + pin.string(), [&] { unpin_namespace(pin); });
    }
  }
  steps.attempt("links", [&] {
    Netlink netlink;
    for (const auto& prefix : {names.port_prefix(), names.bridge_prefix()}) {
      for (const auto& link : netlink.links_with_prefix(prefix)) {
        steps.attempt("link " + link.name, [&] { netlink.remove(link.name); });
      }
    }
  });
  steps.attempt("rules", [&] {
    Nft nft;
    remove_foreign_accepts(nft, names);
    nft.apply(render_removal(names));
  });
  return steps.take();
}

std::vector<std::string> teardown_everything(const TeardownRequest& request, runtime::Runtime& runtime,
                                             const runtime::Cgroups& cgroups) {
  Steps steps;
  auto containers = request.data_dir / "containers";
  auto group = "/sampan-" + request.instance;
  // First the processes, all at once, then what only they held.
  steps.attempt("processes", [&] { cgroups.kill_all(group); });
  for (const auto& task : entries(containers)) remove_containers(task, runtime, steps);
  steps.attempt("containers", [&] {
    for (const auto& id : runtime.list()) {
      steps.attempt("container " + id, [&] { runtime.remove({id, containers / ".orphan"}); });
    }
  });
  steps.attempt("control groups", [&] { cgroups.remove(group); });
  steps.attempt("mounts", [&] { unmount_below(containers); });
  steps.add(teardown_network(request.run_dir, request.instance));
  return steps.take();
}

}  // namespace sampan::node
