#include "iam/policy_decision.h"

#include <fmt/core.h>

#include <algorithm>

#include "aws/arn.h"

namespace sampan::iam {
namespace {

enum class Match { kNone, kAccount, kDirect };

// The account that a principal names as a whole: "111122223333" or "arn:aws:iam::111122223333:root".
std::string_view account_of(std::string_view named) {
  constexpr std::string_view kFront = "arn:aws:iam::";
  constexpr std::string_view kRoot = ":root";
  if (named.find(':') == std::string_view::npos) return named;
  if (!named.starts_with(kFront) || !named.ends_with(kRoot)) return {};
  return named.substr(kFront.size(), named.size() - kFront.size() - kRoot.size());
}

Match match_one(const std::string& named, const Principal& principal) {
  const bool by_role = !principal.role_arn.empty() && named == principal.role_arn;
  if (by_role || named == principal.arn) return Match::kDirect;
  if (account_of(named) != principal.account) return Match::kNone;
  return principal.kind == Principal::Kind::kRoot ? Match::kDirect : Match::kAccount;
}

Match match(const Principals& named, const Principal& principal) {
  if (named.anybody) return Match::kDirect;
  if (principal.kind == Principal::Kind::kService) {
    return std::ranges::find(named.services, principal.service) != named.services.end() ? Match::kDirect
                                                                                        : Match::kNone;
  }
  auto best = Match::kNone;
  for (const auto& one : named.aws) best = std::max(best, match_one(one, principal));
  return best;
}

Match match_who(const Statement& statement, const Principal& principal) {
  if (!statement.principals) return Match::kDirect;  // an identity's policy: whose it is
  const auto found = match(*statement.principals, principal);
  if (!statement.all_but_principals) return found;
  return found == Match::kNone ? Match::kDirect : Match::kNone;
}

bool match_action(const Statement& statement, std::string_view action) {
  const auto fits = [action](const std::string& pattern) { return action_matches(pattern, action); };
  return std::ranges::any_of(statement.actions, fits) != statement.all_but_actions;
}

bool match_resource(const Statement& statement, const AccessRequest& request, Variables variables) {
  const auto fits = [&](const std::string& text) {
    const auto pattern = Pattern::make(text, request.context, variables);
    return pattern && arn_matches(*pattern, request.resource);
  };
  return std::ranges::any_of(statement.resources, fits) != statement.all_but_resources;
}

Answer strongest(std::span<const PolicyRef> policies, const AccessRequest& request) {
  auto best = Answer::kNothing;
  for (const auto& policy : policies) {
    best = std::max(best, evaluate(*policy, request));
    if (best == Answer::kDenies) break;
  }
  return best;
}

}  // namespace

Principal Principal::of(std::string_view text) {
  Principal principal;
  principal.arn = text;
  const auto arn = aws::Arn::parse(text);
  if (!arn) return principal;
  principal.account = arn->account;
  if (arn->resource_type() == "user") principal.kind = Kind::kUser;
  if (arn->resource_type() == "assumed-role") {
    principal.kind = Kind::kRoleSession;
    const auto id = arn->resource_id();
    principal.role_arn =
        fmt::format("arn:{}:iam::{}:role/{}", arn->partition, arn->account, id.substr(0, id.find('/')));
  }
  return principal;
}

Answer evaluate(const Policy& policy, const AccessRequest& request) {
  const auto variables = policy.variables ? Variables::kExpanded : Variables::kLiteral;
  auto answer = Answer::kNothing;
  for (const auto& statement : policy.statements) {
    const auto who = match_who(statement, request.principal);
    if (who == Match::kNone || !match_action(statement, request.action)) continue;
    if (!match_resource(statement, request, variables)) continue;
    const bool applies = std::ranges::all_of(statement.conditions, [&](const Condition& condition) {
      return holds(condition, request.context, variables);
    });
    if (!applies) continue;
    if (statement.effect == Effect::kDeny) return Answer::kDenies;
    answer = std::max(answer, who == Match::kDirect ? Answer::kAllows : Answer::kAllowsAccount);
  }
  return answer;
}

Decision decide(const AccessRequest& request, const Policies& policies) {
  const bool unbound = request.principal.unbound;
  if (unbound && !policies.other_account && !policies.session) return {Verdict::kAllow, Side::kIdentity};

  const auto own = unbound ? Answer::kAllows : strongest(policies.identity, request);
  if (own == Answer::kDenies) return {Verdict::kExplicitDeny, Side::kIdentity};
  const auto theirs =
      unbound && !policies.other_account ? Answer::kNothing : strongest(policies.resource, request);
  if (theirs == Answer::kDenies) return {Verdict::kExplicitDeny, Side::kResource};
  if (policies.session) {
    const auto limit = evaluate(*policies.session, request);
    if (limit == Answer::kDenies) return {Verdict::kExplicitDeny, Side::kSession};
    if (limit == Answer::kNothing) return {Verdict::kImplicitDeny, Side::kSession};
  }
  if (policies.other_account) {
    if (own == Answer::kNothing) return {Verdict::kImplicitDeny, Side::kIdentity};
    if (theirs == Answer::kNothing) return {Verdict::kImplicitDeny, Side::kResource};
    return {Verdict::kAllow, Side::kIdentity};
  }
  if (own == Answer::kAllows) return {Verdict::kAllow, Side::kIdentity};
  if (theirs == Answer::kAllows) return {Verdict::kAllow, Side::kResource};
  return {Verdict::kImplicitDeny, Side::kIdentity};
}

std::string denial_text(const AccessRequest& request, const Decision& decision) {
  static constexpr std::string_view kSides[] = {"identity-based", "resource-based", "session"};
  const auto side = kSides[static_cast<std::size_t>(decision.by)];
  // EC2 alone says nothing of resources where it has none.
  const bool nowhere = request.resource == "*" && request.action.starts_with("ec2:");
  const auto where = nowhere ? std::string() : fmt::format(" on resource: {}", request.resource);
  const auto why =
      decision.verdict == Verdict::kExplicitDeny
          ? fmt::format("with an explicit deny in {} {} policy", side.starts_with('i') ? "an" : "a", side)
          : fmt::format("because no {} policy allows the {} action", side, request.action);
  return fmt::format("User: {} is not authorized to perform: {}{} {}", request.principal.arn, request.action,
                     where, why);
}

}  // namespace sampan::iam
