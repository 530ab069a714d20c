#include "daemon/task_credentials.h"

#include <boost/json.hpp>

#include "aws/arn.h"
#include "core/log.h"

namespace sampan::daemon {
namespace {

constexpr std::chrono::hours kLasts{6};
constexpr std::chrono::minutes kRenewBefore{15};

}  // namespace

io::Awaitable<std::optional<std::string>> TaskCredentials::issue(const node::TaskAssignment& task) {
  const auto now = clock_.now();
  const auto task_id = task.task_id, role = task.task_role_arn, account = task.account;
  const auto arn = role.empty() ? std::nullopt : iam::assumed_role_arn(role, task_id);
  if (!arn) co_return std::nullopt;
  forget_old(now);
  if (auto found = by_task_.find(task_id); found != by_task_.end()) co_return found->second.json;
  const auto role_account = aws::Arn::parse(role)->account;
  const auto name = aws::last_segment(role);
  if (!roles_.trusts_service(role_account, name, "ecs-tasks.amazonaws.com")) {
    core::log::warn("task {} gets no credentials: role {} does not trust ecs-tasks.amazonaws.com", task_id, role);
    co_return std::nullopt;
  }
  const auto* made = roles_.find(iam::EntityKind::kRole, role_account, name);
  iam::Session asked{.account = account, .principal_arn = *arn, .role_id = made ? made->id : ""};
  auto session = co_await sessions_.issue(std::move(asked), kLasts);
  boost::json::object body{{"RoleArn", role},
                           {"AccessKeyId", session.key.id},
                           {"SecretAccessKey", session.key.secret},
                           {"Token", session.token},
                           {"Expiration", core::to_iso8601(session.expires)}};
  Issued issued{boost::json::serialize(body), session.expires - kRenewBefore};
  by_task_[task_id] = issued;
  co_return issued.json;
}

void TaskCredentials::forget_old(core::TimePoint now) {
  std::erase_if(by_task_, [now](const auto& entry) { return entry.second.renew <= now; });
}

}  // namespace sampan::daemon
