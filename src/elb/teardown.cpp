#include "elb/teardown.h"

#include "elb/haproxy_process.h"

namespace sampan::elb {

void tear_down(const std::filesystem::path& data_dir, const std::filesystem::path& run_dir) {
  const auto paths = edge_paths(data_dir, run_dir);
  HaproxyProcess(paths, "haproxy").stop();
  std::error_code ignored;
  std::filesystem::remove_all(paths.run, ignored);
}

}  // namespace sampan::elb
