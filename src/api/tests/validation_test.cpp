// What each service says of input that breaks its model.
#include <gtest/gtest.h>

#include "api/ec2.h"
#include "api/ecr.h"
#include "api/ecs.h"
#include "api/elbv2.h"
#include "api/logs.h"
#include "api/sts.h"
#include "aws/form.h"
#include "aws/json_codec.h"
#include "aws/query_codec.h"
#include "aws/validation_text.h"
#include "aws/violations.h"

namespace sampan::api {
namespace {

struct Case {
  const aws::ServiceModel* service;
  const char* operation;
  std::string input;  // JSON, or a form
  const char* code;   // empty: the input is good
  std::string message;
};

aws::Fault fault_of(const Case& c) {
  const auto& operation = *aws::find_operation(*c.service, c.operation);
  auto exchange = operation.exchange();
  aws::Violations violations;
  if (c.service->protocol == aws::Protocol::kJson) {
    aws::decode_json(operation.input, c.input, exchange->input(), &violations);
  } else {
    aws::decode_query(c.service->protocol, operation.input, aws::Form::parse(c.input), exchange->input(),
                      &violations);
  }
  if (violations.empty()) return aws::Fault("", 0, "");
  return aws::validation_fault(*c.service, c.operation, violations);
}

class Validation : public testing::TestWithParam<Case> {};

TEST_P(Validation, SaysWhatAwsSays) {
  const auto fault = fault_of(GetParam());
  EXPECT_EQ(fault.code(), GetParam().code);
  EXPECT_EQ(fault.what(), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Ecr, Validation,
    testing::Values(
        Case{
            &ecr::kModel, "CreateRepository", R"({"repositoryName":"Shop"})", "InvalidParameterException",
            R"(Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression )"
            R"('[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*'')"},
        Case{&ecr::kModel, "CreateRepository", "{}", "InvalidParameterException",
             "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must not be null'"},
        Case{&ecr::kModel, "CreateRepository", R"({"repositoryName":"a"})", "InvalidParameterException",
             "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must have length greater "
             "than or "
             "equal to 2'"},
        Case{&ecr::kModel, "CreateRepository", R"({"repositoryName":"ab","imageTagMutability":"SOMETIMES"})",
             "InvalidParameterException",
             "Invalid parameter at 'imageTagMutability' failed to satisfy constraint: 'must satisfy enum "
             "value set: "
             "[MUTABLE, IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]'"},
        Case{&ecr::kModel, "CreateRepository", R"({"repositoryName":")" + std::string(256, 'a') + "\"}", "",
             ""},
        Case{&ecr::kModel, "CreateRepository", R"({"repositoryName":")" + std::string(257, 'a') + "\"}",
             "InvalidParameterException",
             "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must have length less "
             "than or "
             "equal to 256'"}));

INSTANTIATE_TEST_SUITE_P(
    Logs, Validation,
    testing::Values(
        Case{&logs::kModel, "CreateLogGroup", R"({"logGroupName":"a b"})", "InvalidParameterException",
             "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: "
             "Member must "
             R"(satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+)"},
        Case{&logs::kModel, "GetLogEvents", R"({"logGroupName":"g","logStreamName":"s","limit":10001})",
             "InvalidParameterException",
             "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member "
             "must have "
             "value less than or equal to 10000"},
        Case{&logs::kModel, "PutLogEvents",
             R"({"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1}]})",
             "InvalidParameterException",
             "1 validation error detected: Value null at 'logEvents.1.member.message' failed to satisfy "
             "constraint: "
             "Member must not be null"},
        Case{&logs::kModel, "GetLogEvents", R"({"logGroupName":"","limit":0})", "InvalidParameterException",
             "3 validation errors detected: Value '' at 'logGroupName' failed to satisfy constraint: Member "
             "must "
             "have length greater than or equal to 1; Value null at 'logStreamName' failed to satisfy "
             "constraint: "
             "Member must not be null; Value '0' at 'limit' failed to satisfy constraint: Member must have "
             "value "
             "greater than or equal to 1"}));

INSTANTIATE_TEST_SUITE_P(
    Ecs, Validation,
    testing::Values(
        Case{&ecs::kModel, "RegisterTaskDefinition", R"({"family":"web"})", "ClientException",
             "Container list cannot be empty."},
        Case{&ecs::kModel, "RegisterTaskDefinition", R"({"containerDefinitions":[]})", "ClientException",
             "Family should not be null or empty."},
        Case{&ecs::kModel, "DescribeTasks", "{}", "InvalidParameterException", "Tasks cannot be empty."},
        Case{&ecs::kModel, "RunTask", "{}", "InvalidParameterException", "TaskDefinition can not be blank."},
        Case{&ecs::kModel, "RunTask",
             R"({"taskDefinition":"a","networkConfiguration":{"awsvpcConfiguration":{}}})",
             "InvalidParameterException", "subnets can not be empty."},
        Case{&ecs::kModel, "RunTask", R"({"taskDefinition":"a","launchType":"MOON"})",
             "InvalidParameterException",
             "Invalid setting for 'launchType'. Must satisfy enum value set: [EC2, FARGATE, EXTERNAL, "
             "MANAGED_INSTANCES]."}));

INSTANTIATE_TEST_SUITE_P(
    Query, Validation,
    testing::Values(Case{&elbv2::kModel, "CreateLoadBalancer", "Scheme=internal", "ValidationError",
                         "1 validation error detected: Value null at 'name' failed to satisfy constraint: "
                         "Member must not be "
                         "null"},
                    Case{&elbv2::kModel, "CreateTargetGroup", "Name=a&Port=70000", "ValidationError",
                         "1 validation error detected: Value '70000' at 'port' failed to satisfy constraint: "
                         "Member must have "
                         "value less than or equal to 65535"},
                    Case{&sts::kModel, "AssumeRole",
                         "RoleArn=arn:aws:iam::000000000000:role/x&RoleSessionName=a%20b", "ValidationError",
                         "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy "
                         "constraint: Member "
                         R"(must satisfy regular expression pattern: [\w+=,.@-]*)"},
                    Case{&ec2::kModel, "CreateSecurityGroup", "GroupName=a", "MissingParameter",
                         "The request must contain the parameter GroupDescription"}));

}  // namespace
}  // namespace sampan::api
