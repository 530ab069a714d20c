// sampand teardown: what an instance left on the machine goes; the order is that of the dependencies.
#include <filesystem>

#include "core/error.h"
#include "core/text.h"
#include "daemon/daemon.h"
#include "daemon/instance.h"
#include "elb/teardown.h"
#include "node/teardown.h"
#include "runtime/oci_runtime.h"

namespace sampan::daemon {
namespace {

namespace fs = std::filesystem;

// A directory that was never an instance's own is not ours to delete.
void remove_instance_directory(const fs::path& directory) {
  std::error_code failed;
  if (!fs::exists(directory / "lock", failed)) return;
  fs::remove_all(directory, failed);
  if (failed) throw core::Error("cannot remove " + directory.string(), failed.message());
}

void tear_down_node(const Options& options) {
  io::Executors executors(1, 2);
  auto host = runtime::probe_host(options.runtime, options.data_dir / "runtime.json");
  runtime::Cgroups cgroups(host.cgroups);
  runtime::OciRuntime runtime(executors, host, options.run_dir / "runtime");
  auto left = node::teardown_everything({options.data_dir, options.run_dir, options.instance_id()}, runtime, cgroups);
  if (!left.empty()) throw core::Error("not everything could be removed: " + core::join(left, "; ") + "; run it again");
}

}  // namespace

void teardown(const Options& options) {
  require_privilege();
  const bool had_data = fs::exists(options.data_dir), had_run = fs::exists(options.run_dir);
  if (!had_data && !had_run) return;
  InstanceLock lock(options);
  elb::tear_down(options.data_dir, options.run_dir);
  tear_down_node(options);
  remove_instance_directory(options.run_dir);
  if (options.purge) remove_instance_directory(options.data_dir);
}

}  // namespace sampan::daemon
