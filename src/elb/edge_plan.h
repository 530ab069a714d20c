// From the rows to what the data plane is to do. Pure: reads tables, decides, changes nothing.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "elb/edge_model.h"
#include "elb/registry.h"

namespace sampan::elb {

// How a target stands (its row's key); asked for targets that do not drain.
using DutyOf = std::function<EdgeServer::Duty(const std::string& target_key)>;

// `unusable_ports`: held by some other program; their listeners are left out until that has changed.
EdgeModel plan_edge(const Registry& registry, const DutyOf& duty_of,
                    const std::set<int>& unusable_ports = {});

// A rule's conditions and action as the compiler takes them. The shapes have been validated (rule_checks.h).
std::vector<Condition> to_conditions(const std::vector<api::elbv2::RuleCondition>& conditions);
RuleAction to_action(const std::vector<api::elbv2::Action>& actions);

}  // namespace sampan::elb
