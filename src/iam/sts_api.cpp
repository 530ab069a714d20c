#include "iam/sts_api.h"

#include <fmt/format.h>

#include "aws/arn.h"

namespace sampan::iam {
namespace {

namespace sts = api::sts;

constexpr std::chrono::seconds kRoleLasts{3600};
constexpr std::chrono::seconds kTokenLasts{12 * 3600};
constexpr std::chrono::seconds kRootTokenAtMost{3600};  // AWS gives the root user no longer ones

// "ROLE/SESSION" of an assumed role's ARN, or nothing.
std::optional<std::string> assumed(std::string_view principal_arn) {
  const auto arn = aws::Arn::parse(principal_arn);
  if (!arn || arn->resource_type() != "assumed-role") return std::nullopt;
  return std::string(arn->resource_id());
}

sts::Credentials credentials_of(const Session& session) {
  return {session.key.id, session.key.secret, session.token, session.expires};
}

// A role's id and its session's name, as AWS has it: "AROA…:NAME".
std::string assumed_id(std::string_view account, std::string_view role_and_session) {
  const auto slash = role_and_session.find('/');
  return fmt::format("{}:{}", role_id(account, role_and_session.substr(0, slash)),
                     aws::last_segment(role_and_session));
}

}  // namespace

boost::asio::awaitable<sts::AssumeRoleOutput> StsApi::AssumeRole(const aws::Call&, sts::AssumeRoleInput in) {
  const auto principal = assumed_role_arn(in.RoleArn, in.RoleSessionName);
  if (!principal) throw aws::Fault("ValidationError", 400, fmt::format("{} is invalid", in.RoleArn));
  const auto account = aws::Arn::parse(in.RoleArn)->account;
  const auto lasts = in.DurationSeconds ? std::chrono::seconds(*in.DurationSeconds) : kRoleLasts;
  const auto session = co_await sessions_.issue(account, *principal, lasts);
  sts::AssumeRoleOutput out;
  out.Credentials = credentials_of(session);
  out.AssumedRoleUser = sts::AssumedRoleUser{assumed_id(account, *assumed(*principal)), *principal};
  out.SourceIdentity = in.SourceIdentity;
  co_return out;
}

boost::asio::awaitable<sts::GetAccessKeyInfoOutput> StsApi::GetAccessKeyInfo(const aws::Call&,
                                                                             sts::GetAccessKeyInfoInput in) {
  const auto owner = keys_.lookup(in.AccessKeyId);
  if (!owner) {
    throw aws::Fault("ValidationError", 400,
                     fmt::format("The access key {} is not of this Sampan.", in.AccessKeyId));
  }
  co_return sts::GetAccessKeyInfoOutput{.Account = owner->account};
}

boost::asio::awaitable<sts::GetCallerIdentityOutput> StsApi::GetCallerIdentity(const aws::Call& call,
                                                                               sts::GetCallerIdentityInput) {
  const auto role = assumed(call.principal_arn);
  co_return sts::GetCallerIdentityOutput{.UserId = role ? assumed_id(call.account, *role) : call.account,
                                         .Account = call.account,
                                         .Arn = call.principal_arn};
}

boost::asio::awaitable<sts::GetSessionTokenOutput> StsApi::GetSessionToken(const aws::Call& call,
                                                                           sts::GetSessionTokenInput in) {
  if (sessions_.find(call.access_key)) {
    throw aws::Fault("AccessDenied", 403, "Cannot call GetSessionToken with session credentials");
  }
  auto lasts = in.DurationSeconds ? std::chrono::seconds(*in.DurationSeconds) : kTokenLasts;
  if (call.principal_arn == root_arn(call.account)) lasts = std::min(lasts, kRootTokenAtMost);
  const auto session = co_await sessions_.issue(call.account, call.principal_arn, lasts);
  co_return sts::GetSessionTokenOutput{.Credentials = credentials_of(session)};
}

}  // namespace sampan::iam
