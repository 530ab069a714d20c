// The part of the rule compiler for one listener's rules: conditions as ACLs, actions as http-request lines.
// Pure.
#pragma once

#include <string>

#include "elb/edge_model.h"

namespace sampan::elb {

// The lines of a site's rules. With `guard` (an ACL expression like "{ var(txn.lb) -m str x }") they concern
// only the requests it is true for. Every request ends in a response or has txn.tg set.
std::string render_rules(const Site& site, int port, const std::string& guard);

// ACL lines named `name` for a condition; true when any value matches.
std::string render_condition(const Condition& condition, const std::string& name);

// Requests to a group forever in one place: the value of the group cookie for a backend.
std::string group_token(const std::string& backend);

}  // namespace sampan::elb
