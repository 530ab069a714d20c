// AWS's own managed policies, as far as people attach them to users of a registry and to tasks. Data.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "iam/policy_decision.h"

namespace sampan::iam {

struct AwsManagedPolicy {
  std::string_view name;  // "AmazonEC2ContainerRegistryReadOnly"
  std::string_view path;  // "/" or "/service-role/"
  std::string_view description;
  std::string_view document;

  std::string arn() const;
  std::string id() const;  // "ANPA…", the same everywhere
};

std::span<const AwsManagedPolicy> aws_managed_policies();
const AwsManagedPolicy* find_aws_managed_policy(std::string_view arn);
// Read once; nullptr when there is none.
PolicyRef read_aws_managed_policy(std::string_view arn);

}  // namespace sampan::iam
