// All load balancers, listeners, rules, target groups and targets: their rows and how they hang together.
// Owned by the composition root; all on the control strand.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "elb/rows.h"
#include "store/table.h"

namespace sampan::elb {

class Registry {
 public:
  explicit Registry(store::Store& store)
      : balancers(store, "/elb/balancers/"),
        listeners(store, "/elb/listeners/"),
        rules(store, "/elb/rules/"),
        groups(store, "/elb/groups/"),
        targets(store, "/elb/targets/"),
        tags(store, "/elb/tags/"),
        store_(store) {}

  store::Store& store() const { return store_; }

  std::vector<const ListenerRow*> listeners_of(const std::string& balancer_arn) const;
  // In order of priority, the default one not among them.
  std::vector<const RuleRow*> rules_of(const std::string& listener_arn) const;
  std::vector<const TargetRow*> targets_of(const std::string& group_arn) const;
  // The load balancers whose listeners or rules forward to the group. AWS allows one.
  std::set<std::string> balancers_of_group(const std::string& group_arn) const;
  // Group -> load balancers, for all groups at once.
  std::map<std::string, std::set<std::string>> group_users() const;

  store::Table<BalancerRow> balancers;
  store::Table<ListenerRow> listeners;
  store::Table<RuleRow> rules;
  store::Table<GroupRow> groups;
  store::Table<TargetRow> targets;
  store::Table<TagsRow> tags;

 private:
  store::Store& store_;
};

// The groups that actions forward to.
std::vector<std::string> groups_in(const std::optional<std::vector<api::elbv2::Action>>& actions);

// "arn:aws:elasticloadbalancing:us-east-1:000000000000:": what all ARNs of one account and region begin with.
std::string arn_prefix(const std::string& account, const std::string& region);

}  // namespace sampan::elb
