#include "iam/authorizer.h"

#include <fmt/core.h>

namespace sampan::iam {
namespace {

std::string_view type_of(const Principal& principal) {
  switch (principal.kind) {
    case Principal::Kind::kRoot:
      return "Account";
    case Principal::Kind::kUser:
      return "User";
    case Principal::Kind::kRoleSession:
      return "AssumedRole";
    case Principal::Kind::kService:
      break;
  }
  return "Service";
}

std::string user_id_of(const Subject& subject) {
  const auto& principal = subject.principal;
  if (!subject.grants) return principal.account;
  if (principal.kind != Principal::Kind::kRoleSession) return subject.grants->id;
  const auto slash = principal.arn.rfind('/');
  return subject.grants->id + ':' + principal.arn.substr(slash + 1);
}

void add_target(Context& context, const Target& target, std::string_view own_account) {
  context.set("aws:ResourceAccount", target.account.empty() ? std::string(own_account) : target.account);
  const auto service = std::string_view(target.action).substr(0, target.action.find(':'));
  for (const auto& [key, value] : target.tags) {
    context.set("aws:ResourceTag/" + key, value);
    context.set(fmt::format("{}:ResourceTag/{}", service, key), value);
  }
  for (const auto& [key, value] : target.keys) context.set(key, value);
}

}  // namespace

Context context_of(const Subject& subject, const Circumstances& circumstances) {
  const auto& principal = subject.principal;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(circumstances.now);
  Context context;
  context.set("aws:PrincipalArn", principal.policy_arn());
  context.set("aws:PrincipalAccount", principal.account);
  context.set("aws:PrincipalType", std::string(type_of(principal)));
  context.set("aws:PrincipalIsAWSService", "false");
  context.set("aws:userid", user_id_of(subject));
  context.set("aws:SourceIp", std::string(circumstances.remote_address));
  context.set("aws:CurrentTime", core::to_iso8601(seconds));
  context.set("aws:EpochTime", std::to_string(seconds.time_since_epoch().count()));
  context.set("aws:SecureTransport", circumstances.secure ? "true" : "false");
  context.set("aws:RequestedRegion", std::string(circumstances.region));
  if (!subject.grants) return context;
  if (principal.kind == Principal::Kind::kUser) context.set("aws:username", subject.grants->name);
  for (const auto& [key, value] : subject.grants->tags) context.set("aws:PrincipalTag/" + key, value);
  return context;
}

std::string action_of(const aws::Attempt& attempt) {
  return fmt::format("{}:{}", attempt.service.signing_name, attempt.operation.name);
}

void Authorizer::authorize(const aws::Attempt& attempt) const {
  const auto known = known_.find(attempt.service.name);
  const auto* knowledge = known == known_.end() ? nullptr : &known->second;
  if (GrantBook::is_plain_root(attempt.caller)) {
    if (!knowledge || !knowledge->owner) return;
    const auto owner = knowledge->owner(attempt);
    if (owner.empty() || owner == attempt.caller.account) return;
  }
  std::vector<Target> targets;
  if (knowledge && knowledge->targets) {
    targets = knowledge->targets(attempt);
  } else {
    targets.push_back({.action = action_of(attempt)});
  }
  const auto& call = attempt.call;
  const auto why =
      refusal(attempt.caller, targets, {call.remote_address, call.region, call.secure, call.now});
  if (why) throw aws::access_denied(attempt.service.protocol, *why);
}

std::optional<std::string> Authorizer::refusal(const aws::Identity& caller,
                                               const std::vector<Target>& targets,
                                               const Circumstances& circumstances) const {
  if (GrantBook::is_anybody(caller)) return std::nullopt;
  const auto subject = grants_.subject_of(caller);
  const auto other = [&](const Target& target) {
    return !target.account.empty() && target.account != subject.principal.account;
  };
  const bool free = subject.principal.unbound && !subject.session;
  std::optional<Context> base;
  for (const auto& target : targets) {
    if (free && !other(target)) continue;
    if (!base) base = context_of(subject, circumstances);
    auto context = *base;
    add_target(context, target, subject.principal.account);
    const AccessRequest request{subject.principal, target.action, target.resource, context};
    const auto decision =
        decide(request, {subject.policies(), target.policies, subject.session.get(), other(target)});
    if (decision.verdict != Verdict::kAllow) return denial_text(request, decision);
  }
  return std::nullopt;
}

}  // namespace sampan::iam
