// A task role's temporary keys, as the credentials endpoint inside the task gives them out (AWS-SEMANTICS A50).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/clock.h"
#include "iam/credentials.h"
#include "iam/directory.h"
#include "io/executors.h"
#include "node/link.h"

namespace sampan::daemon {

// On the control strand. A session is given out again until a quarter of an hour before it ends.
class TaskCredentials {
 public:
  TaskCredentials(iam::Sessions& sessions, const iam::Directory& roles, const core::Clock& clock)
      : sessions_(sessions), roles_(roles), clock_(clock) {}
  // Nothing for a task without a role, and for a role that was created and does not trust ecs-tasks.amazonaws.com.
  io::Awaitable<std::optional<std::string>> issue(const node::TaskAssignment& task);

 private:
  struct Issued {
    std::string json;
    core::TimePoint renew;
  };
  void forget_old(core::TimePoint now);

  iam::Sessions& sessions_;
  const iam::Directory& roles_;
  const core::Clock& clock_;
  std::map<std::string, Issued> by_task_;
};

}  // namespace sampan::daemon
