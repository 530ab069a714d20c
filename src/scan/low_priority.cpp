#include "scan/low_priority.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sampan::scan {

void yield_to_others() {
  static thread_local bool done = false;
  if (std::exchange(done, true)) return;
  sched_param none{};
  ::sched_setscheduler(0, SCHED_BATCH, &none);  // Linux: of the thread
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 15);
  constexpr int kBestEffort = 2, kLowest = 7, kWhoThread = 1;
  ::syscall(SYS_ioprio_set, kWhoThread, 0, kBestEffort << 13 | kLowest);
}

}  // namespace sampan::scan
