// sampand fsck: the check of the registry's storage while no daemon runs on it.
#include "ecr/fsck.h"

#include <fmt/core.h>

#include "core/error.h"
#include "daemon/daemon.h"
#include "daemon/instance.h"
#include "store/open.h"

namespace sampan::daemon {
namespace {

io::Awaitable<void> check(io::Executors& executors, ecr::Fsck& fsck, ecr::FsckOptions options, ecr::FsckReport& report,
                          std::exception_ptr& failure) {
  try {
    report = co_await fsck.run(options);
  } catch (...) {
    failure = std::current_exception();
  }
  executors.stop();
}

}  // namespace

bool fsck(const Options& options) {
  if (!std::filesystem::exists(options.data_dir / "state.db")) {
    throw core::Error("check " + options.data_dir.string(), "no state of a Sampan is there");
  }
  InstanceLock lock(options);
  io::Executors executors(1, 2);
  const auto store = store::open_store("sqlite", options.data_dir, executors);
  image::ContentStore content(options.data_dir);
  core::SystemClock clock;
  ecr::Repositories repositories(*store, executors, content, clock);
  ecr::Fsck fsck(executors, clock, content, repositories);
  ecr::FsckReport report;
  std::exception_ptr failure;
  const ecr::FsckOptions wanted{.repair = options.repair, .rate = 0};
  io::spawn_detached(executors.control(), "fsck", check(executors, fsck, wanted, report, failure));
  executors.run();
  if (failure) std::rethrow_exception(failure);
  for (const auto& damage : report.damage) fmt::print("{}\n", ecr::describe(damage));
  fmt::print("{} blobs ({} bytes) and {} images checked, {} damaged; {} blobs that nothing names\n", report.blobs,
             report.bytes, report.images, report.damage.size(), report.unnamed);
  return report.damage.empty();
}

}  // namespace sampan::daemon
