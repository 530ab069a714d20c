#include "iam/managed_policies.h"

#include <fmt/core.h>

#include <map>

#include "core/encoding.h"

namespace sampan::iam {
namespace {

#define POLICY(...) R"({"Version":"2012-10-17","Statement":[)" __VA_ARGS__ "]}"

constexpr AwsManagedPolicy kPolicies[] = {
    {"AdministratorAccess", "/", "Provides full access to AWS services and resources.",
     POLICY(R"({"Effect":"Allow","Action":"*","Resource":"*"})")},
    {"PowerUserAccess", "/",
     "Provides full access to AWS services and resources, but does not allow management of Users and groups.",
     POLICY(R"({"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},)"
            R"({"Effect":"Allow","Action":["iam:CreateServiceLinkedRole","iam:DeleteServiceLinkedRole",)"
            R"("iam:ListRoles","organizations:DescribeOrganization"],"Resource":"*"})")},
    {"ReadOnlyAccess", "/", "Provides read-only access to the services of this Sampan.",
     POLICY(
         R"({"Effect":"Allow","Action":["ecr:BatchCheck*","ecr:BatchGet*","ecr:Describe*","ecr:Get*","ecr:List*",)"
         R"("ecr:ValidatePullThroughCacheRule","ecs:Describe*","ecs:List*","elasticloadbalancing:Describe*",)"
         R"("ec2:Describe*","iam:Get*","iam:List*","iam:Simulate*","logs:Describe*","logs:Get*","logs:FilterLogEvents",)"
         R"("logs:List*","sts:GetAccessKeyInfo","sts:GetCallerIdentity","sts:GetSessionToken","sampan:Get*"],)"
         R"("Resource":"*"})")},
    {"AmazonEC2ContainerRegistryFullAccess", "/", "Provides administrative access to Amazon ECR resources",
     POLICY(
         R"({"Effect":"Allow","Action":["ecr:*","cloudtrail:LookupEvents"],"Resource":"*"},)"
         R"({"Effect":"Allow","Action":["iam:CreateServiceLinkedRole"],"Resource":"*","Condition":{"StringEquals":)"
         R"({"iam:AWSServiceName":["replication.ecr.amazonaws.com"]}}})")},
    {"AmazonEC2ContainerRegistryPowerUser", "/",
     "Provides full access to Amazon EC2 Container Registry repositories, but does not allow repository "
     "deletion or "
     "policy changes.",
     POLICY(
         R"({"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability",)"
         R"("ecr:GetDownloadUrlForLayer","ecr:GetRepositoryPolicy","ecr:DescribeRepositories","ecr:ListImages",)"
         R"("ecr:DescribeImages","ecr:BatchGetImage","ecr:GetLifecyclePolicy","ecr:GetLifecyclePolicyPreview",)"
         R"("ecr:ListTagsForResource","ecr:DescribeImageScanFindings","ecr:InitiateLayerUpload",)"
         R"("ecr:UploadLayerPart","ecr:CompleteLayerUpload","ecr:PutImage"],"Resource":"*"})")},
    {"AmazonEC2ContainerRegistryReadOnly", "/",
     "Provides read-only access to Amazon EC2 Container Registry repositories.",
     POLICY(
         R"({"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability",)"
         R"("ecr:GetDownloadUrlForLayer","ecr:GetRepositoryPolicy","ecr:DescribeRepositories","ecr:ListImages",)"
         R"("ecr:DescribeImages","ecr:BatchGetImage","ecr:GetLifecyclePolicy","ecr:GetLifecyclePolicyPreview",)"
         R"("ecr:ListTagsForResource","ecr:DescribeImageScanFindings"],"Resource":"*"})")},
    {"AmazonEC2ContainerRegistryPullOnly", "/", "Grants permissions to pull images from Amazon ECR.",
     POLICY(
         R"({"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability",)"
         R"("ecr:GetDownloadUrlForLayer","ecr:BatchGetImage","ecr:BatchImportUpstreamImage"],"Resource":"*"})")},
    {"AmazonECSTaskExecutionRolePolicy", "/service-role/",
     "Provides access to other AWS service resources that are required to run Amazon ECS tasks",
     POLICY(R"({"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability",)"
            R"("ecr:GetDownloadUrlForLayer","ecr:BatchGetImage","logs:CreateLogStream","logs:PutLogEvents"],)"
            R"("Resource":"*"})")},
    {"AmazonECS_FullAccess", "/", "Provides administrative access to Amazon ECS resources.",
     POLICY(
         R"({"Effect":"Allow","Action":["ecs:*","ec2:Describe*","elasticloadbalancing:*","iam:ListRoles",)"
         R"("iam:ListAttachedRolePolicies","logs:CreateLogGroup","logs:DescribeLogGroups","logs:FilterLogEvents"],)"
         R"("Resource":"*"},{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":)"
         R"({"StringLike":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}})")},
    {"ElasticLoadBalancingFullAccess", "/", "Provides full access to Amazon ElasticLoadBalancing",
     POLICY(R"({"Effect":"Allow","Action":["elasticloadbalancing:*","ec2:Describe*"],"Resource":"*"})")},
    {"CloudWatchLogsFullAccess", "/", "Provides full access to CloudWatch Logs",
     POLICY(R"({"Effect":"Allow","Action":["logs:*"],"Resource":"*"})")},
    {"IAMFullAccess", "/", "Provides full access to IAM via the AWS Management Console.",
     POLICY(R"({"Effect":"Allow","Action":["iam:*"],"Resource":"*"})")},
    {"IAMReadOnlyAccess", "/", "Provides read only access to IAM via the AWS Management Console.",
     POLICY(R"({"Effect":"Allow","Action":["iam:Get*","iam:List*","iam:Simulate*"],"Resource":"*"})")},
};

#undef POLICY

}  // namespace

std::string AwsManagedPolicy::arn() const {
  return fmt::format("arn:aws:iam::aws:policy{}{}", path, name);
}

std::string AwsManagedPolicy::id() const {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string made = "ANPA";
  for (const char byte : core::hmac_sha256("policy id", name).substr(0, 17)) {
    made += kLetters[static_cast<unsigned char>(byte) % kLetters.size()];
  }
  return made;
}

std::span<const AwsManagedPolicy> aws_managed_policies() {
  return kPolicies;
}

const AwsManagedPolicy* find_aws_managed_policy(std::string_view arn) {
  for (const auto& policy : kPolicies) {
    if (policy.arn() == arn) return &policy;
  }
  return nullptr;
}

PolicyRef read_aws_managed_policy(std::string_view arn) {
  static const auto all = [] {
    std::map<std::string, PolicyRef, std::less<>> read;
    for (const auto& policy : kPolicies) {
      read[policy.arn()] =
          std::make_shared<const Policy>(parse_policy(policy.document, PolicyKind::kIdentity));
    }
    return read;
  }();
  const auto found = all.find(arn);
  return found == all.end() ? nullptr : found->second;
}

}  // namespace sampan::iam
