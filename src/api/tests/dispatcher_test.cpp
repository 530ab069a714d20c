#include "aws/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/ec2.h"
#include "api/ecr.h"
#include "api/ecs.h"
#include "api/elbv2.h"
#include "api/sts.h"
#include "tests/front.h"

namespace sampan::api {
namespace {

using testing::HasSubstr;

// Answers from what it was asked and by whom.
class Clusters final : public ecs::ServiceApi {
 public:
  boost::asio::awaitable<ecs::CreateClusterOutput> CreateCluster(const aws::Call& call,
                                                                 ecs::CreateClusterInput in) override {
    seen = call;
    ecs::Cluster made;
    made.clusterName = in.clusterName.value_or("default");
    made.clusterArn = "arn:aws:ecs:" + call.region + ":" + call.account + ":cluster/" + *made.clusterName;
    co_return ecs::CreateClusterOutput{.cluster = made};
  }
  boost::asio::awaitable<ecs::DeleteClusterOutput> DeleteCluster(const aws::Call&,
                                                                 ecs::DeleteClusterInput) override {
    throw ecs::ClusterNotFoundException("Cluster not found.");
  }
  boost::asio::awaitable<ecs::RunTaskOutput> RunTask(const aws::Call&, ecs::RunTaskInput) override {
    ecs::ConflictException conflict("Not the same request.");
    conflict.set_member("resourceIds", boost::json::array{"a", "b"});
    throw conflict;
  }
  boost::asio::awaitable<ecs::ListClustersOutput> ListClusters(const aws::Call&,
                                                               ecs::ListClustersInput) override {
    throw std::runtime_error("the disk is on fire");
  }
  aws::Call seen;
};

class Balancers final : public elbv2::Service {
 public:
  boost::asio::awaitable<elbv2::DescribeLoadBalancersOutput> DescribeLoadBalancers(
      const aws::Call&, elbv2::DescribeLoadBalancersInput in) override {
    if (in.Names && in.Names->front() == "gone") {
      throw elbv2::LoadBalancerNotFoundException("Load balancers '[gone]' not found");
    }
    co_return elbv2::DescribeLoadBalancersOutput{.LoadBalancers = std::vector<elbv2::LoadBalancer>{}};
  }
};

class Caller final : public sts::Service {
 public:
  boost::asio::awaitable<sts::GetCallerIdentityOutput> GetCallerIdentity(
      const aws::Call& call, sts::GetCallerIdentityInput) override {
    co_return sts::GetCallerIdentityOutput{
        .UserId = call.account, .Account = call.account, .Arn = call.principal_arn};
  }
};

class DispatcherTest : public testing::Test {
 protected:
  explicit DispatcherTest(bool verifies = false) : front(verifies) {
    front.dispatcher.add(clusters);
    front.dispatcher.add(registry);
    front.dispatcher.add(balancers);
    front.dispatcher.add(caller);
  }
  static constexpr const char* kCreate = "AmazonEC2ContainerServiceV20141113.CreateCluster";

  Clusters clusters;
  ecr::Service registry;
  Balancers balancers;
  Caller caller;
  Front front;
};

TEST_F(DispatcherTest, AnswersJson) {
  const auto answer =
      front.json(kCreate, R"({"clusterName":"shop","unknownMember":[1,{"a":2}],"tags":null})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(
      answer.body,
      R"({"cluster":{"clusterArn":"arn:aws:ecs:us-east-1:123456789012:cluster/shop","clusterName":"shop"}})");
  EXPECT_EQ(answer.headers.get("content-type"), "application/x-amz-json-1.1");
  EXPECT_EQ(answer.headers.get("x-amzn-requestid").size(), 36u);
  EXPECT_EQ(clusters.seen.host, "localhost:4566");
  EXPECT_EQ(clusters.seen.operation, "CreateCluster");
  EXPECT_EQ(clusters.seen.now, front.clock.now());
}

TEST_F(DispatcherTest, AnEmptyBodyIsAnEmptyInput) {
  EXPECT_THAT(front.json(kCreate, "").body, HasSubstr(R"("clusterName":"default")"));
}

TEST_F(DispatcherTest, TellsAModelledFault) {
  const auto answer = front.json("AmazonEC2ContainerServiceV20141113.DeleteCluster", R"({"cluster":"x"})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, R"({"__type":"ClusterNotFoundException","message":"Cluster not found."})");
}

TEST_F(DispatcherTest, TellsAFaultsOtherMembers) {
  const auto answer = front.json("AmazonEC2ContainerServiceV20141113.RunTask", R"({"taskDefinition":"web"})");
  EXPECT_EQ(answer.body,
            R"({"__type":"ConflictException","message":"Not the same request.","resourceIds":["a","b"]})");
}

TEST_F(DispatcherTest, KeepsAFailureOfTheWorldToItself) {
  const auto answer = front.json("AmazonEC2ContainerServiceV20141113.ListClusters", "{}");
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("InternalFailure"));
  EXPECT_THAT(answer.body, Not(HasSubstr("fire")));
}

TEST_F(DispatcherTest, SaysWhatIsNotImplemented) {
  const auto answer = front.json("AmazonEC2ContainerServiceV20141113.UpdateCluster", R"({"cluster":"x"})");
  EXPECT_EQ(answer.status, 501);
  EXPECT_THAT(answer.body, HasSubstr("ecs:UpdateCluster"));
  EXPECT_THAT(answer.body, HasSubstr("docs/coverage.md"));
}

TEST_F(DispatcherTest, UnknownOperationAndUnknownServiceAreTold) {
  auto answer = front.json("AmazonEC2ContainerServiceV20141113.MakeTea", "{}");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("UnknownOperationException"));
  answer = front.json("DynamoDB_20120810.ListTables", "{}");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("UnknownOperationException"));
  EXPECT_THAT(answer.body, HasSubstr("ecs, ecr, elbv2, sts"));
  EXPECT_EQ(front.json("nonsense", "{}").status, 400);
}

TEST_F(DispatcherTest, AnswersQueryInXml) {
  const auto answer = front.form("Action=GetCallerIdentity&Version=2011-06-15");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("content-type"), "text/xml");
  const auto id = std::string(answer.headers.get("x-amzn-requestid"));
  EXPECT_EQ(answer.body,
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
            "<GetCallerIdentityResult><UserId>123456789012</UserId><Account>123456789012</Account>"
            "<Arn>arn:aws:iam::123456789012:root</Arn></GetCallerIdentityResult>"
            "<ResponseMetadata><RequestId>" +
                id + "</RequestId></ResponseMetadata></GetCallerIdentityResponse>");
}

TEST_F(DispatcherTest, VersionTellsQueryServicesApart) {
  const auto answer = front.form("Action=DescribeLoadBalancers&Version=2015-12-01");
  EXPECT_THAT(answer.body,
              HasSubstr("<DescribeLoadBalancersResult><LoadBalancers/></DescribeLoadBalancersResult>"));
}

TEST_F(DispatcherTest, TellsAQueryFault) {
  const auto answer = front.form("Action=DescribeLoadBalancers&Version=2015-12-01&Names.member.1=gone");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("<Type>Sender</Type><Code>LoadBalancerNotFound</Code>"
                                     "<Message>Load balancers '[gone]' not found</Message>"));
}

TEST_F(DispatcherTest, ActionMustBeThereAndKnown) {
  EXPECT_THAT(front.form("Version=2015-12-01").body, HasSubstr("<Code>MissingAction</Code>"));
  EXPECT_THAT(front.form("Action=MakeTea&Version=2015-12-01").body,
              HasSubstr("Could not find operation MakeTea for version 2015-12-01"));
  EXPECT_THAT(front.form("Action=ListUsers&Version=2010-05-08").body,
              HasSubstr("<Code>InvalidAction</Code>"));
  EXPECT_THAT(front.form("").body, HasSubstr("MissingAction"));
  EXPECT_THAT(front.form("Action=%zz").body, HasSubstr("MalformedQueryString"));
}

TEST_F(DispatcherTest, ABodyOverTheLimitIsRefused) {
  const aws::DispatcherOptions options{.body_limit = 100, .form_limit = 50};
  Front small(false, options);
  small.dispatcher.add(clusters);
  small.dispatcher.add(caller);
  const std::string name(100 - std::string(R"({"clusterName":""})").size(), 'n');
  EXPECT_EQ(small.json(kCreate, R"({"clusterName":")" + name + "\"}").status, 200);
  EXPECT_EQ(small.json(kCreate, R"({"clusterName":"n)" + name + "\"}").status, 413);
  EXPECT_EQ(small.form(std::string(51, 'a')).status, 413);
}

TEST_F(DispatcherTest, MalformedJsonIsASerializationException) {
  for (auto body : {"{", "[]", "\"x\"", R"({"clusterName":)", R"({"clusterName":5})", R"({"tags":{}})",
                    R"({"tags":["x"]})", R"({"configuration":[]})", "{\"clusterName\":\"\xff\"}"}) {
    const auto answer = front.json(kCreate, body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.body, HasSubstr("SerializationException")) << body;
  }
}

TEST_F(DispatcherTest, NestingHasALimit) {
  const auto nested = [](std::size_t depth) {
    return R"({"x":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_EQ(front.json(kCreate, nested(63)).status, 200);
  EXPECT_EQ(front.json(kCreate, nested(64)).status, 400);
  EXPECT_EQ(front.json(kCreate, nested(200000)).status, 400);
}

TEST_F(DispatcherTest, CountsCallsByOutcome) {
  front.json(kCreate, "{}");
  front.json("AmazonEC2ContainerServiceV20141113.DeleteCluster", R"({"cluster":"x"})");
  const auto text = core::metrics::render();
  EXPECT_THAT(text, HasSubstr("sampan_api_calls_total"));
  EXPECT_THAT(text, HasSubstr("DeleteCluster"));
  EXPECT_THAT(text, HasSubstr("sampan_api_call_microseconds_total"));
}

// ---- signatures
// ----------------------------------------------------------------------------------------------

class SignedTest : public DispatcherTest {
 protected:
  SignedTest() : DispatcherTest(true) {}
  Answer call() { return front.signed_json(kCreate, "{}", "ecs"); }
};

TEST_F(SignedTest, AGoodSignatureBringsItsRegion) {
  const auto answer = call();
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("arn:aws:ecs:eu-west-1:123456789012:cluster/default"));
  EXPECT_EQ(clusters.seen.access_key, "AKIDEXAMPLE");
}

TEST_F(SignedTest, NoSignatureIsMissingAuthentication) {
  EXPECT_THAT(front.json(kCreate, "{}").body, HasSubstr("MissingAuthenticationTokenException"));
  const auto answer = front.form("Action=GetCallerIdentity&Version=2011-06-15");
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("<Code>MissingAuthenticationToken</Code>"));
}

TEST_F(SignedTest, AWrongSecretDoesNotMatch) {
  front.credentials.secret = "other";
  const auto answer = call();
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("InvalidSignatureException"));
  EXPECT_THAT(answer.body, HasSubstr("The request signature we calculated does not match"));
}

TEST_F(SignedTest, AStrangersKeyIsUnrecognized) {
  front.credentials.access_key = "AKIDSTRANGER";
  EXPECT_THAT(call().body, HasSubstr("UnrecognizedClientException"));
}

TEST_F(SignedTest, AnUnreadFormsErrorHasItsServicesShape) {
  ec2::Service addresses;
  front.dispatcher.add(addresses);
  const std::string body = "Action=DescribeVpcs&Version=2016-11-15";
  auto request = Front::form_request();
  front.credentials.access_key = "AKIDSTRANGER";
  aws::sign_request(request, body, front.credentials, "eu-west-1", "ec2", front.clock.now());
  const auto answer = front.send(request, body);
  EXPECT_EQ(answer.status, 401);
  EXPECT_THAT(answer.body, HasSubstr("<Response><Errors><Error><Code>AuthFailure</Code>"));
}

TEST_F(SignedTest, AServiceThatIsNotHereIsNamed) {
  http::Request request{"GET", "/2015-03-31/functions", {}, "", false, std::nullopt};
  request.headers.set("Host", "localhost:4566");
  aws::sign_request(request, "", front.credentials, "eu-west-1", "lambda", front.clock.now());
  const auto answer = front.send(request, "");
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, HasSubstr("There is no service 'lambda' here. Sampan has ecs, ecr, elbv2, sts."));
}

TEST_F(SignedTest, AChangedBodyDoesNotMatch) {
  auto request = Front::json_request(kCreate);
  aws::sign_request(request, "{}", front.credentials, "eu-west-1", "ecs", front.clock.now());
  EXPECT_THAT(front.send(request, R"({"clusterName":"x"})").body, HasSubstr("InvalidSignatureException"));
}

TEST_F(SignedTest, AnotherServicesSignatureIsRefused) {
  EXPECT_THAT(front.signed_json(kCreate, "{}", "ecr").body,
              HasSubstr("Credential should be scoped to correct service: 'ecs'"));
}

TEST_F(SignedTest, ClocksMayDifferByFifteenMinutes) {
  auto request = Front::json_request(kCreate);
  aws::sign_request(request, "{}", front.credentials, "eu-west-1", "ecs", front.clock.now());
  front.clock.advance(std::chrono::minutes(15));
  EXPECT_EQ(front.send(request, "{}").status, 200);
  front.clock.advance(std::chrono::seconds(1));
  EXPECT_THAT(front.send(request, "{}").body,
              HasSubstr("Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z "
                        "(20260102T031906Z - 15 min.)"));
  front.clock.advance(-std::chrono::minutes(31));
  EXPECT_THAT(front.send(request, "{}").body, HasSubstr("Signature not yet current"));
}

TEST_F(SignedTest, ASessionNeedsItsToken) {
  front.key.identity().session_token = "token";
  EXPECT_THAT(call().body, HasSubstr("UnrecognizedClientException"));
  front.credentials.session_token = "token";
  EXPECT_EQ(call().status, 200);
  front.key.identity().expires = front.clock.now();
  EXPECT_THAT(call().body, HasSubstr("ExpiredTokenException"));
}

TEST_F(SignedTest, PresignedUrlsWorkUntilTheyExpire) {
  http::Request request{"GET", "/?Action=GetCallerIdentity&Version=2011-06-15", {}, "", false, std::nullopt};
  request.headers.set("Host", "localhost:4566");
  request.target = aws::presign_target(request, front.credentials, "us-east-1", "sts", front.clock.now(),
                                       std::chrono::seconds(60));
  EXPECT_EQ(front.send(request, "").status, 200);
  front.clock.advance(std::chrono::seconds(61));
  EXPECT_THAT(front.send(request, "").body, HasSubstr("<Code>RequestExpired</Code>"));
  request.target += "0";
  front.clock.advance(-std::chrono::seconds(61));
  EXPECT_THAT(front.send(request, "").body, HasSubstr("SignatureDoesNotMatch"));
}

TEST_F(SignedTest, HostMustBeSigned) {
  auto request = Front::json_request(kCreate);
  request.headers.set("X-Amz-Date", aws::to_amz_date(front.clock.now()));
  request.headers.set("Authorization",
                      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-west-1/ecs/aws4_request, "
                      "SignedHeaders=x-amz-date, Signature=00");
  EXPECT_THAT(front.send(request, "{}").body, HasSubstr("'Host'"));
}

TEST_F(SignedTest, TheOperationMustBeSigned) {
  auto request = Front::post();
  aws::sign_request(request, "{}", front.credentials, "eu-west-1", "ecs", front.clock.now());
  request.headers.set("X-Amz-Target", kCreate);
  EXPECT_THAT(front.send(request, "{}").body, HasSubstr("'X-Amz-Target' must be a 'SignedHeader'"));
}

TEST_F(SignedTest, RandomAuthorizationHeadersNeverCrash) {
  const std::string good =
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-west-1/ecs/aws4_request, "
      "SignedHeaders=host;x-amz-date, "
      "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
  core::SeededIdSource random(3);
  for (int round = 0; round < 1000; ++round) {
    auto text = good;
    for (auto flips = random.next() % 4 + 1; flips > 0; --flips) {
      text[random.next() % text.size()] = static_cast<char>(random.next() % 94 + 33);
    }
    if (random.next() % 4 == 0) text.resize(random.next() % text.size());
    auto request = Front::json_request(kCreate);
    request.headers.set("X-Amz-Date", aws::to_amz_date(front.clock.now()));
    request.headers.set("Authorization", text);
    EXPECT_EQ(front.send(request, "{}").status, 400) << text;
  }
}

}  // namespace
}  // namespace sampan::api
