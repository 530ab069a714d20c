// The client against the dispatcher, over a real socket.
#include "aws/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/ec2.h"
#include "api/ecs.h"
#include "api/elbv2.h"
#include "core/error.h"
#include "http/server.h"
#include "tests/front.h"

namespace sampan::api {
namespace {

class Tasks final : public ecs::ServiceApi {
 public:
  boost::asio::awaitable<ecs::RunTaskOutput> RunTask(const aws::Call& call, ecs::RunTaskInput in) override {
    ecs::Task task;
    task.taskDefinitionArn = in.taskDefinition;
    task.createdAt = call.now;
    task.tags = in.tags;
    co_return ecs::RunTaskOutput{.tasks = std::vector{task}};
  }
  boost::asio::awaitable<ecs::StopTaskOutput> StopTask(const aws::Call&, ecs::StopTaskInput) override {
    throw ecs::InvalidParameterException("The referenced task was not found.");
  }
};

class Rules final : public elbv2::Service {
 public:
  boost::asio::awaitable<elbv2::CreateRuleOutput> CreateRule(const aws::Call&,
                                                             elbv2::CreateRuleInput in) override {
    elbv2::Rule rule;
    rule.Conditions = in.Conditions;
    rule.Actions = in.Actions;
    rule.Priority = std::to_string(in.Priority);
    co_return elbv2::CreateRuleOutput{.Rules = std::vector{rule}};
  }
};

class Vpcs final : public ec2::Service {
 public:
  boost::asio::awaitable<ec2::DeleteVpcOutput> DeleteVpc(const aws::Call&, ec2::DeleteVpcInput in) override {
    if (in.VpcId == "vpc-1") co_return ec2::DeleteVpcOutput{};
    throw aws::Fault("InvalidVpcID.NotFound", 400, "The vpc ID '" + in.VpcId + "' does not exist");
  }
};

class ClientTest : public testing::Test {
 protected:
  ClientTest() {
    for (aws::AnyService* service : std::initializer_list<aws::AnyService*>{&tasks, &rules, &vpcs}) {
      dispatcher.add(*service);
    }
    server.listen("127.0.0.1", 0);
    client.emplace("http://127.0.0.1:" + std::to_string(server.port()) + "/", "us-east-1", key_of_client);
  }

  template <class Op>
  typename Op::Output call(typename Op::Input in) {
    std::optional<typename Op::Output> result;
    std::exception_ptr failure;
    boost::asio::co_spawn(executors.net(), client->call<Op>(std::move(in)),
                          [&](std::exception_ptr error, typename Op::Output out) {
                            failure = error;
                            result = std::move(out);
                            executors.stop();
                          });
    executors.net().restart();
    executors.net().run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }

  core::SystemClock clock;
  core::SystemIdSource ids;
  io::Executors executors{1, 1};
  OneKey key{true};
  aws::Credentials key_of_client{"AKIDEXAMPLE", "secret", ""};
  Tasks tasks;
  Rules rules;
  Vpcs vpcs;
  aws::Dispatcher dispatcher{executors, key, clock, ids};
  http::Server server{executors, [this](http::Request& request, http::BodyReader& body) {
                        return dispatcher.handle(request, body);
                      }};
  std::optional<aws::Client> client;
};

TEST_F(ClientTest, SpeaksJson) {
  const auto out = call<ecs::ops::RunTask>(
      {.tags = std::vector{ecs::Tag{.key = "a", .value = "Trang sức"}}, .taskDefinition = "web:3"});
  ASSERT_TRUE(out.tasks && out.tasks->size() == 1);
  EXPECT_EQ(out.tasks->front().taskDefinitionArn, "web:3");
  EXPECT_EQ(out.tasks->front().tags->front().value, "Trang sức");
  EXPECT_LT(clock.now() - *out.tasks->front().createdAt, std::chrono::minutes(1));
}

TEST_F(ClientTest, SpeaksQuery) {
  elbv2::CreateRuleInput in;
  in.ListenerArn = "arn";
  in.Priority = 7;
  in.Conditions.push_back({.Field = "path-pattern", .Values = std::vector<std::string>{"/a&b/*", "<c>"}});
  in.Actions.push_back({.Type = "forward", .TargetGroupArn = "tg"});
  const auto out = call<elbv2::ops::CreateRule>(in);
  ASSERT_TRUE(out.Rules && out.Rules->size() == 1);
  EXPECT_EQ(out.Rules->front().Conditions, in.Conditions);
  EXPECT_EQ(out.Rules->front().Actions, in.Actions);
  EXPECT_EQ(out.Rules->front().Priority, "7");
}

TEST_F(ClientTest, SpeaksEc2) {
  call<ec2::ops::DeleteVpc>({.VpcId = "vpc-1"});
}

TEST_F(ClientTest, ThrowsTheServersFault) {
  try {
    call<ecs::ops::StopTask>({.task = "x"});
    FAIL();
  } catch (const aws::Fault& fault) {
    EXPECT_EQ(fault.code(), "InvalidParameterException");
    EXPECT_EQ(fault.http_status(), 400);
    EXPECT_STREQ(fault.what(), "The referenced task was not found.");
  }
  try {
    call<ec2::ops::DeleteVpc>({.VpcId = "vpc-2"});
    FAIL();
  } catch (const aws::Fault& fault) {
    EXPECT_EQ(fault.code(), "InvalidVpcID.NotFound");
  }
}

TEST_F(ClientTest, AWrongKeyIsAFaultAndADeadServerAnError) {
  const auto endpoint = client->endpoint();
  client.emplace(endpoint, "us-east-1", aws::Credentials{"AKIDEXAMPLE", "wrong", ""});
  EXPECT_THROW(call<ecs::ops::ListClusters>({}), aws::Fault);
  client.emplace("http://127.0.0.1:1", "us-east-1", key_of_client);
  EXPECT_THROW(call<ecs::ops::ListClusters>({}), core::Error);
}

}  // namespace
}  // namespace sampan::api
