#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "api/ec2.h"
#include "api/ecr.h"
#include "api/ecs.h"
#include "api/elbv2.h"
#include "api/logs.h"
#include "aws/form.h"
#include "aws/json_codec.h"
#include "aws/query_codec.h"
#include "aws/row_codec.h"
#include "aws/wire.h"
#include "aws/xml_codec.h"
#include "core/random.h"

namespace sampan::api {
namespace {

using testing::HasSubstr;

// Fills any shape with values, from a seed: every member of every structure is met sooner or later.
class Filler {
 public:
  // `full`: nothing is left out and nothing is empty, as a form cannot tell empty from absent.
  explicit Filler(std::uint64_t seed, bool full = false) : random_(seed), full_(full) {}

  void fill(const aws::Shape& shape, void* out, int depth = 0) {
    switch (shape.kind) {
      case aws::Kind::kBoolean:
        *static_cast<bool*>(out) = random_.next() % 2;
        return;
      case aws::Kind::kInteger:
        *static_cast<int*>(out) = static_cast<int>(random_.next());
        return;
      case aws::Kind::kLong:
        *static_cast<std::int64_t*>(out) = static_cast<std::int64_t>(random_.next());
        return;
      case aws::Kind::kFloat:
        *static_cast<float*>(out) = static_cast<float>(random_.next() % 1000) / 8;
        return;
      case aws::Kind::kDouble:
        *static_cast<double*>(out) = static_cast<double>(random_.next() % 100000) / 64;
        return;
      case aws::Kind::kString:
        *static_cast<std::string*>(out) = text();
        return;
      case aws::Kind::kBlob:
        *static_cast<std::string*>(out) = text() + std::string("\0\xff", 2);
        return;
      case aws::Kind::kTimestamp:
        *static_cast<core::TimePoint*>(out) = core::TimePoint(core::Millis(random_.next() % 4000000000000));
        return;
      case aws::Kind::kDocument:
        *static_cast<boost::json::value*>(out) = {{"any", {1, "two"}}};
        return;
      case aws::Kind::kList:
        for (auto n = count(depth); n > 0; --n) {
          fill(*shape.element, shape.list->append(out), depth + 1);
        }
        return;
      case aws::Kind::kMap:
        for (auto n = count(depth); n > 0; --n) {
          fill(*shape.element, shape.map->insert(out, text() + std::to_string(n)), depth + 1);
        }
        return;
      case aws::Kind::kStructure:
        for (const auto& member : shape.members) {
          const bool skip = member.optional && !full_ && (depth > 8 || random_.next() % 3 == 0);
          if (!skip) fill(*member.shape, aws::emplace(member, out), depth + 1);
        }
    }
  }

 private:
  std::uint64_t count(int depth) {
    if (full_) return random_.next() % 2 + 1;
    return depth > 8 ? 0 : random_.next() % 3;
  }
  std::string text() {
    static const char* const kTexts[] = {"a",           "web/1",          "\"quoted\" \\ back", "Trang sức",
                                         "<tag> & 'x'", "tab\tline\nend", " spaces ",           "100%+1=?"};
    return kTexts[random_.next() % std::size(kTexts)];
  }
  core::SeededIdSource random_;
  bool full_;
};

template <class T>
void json_round_trips() {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    T value{};
    Filler(seed).fill(T::kShape, &value);
    const auto text = aws::json_encode(value);
    EXPECT_TRUE(aws::json_decode<T>(text) == value) << text;
    EXPECT_TRUE(aws::from_json<T>(aws::to_json(value)) == value) << text;
    EXPECT_TRUE(store::RowCodec<T>::decode(store::RowCodec<T>::encode(value)) == value);
  }
}

TEST(JsonCodec, RoundTripsWhateverTheModelsHold) {
  json_round_trips<ecs::Task>();
  json_round_trips<ecs::TaskDefinition>();
  json_round_trips<ecs::Service>();
  json_round_trips<ecr::DescribeImageScanFindingsResponse>();
  json_round_trips<ecr::UploadLayerPartRequest>();
  json_round_trips<logs::FilterLogEventsResponse>();
  json_round_trips<elbv2::Rule>();
}

TEST(JsonCodec, EveryOperationRoundTrips) {
  for (const auto* model : {&ecs::kModel, &ecr::kModel, &logs::kModel}) {
    for (const auto& operation : model->operations) {
      for (std::uint64_t seed = 0; seed < 4; ++seed) {
        auto first = operation.exchange();
        auto second = operation.exchange();
        Filler(seed).fill(operation.input, first->input());
        std::string text;
        aws::encode_json(operation.input, first->input(), text);
        aws::decode_json(operation.input, text, second->input());
        EXPECT_TRUE(aws::equal(operation.input, first->input(), second->input())) << operation.name << text;
      }
    }
  }
}

TEST(QueryCodec, EveryOperationsInputAndOutputRoundTrip) {
  for (const auto* model : {&elbv2::kModel, &ec2::kModel}) {
    for (const auto& operation : model->operations) {
      for (std::uint64_t seed = 0; seed < 6; ++seed) {
        auto first = operation.exchange();
        Filler(seed, true).fill(operation.input, first->input());
        const auto text = aws::encode_query(*model, operation, first->input());
        auto second = operation.exchange();
        aws::decode_query(model->protocol, operation.input, aws::Form::parse(text), second->input());
        EXPECT_TRUE(aws::equal(operation.input, first->input(), second->input())) << operation.name << text;

        auto* output = const_cast<void*>(first->output());
        Filler(seed).fill(operation.output, output);
        const auto answer = aws::encode_answer(*model, operation, output, "id");
        const auto& body = std::get<std::string>(answer.body);
        aws::decode_answer(*model, operation, body, const_cast<void*>(second->output()));
        EXPECT_TRUE(aws::equal(operation.output, output, second->output())) << operation.name << body;
      }
    }
  }
}

TEST(JsonCodec, WritesAsAwsDoes) {
  ecs::Task task;
  task.createdAt = core::TimePoint(core::Millis(1700000000123));
  task.startedAt = core::TimePoint(core::Millis(1700000000000));
  task.version = 3;
  task.enableExecuteCommand = true;
  EXPECT_EQ(aws::json_encode(task),
            R"({"createdAt":1700000000.123,"enableExecuteCommand":true,"startedAt":1700000000,"version":3})");
  EXPECT_EQ(aws::json_encode(ecs::Scale{.value = 100.0}), R"({"value":100.0})");
  EXPECT_EQ(aws::json_encode(ecs::Tag{.key = "\x01\n\"\\"}), "{\"key\":\"\\u0001\\n\\\"\\\\\"}");
}

TEST(JsonCodec, NumbersOutOfRangeAreRefused) {
  using In = ecs::ListClustersInput;
  EXPECT_EQ(aws::json_decode<In>(R"({"maxResults":2147483647})").maxResults, 2147483647);
  EXPECT_THROW(aws::json_decode<In>(R"({"maxResults":2147483648})"), aws::SerializationError);
  EXPECT_THROW(aws::json_decode<In>(R"({"maxResults":1e300})"), aws::SerializationError);
  EXPECT_THROW(aws::json_decode<In>(R"({"maxResults":"5"})"), aws::SerializationError);
  EXPECT_EQ(aws::json_decode<In>(R"({"maxResults":5.0})").maxResults, 5);
}

TEST(QueryCodec, ReadsWhatToolsSend) {
  const auto form = aws::Form::parse(
      "Action=CreateRule&Version=2015-12-01&ListenerArn=arn&Priority=10"
      "&Conditions.member.1.Field=path-pattern&Conditions.member.1.Values.member.1=%2Fa%2F*"
      "&Conditions.member.1.Values.member.2=%2Fb&Conditions.member.10.Field=host-header"
      "&Conditions.member.2.HttpHeaderConfig.HttpHeaderName=X&Actions.member.1.Type=forward"
      "&Actions.member.1.ForwardConfig.TargetGroups.member.1.Weight=5&Tags=");
  elbv2::CreateRuleInput in;
  aws::decode_query(aws::Protocol::kQuery, elbv2::CreateRuleInput::kShape, form, &in);
  EXPECT_EQ(in.Priority, 10);
  ASSERT_EQ(in.Conditions.size(), 3u);
  EXPECT_EQ(in.Conditions[0].Values, (std::vector<std::string>{"/a/*", "/b"}));
  EXPECT_EQ(in.Conditions[1].HttpHeaderConfig->HttpHeaderName, "X");
  EXPECT_EQ(in.Conditions[2].Field, "host-header");
  EXPECT_EQ(in.Actions[0].ForwardConfig->TargetGroups->front().Weight, 5);
  ASSERT_TRUE(in.Tags);
  EXPECT_TRUE(in.Tags->empty());
}

TEST(Ec2Codec, ReadsFlatListsAndCapitalNames) {
  const auto form = aws::Form::parse(
      "Action=AuthorizeSecurityGroupIngress&GroupId=sg-1&IpPermissions.1.FromPort=80&IpPermissions.1.ToPort="
      "80"
      "&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0%2F0"
      "&IpPermissions.1.Groups.1.GroupId=sg-2&DryRun=true");
  ec2::AuthorizeSecurityGroupIngressInput in;
  aws::decode_query(aws::Protocol::kEc2, ec2::AuthorizeSecurityGroupIngressInput::kShape, form, &in);
  EXPECT_EQ(in.GroupId, "sg-1");
  EXPECT_EQ(in.DryRun, true);
  ASSERT_TRUE(in.IpPermissions);
  const auto& rule = in.IpPermissions->front();
  EXPECT_EQ(rule.FromPort, 80);
  EXPECT_EQ(rule.IpRanges->front().CidrIp, "0.0.0.0/0");
  EXPECT_EQ(rule.UserIdGroupPairs->front().GroupId, "sg-2");
}

TEST(Ec2Codec, WritesItems) {
  ec2::DescribeVpcsOutput out;
  out.Vpcs.emplace().push_back({.VpcId = "vpc-1", .CidrBlock = "172.30.0.0/16"});
  const auto answer =
      aws::encode_answer(ec2::kModel, *aws::find_operation(ec2::kModel, "DescribeVpcs"), &out, "id");
  EXPECT_THAT(std::get<std::string>(answer.body),
              HasSubstr("<DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
                        "<requestId>id</requestId><vpcSet><item>"));
  EXPECT_THAT(std::get<std::string>(answer.body), HasSubstr("<vpcId>vpc-1</vpcId>"));
}

TEST(QueryCodec, RefusesWhatIsNoNumber) {
  for (auto bad :
       {"Priority=x", "Priority=", "Priority=1.5", "Priority=99999999999", "Priority.member.1=4"}) {
    elbv2::CreateRuleInput in;
    EXPECT_THROW(
        aws::decode_query(aws::Protocol::kQuery, elbv2::CreateRuleInput::kShape, aws::Form::parse(bad), &in),
        aws::SerializationError)
        << bad;
  }
}

TEST(XmlText, EscapesAndReplaces) {
  std::string out;
  aws::append_xml_text("a<b>&\"\r\n\x01", out);
  EXPECT_EQ(out, "a&lt;b&gt;&amp;&quot;&#xD;\n\xEF\xBF\xBD");
}

TEST(Faults, AreReadBackByTheClient) {
  const elbv2::PriorityInUseException fault("Priority '1' is <in use>");
  auto told = aws::encode_fault(aws::dialect_of(elbv2::kModel), fault, "id");
  auto read = aws::decode_fault(elbv2::kModel, told.status, std::get<std::string>(told.body));
  EXPECT_EQ(read.code(), "PriorityInUse");
  EXPECT_STREQ(read.what(), fault.what());
  told = aws::encode_fault(aws::dialect_of(ec2::kModel), aws::Fault("InvalidVpcID.NotFound", 400, "no vpc"),
                           "id");
  read = aws::decode_fault(ec2::kModel, told.status, std::get<std::string>(told.body));
  EXPECT_EQ(read.code(), "InvalidVpcID.NotFound");
  ecr::InvalidLayerPartException part("bad part");
  part.set_member("lastValidByteReceived", 5);
  told = aws::encode_fault(aws::dialect_of(ecr::kModel), part, "id");
  read = aws::decode_fault(ecr::kModel, told.status, std::get<std::string>(told.body));
  EXPECT_EQ(read.code(), "InvalidLayerPartException");
  EXPECT_EQ(read.members().at("lastValidByteReceived"), 5);
  EXPECT_EQ(aws::decode_fault(ecr::kModel, 502, "<html>bad gateway").code(), "UnknownError");
  EXPECT_EQ(aws::decode_fault(elbv2::kModel, 502, "bad gateway").code(), "UnknownError");
}

// ---- input that nobody meant
// ---------------------------------------------------------------------------------

std::string mutated(std::string text, core::SeededIdSource& random) {
  for (auto changes = random.next() % 6; changes > 0 && !text.empty(); --changes) {
    const auto at = random.next() % text.size();
    switch (random.next() % 4) {
      case 0:
        text[at] = static_cast<char>(random.next());
        break;
      case 1:
        text.erase(at, random.next() % 5 + 1);
        break;
      case 2:
        text.insert(at, text.substr(random.next() % text.size(), 8));
        break;
      default:
        text.insert(at, 1, "{}[]\",:.&=%"[random.next() % 11]);
    }
  }
  return text;
}

TEST(JsonCodec, MutatedInputNeverCrashes) {
  core::SeededIdSource random(11);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    ecs::RegisterTaskDefinitionInput in;
    if (round % 10 == 0)
      Filler(static_cast<std::uint64_t>(round)).fill(ecs::RegisterTaskDefinitionInput::kShape, &in);
    const auto text = mutated(aws::json_encode(in), random);
    try {
      aws::json_decode<ecs::RegisterTaskDefinitionInput>(text);
      ++accepted;
    } catch (const aws::SerializationError&) {
    }
  }
  EXPECT_GT(accepted, 100);
}

TEST(QueryCodec, MutatedFormsNeverCrash) {
  core::SeededIdSource random(12);
  for (const auto* model : {&elbv2::kModel, &ec2::kModel}) {
    for (int round = 0; round < 5000; ++round) {
      const auto& operation = model->operations[random.next() % model->operations.size()];
      auto exchange = operation.exchange();
      Filler(random.next()).fill(operation.input, exchange->input());
      const auto text = mutated(aws::encode_query(*model, operation, exchange->input()), random);
      try {
        aws::decode_query(model->protocol, operation.input, aws::Form::parse(text),
                          operation.exchange()->input());
      } catch (const aws::SerializationError&) {
      } catch (const aws::FormError&) {
      }
    }
  }
}

TEST(XmlCodec, MutatedAnswersNeverCrash) {
  core::SeededIdSource random(13);
  elbv2::DescribeLoadBalancersOutput out;
  Filler(5).fill(elbv2::DescribeLoadBalancersOutput::kShape, &out);
  const auto& operation = *aws::find_operation(elbv2::kModel, "DescribeLoadBalancers");
  const auto text = std::get<std::string>(aws::encode_answer(elbv2::kModel, operation, &out, "id").body);
  for (int round = 0; round < 5000; ++round) {
    elbv2::DescribeLoadBalancersOutput read;
    try {
      aws::decode_answer(elbv2::kModel, operation, mutated(text, random), &read);
    } catch (const aws::SerializationError&) {
    }
  }
}

}  // namespace
}  // namespace sampan::api
