// Whether a rule's conditions and actions are what AWS accepts. Pure; throw aws::Fault. Groups' existence is
// the caller's to check.
#pragma once

#include <vector>

#include "api/elbv2.h"

namespace sampan::elb {

inline constexpr int kMostConditionValues = 5;
inline constexpr int kMostWildcards = 5;
inline constexpr int kMostGroupsInForward = 5;

void check_conditions(const std::vector<api::elbv2::RuleCondition>& conditions);

// Also brings the actions into the form that AWS shows them in: Order set, TargetGroupArn and ForwardConfig
// agreeing.
std::vector<api::elbv2::Action> checked_actions(std::vector<api::elbv2::Action> actions);

// Conditions as AWS shows them: Values and the field's own configuration agreeing.
std::vector<api::elbv2::RuleCondition> shown_conditions(std::vector<api::elbv2::RuleCondition> conditions);

}  // namespace sampan::elb
