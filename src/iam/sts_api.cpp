#include "iam/sts_api.h"

#include <fmt/format.h>

#include "aws/arn.h"
#include "iam/authorizer.h"

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

constexpr std::size_t kLongestSessionPolicy = 2048;

Policy read_session_policy(const std::string& document) {
  try {
    return parse_policy(document, PolicyKind::kIdentity);
  } catch (const MalformedPolicy& error) {
    throw sts::MalformedPolicyDocumentException(error.what());
  }
}

}  // namespace

// A role's id and its session's name, as AWS has it: "AROA…:NAME".
std::string StsApi::assumed_id(std::string_view account, std::string_view role_and_session) const {
  const auto name = role_and_session.substr(0, role_and_session.find('/'));
  const auto* role = directory_.find(EntityKind::kRole, account, name);
  return fmt::format("{}:{}", role ? role->id : role_id(account, name), aws::last_segment(role_and_session));
}

void StsApi::require_trust(const aws::Call& call, const sts::AssumeRoleInput& in, const Entity* role) const {
  const auto caller = keys_.lookup(call.access_key);
  auto subject =
      caller ? grants_.subject_of(*caller) : Subject{Principal::of(call.principal_arn), nullptr, nullptr};
  const auto& principal = subject.principal;
  const auto account = aws::Arn::parse(in.RoleArn)->account;
  const auto refuse = [&] {
    throw aws::Fault("AccessDenied", 403,
                     fmt::format("User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
                                 call.principal_arn, in.RoleArn));
  };
  if (!role) {
    const bool free = principal.unbound && !subject.session;
    if (!free || (account != call.account && !keys_.is_operator(call.principal_arn))) refuse();
    return;
  }
  auto context = context_of(subject, {call.remote_address, call.region, call.secure, call.now});
  if (in.ExternalId) context.set("sts:ExternalId", *in.ExternalId);
  context.set("sts:RoleSessionName", in.RoleSessionName);
  const AccessRequest request{principal, "sts:AssumeRole", in.RoleArn, context};
  const std::vector<PolicyRef> trust{
      std::make_shared<const Policy>(parse_policy(role->trust, PolicyKind::kTrust))};
  // A trust policy is needed also by those whom their own policies allow it, and by root users.
  const auto answer = evaluate(*trust.front(), request);
  const bool trusted = answer == Answer::kAllows || answer == Answer::kAllowsAccount;
  const auto decision =
      decide(request, {subject.policies(), trust, subject.session.get(), account != call.account});
  const bool same_path = entity_arn(EntityKind::kRole, account, *role) == in.RoleArn;
  if (!trusted || !same_path || decision.verdict != Verdict::kAllow) refuse();
}

// What the session shall be held to beside its role's policies: all documents as one.
std::string StsApi::session_policy(std::string_view account, const sts::AssumeRoleInput& in) const {
  std::vector<std::string> documents;
  if (in.Policy) {
    if (in.Policy->size() > kLongestSessionPolicy) {
      throw sts::PackedPolicyTooLargeException("Packed policy consumes more than 100% of allotted space");
    }
    read_session_policy(*in.Policy);
    documents.push_back(*in.Policy);
  }
  for (const auto& given : in.PolicyArns.value_or(std::vector<sts::PolicyDescriptorType>())) {
    const auto text = directory_.document(account, given.arn.value_or(""));
    if (!text)
      throw aws::Fault("ValidationError", 400,
                       fmt::format("Policy {} does not exist", given.arn.value_or("")));
    documents.push_back(*text);
  }
  return documents.empty() ? std::string() : merge_documents(documents);
}

boost::asio::awaitable<sts::AssumeRoleOutput> StsApi::AssumeRole(const aws::Call& call,
                                                                 sts::AssumeRoleInput in) {
  const auto principal = assumed_role_arn(in.RoleArn, in.RoleSessionName);
  if (!principal) throw aws::Fault("ValidationError", 400, fmt::format("{} is invalid", in.RoleArn));
  const auto account = aws::Arn::parse(in.RoleArn)->account;
  const auto* role = directory_.find(EntityKind::kRole, account, aws::last_segment(in.RoleArn));
  require_trust(call, in, role);
  const auto lasts = in.DurationSeconds ? std::chrono::seconds(*in.DurationSeconds) : kRoleLasts;
  if (role && in.DurationSeconds && *in.DurationSeconds > role->longest_session) {
    throw aws::Fault("ValidationError", 400,
                     "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  }
  Session asked{.account = account, .principal_arn = *principal};
  asked.policy = session_policy(account, in);
  if (role) asked.role_id = role->id;
  const auto session = co_await sessions_.issue(std::move(asked), lasts);
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
  auto id = role ? assumed_id(call.account, *role) : call.account;
  const auto arn = aws::Arn::parse(call.principal_arn);
  if (arn && arn->resource_type() == "user") {
    const auto* user = directory_.find(EntityKind::kUser, call.account, aws::last_segment(arn->resource));
    if (user) id = user->id;
  }
  co_return sts::GetCallerIdentityOutput{
      .UserId = std::move(id), .Account = call.account, .Arn = call.principal_arn};
}

boost::asio::awaitable<sts::GetSessionTokenOutput> StsApi::GetSessionToken(const aws::Call& call,
                                                                           sts::GetSessionTokenInput in) {
  if (sessions_.find(call.access_key)) {
    throw aws::Fault("AccessDenied", 403, "Cannot call GetSessionToken with session credentials");
  }
  auto lasts = in.DurationSeconds ? std::chrono::seconds(*in.DurationSeconds) : kTokenLasts;
  if (call.principal_arn == root_arn(call.account)) lasts = std::min(lasts, kRootTokenAtMost);
  const auto session =
      co_await sessions_.issue({.account = call.account, .principal_arn = call.principal_arn}, lasts);
  co_return sts::GetSessionTokenOutput{.Credentials = credentials_of(session)};
}

}  // namespace sampan::iam
