#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "logs/put_rules.h"
#include "logs/tests/fixture.h"

namespace sampan::logs {
namespace {

namespace model = api::logs;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr const char* kNoGroup = "ResourceNotFoundException: The specified log group does not exist.";
constexpr const char* kNoStream = "ResourceNotFoundException: The specified log stream does not exist.";

class LogsApiTest : public testing::Test {
 protected:
  void group(const std::string& name) { world_.call(&LogsApi::CreateLogGroup, {.logGroupName = name}); }
  void stream(const std::string& group, const std::string& name) {
    world_.call(&LogsApi::CreateLogStream, {.logGroupName = group, .logStreamName = name});
  }
  model::PutLogEventsOutput put(const std::string& group, const std::string& stream,
                                std::vector<model::InputLogEvent> events) {
    return world_.call(&LogsApi::PutLogEvents,
                       model::PutLogEventsInput{
                           .logGroupName = group, .logStreamName = stream, .logEvents = std::move(events)});
  }
  // Events a second apart, the last one now.
  void put_lines(const std::string& group, const std::string& stream, int count) {
    std::vector<model::InputLogEvent> events;
    for (int i = 0; i < count; ++i) {
      events.push_back(
          {.timestamp = world_.now() - (count - 1 - i) * 1000LL, .message = fmt::format("line {}", i)});
    }
    put(group, stream, std::move(events));
  }
  model::GetLogEventsOutput get(model::GetLogEventsInput input) {
    if (!input.logGroupName && !input.logGroupIdentifier) input.logGroupName = "g";
    if (input.logStreamName.empty()) input.logStreamName = "s";
    return world_.call(&LogsApi::GetLogEvents, std::move(input));
  }
  model::FilterLogEventsOutput filter(model::FilterLogEventsInput input) {
    if (!input.logGroupName && !input.logGroupIdentifier) input.logGroupName = "g";
    return world_.call(&LogsApi::FilterLogEvents, std::move(input));
  }
  template <class Events>
  static std::vector<std::string> messages(const Events& events) {
    std::vector<std::string> all;
    for (const auto& event : *events) all.push_back(*event.message);
    return all;
  }
  World world_;
};

TEST_F(LogsApiTest, GroupsAreMadeListedAndDeleted) {
  group("/ecs/b");
  group("/ecs/a");
  group("other");
  EXPECT_EQ(fault([&] { group("other"); }),
            "ResourceAlreadyExistsException: The specified log group already exists");
  auto all = world_.call(&LogsApi::DescribeLogGroups, {});
  ASSERT_THAT(*all.logGroups, SizeIs(3));
  EXPECT_EQ(all.logGroups->at(0).logGroupName, "/ecs/a");
  EXPECT_EQ(all.logGroups->at(0).arn, "arn:aws:logs:us-east-1:000000000000:log-group:/ecs/a:*");
  EXPECT_EQ(all.logGroups->at(0).logGroupArn, "arn:aws:logs:us-east-1:000000000000:log-group:/ecs/a");
  EXPECT_EQ(all.logGroups->at(0).creationTime, world_.now());
  EXPECT_EQ(all.logGroups->at(0).storedBytes, 0);
  EXPECT_FALSE(all.nextToken);
  auto prefixed = world_.call(&LogsApi::DescribeLogGroups, {.logGroupNamePrefix = "/ecs/"});
  EXPECT_THAT(*prefixed.logGroups, SizeIs(2));
  auto matching = world_.call(&LogsApi::DescribeLogGroups, {.logGroupNamePattern = "CS/B"});
  EXPECT_THAT(*matching.logGroups, SizeIs(1));
  EXPECT_THAT(fault([&] {
                world_.call(&LogsApi::DescribeLogGroups,
                            {.logGroupNamePrefix = "a", .logGroupNamePattern = "a"});
              }),
              StartsWith("InvalidParameterException"));
  world_.call(&LogsApi::DeleteLogGroup, {.logGroupName = "other"});
  EXPECT_EQ(fault([&] { world_.call(&LogsApi::DeleteLogGroup, {.logGroupName = "other"}); }), kNoGroup);
}

TEST_F(LogsApiTest, GroupsComeInPages) {
  for (int i = 0; i < 7; ++i) group(fmt::format("g{}", i));
  std::vector<std::string> names;
  std::optional<std::string> token;
  int pages = 0;
  do {
    auto page = world_.call(&LogsApi::DescribeLogGroups, {.nextToken = token, .limit = 3});
    for (const auto& one : *page.logGroups) names.push_back(*one.logGroupName);
    token = page.nextToken;
    ++pages;
  } while (token);
  EXPECT_THAT(names, ElementsAre("g0", "g1", "g2", "g3", "g4", "g5", "g6"));
  EXPECT_EQ(pages, 3);
  EXPECT_THAT(fault([&] { world_.call(&LogsApi::DescribeLogGroups, {.nextToken = "%%"}); }),
              StartsWith("InvalidParameterException"));
}

TEST_F(LogsApiTest, AccountsAndRegionsSeeOnlyTheirOwn) {
  group("g");
  world_.region = "eu-west-1";
  EXPECT_THAT(*world_.call(&LogsApi::DescribeLogGroups, {}).logGroups, IsEmpty());
  EXPECT_EQ(fault([&] { stream("g", "s"); }), kNoGroup);
  group("g");
  world_.region = "us-east-1";
  world_.account = "111111111111";
  EXPECT_EQ(fault([&] { stream("g", "s"); }), kNoGroup);
}

TEST_F(LogsApiTest, StreamsAreMadeListedAndDeleted) {
  EXPECT_EQ(fault([&] { stream("g", "s"); }), kNoGroup);
  group("g");
  stream("g", "web/app/2");
  stream("g", "web/app/1");
  stream("g", "db");
  EXPECT_EQ(fault([&] { stream("g", "db"); }),
            "ResourceAlreadyExistsException: The specified log stream already exists");
  auto names = [&](model::DescribeLogStreamsInput input) {
    input.logGroupName = "g";
    const auto page = world_.call(&LogsApi::DescribeLogStreams, input);
    std::vector<std::string> found;
    for (const auto& one : *page.logStreams) found.push_back(*one.logStreamName);
    return found;
  };
  EXPECT_THAT(names({}), ElementsAre("db", "web/app/1", "web/app/2"));
  EXPECT_THAT(names({.logStreamNamePrefix = "web/"}), ElementsAre("web/app/1", "web/app/2"));
  EXPECT_THAT(names({.descending = true}), ElementsAre("web/app/2", "web/app/1", "db"));
  EXPECT_THAT(names({.limit = 1}), ElementsAre("db"));
  world_.call(&LogsApi::DeleteLogStream, {.logGroupName = "g", .logStreamName = "db"});
  EXPECT_THAT(names({}), ElementsAre("web/app/1", "web/app/2"));
  EXPECT_EQ(fault([&] { put_lines("g", "db", 1); }), kNoStream);
  EXPECT_THAT(fault([&] { names({.logStreamNamePrefix = "a", .orderBy = "LastEventTime"}); }),
              HasSubstr("Cannot order by LastEventTime with a logStreamNamePrefix."));
}

TEST_F(LogsApiTest, StreamsAreListedByTheirLastEventInPages) {
  group("g");
  for (int i = 0; i < 5; ++i) {
    stream("g", fmt::format("s{}", i));
    put("g", fmt::format("s{}", i), {{.timestamp = world_.now() - (i * 3 % 5) * 1000, .message = "m"}});
  }
  std::vector<std::string> names;
  std::optional<std::string> token;
  do {
    auto page = world_.call(&LogsApi::DescribeLogStreams, {.logGroupName = "g",
                                                           .orderBy = "LastEventTime",
                                                           .descending = true,
                                                           .nextToken = token,
                                                           .limit = 2});
    for (const auto& one : *page.logStreams) names.push_back(*one.logStreamName);
    token = page.nextToken;
  } while (token);
  EXPECT_THAT(names, ElementsAre("s0", "s2", "s4", "s1", "s3"));
}

TEST_F(LogsApiTest, StreamTellsItsTimes) {
  group("g");
  stream("g", "s");
  auto describe = [&] {
    return world_.call(&LogsApi::DescribeLogStreams, {.logGroupName = "g"}).logStreams->at(0);
  };
  EXPECT_FALSE(describe().firstEventTimestamp);
  put_lines("g", "s", 3);
  EXPECT_EQ(describe().firstEventTimestamp, world_.now() - 2000);
  EXPECT_EQ(describe().lastEventTimestamp, world_.now());
  EXPECT_EQ(describe().lastIngestionTime, world_.now());
  EXPECT_EQ(describe().arn, "arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:s");
  EXPECT_GT(*world_.call(&LogsApi::DescribeLogGroups, {}).logGroups->at(0).storedBytes, 0);
}

TEST_F(LogsApiTest, LongestNamesWorkAndStayApart) {
  group(std::string(512, 'g'));
  std::string name;
  for (int i = 0; i < 511; ++i) name += "\xf0\x9f\x9b\xb6";  // four bytes each
  stream(std::string(512, 'g'), name + "a");
  stream(std::string(512, 'g'), name + "b");
  put_lines(std::string(512, 'g'), name + "a", 1);
  auto page = get({.logGroupName = std::string(512, 'g'), .logStreamName = name + "b"});
  EXPECT_THAT(*page.events, IsEmpty());
}

TEST_F(LogsApiTest, PutSaysWhatItRejected) {
  group("g");
  stream("g", "s");
  world_.call(&LogsApi::PutRetentionPolicy, {.logGroupName = "g", .retentionInDays = 1});
  const Millis now = world_.now(), day = 24LL * 3600 * 1000;
  auto out = put("g", "s", {{.timestamp = now - 15 * day, .message = "a"}});
  EXPECT_EQ(out.rejectedLogEventsInfo->tooOldLogEventEndIndex, 1);
  out =
      put("g", "s", {{.timestamp = now - day - 1, .message = "a"}, {.timestamp = now - day, .message = "b"}});
  EXPECT_EQ(out.rejectedLogEventsInfo->expiredLogEventEndIndex, 1);
  EXPECT_FALSE(out.rejectedLogEventsInfo->tooOldLogEventEndIndex);
  out = put("g", "s",
            {{.timestamp = now + kTooNew, .message = "c"}, {.timestamp = now + kTooNew + 1, .message = "d"}});
  EXPECT_EQ(out.rejectedLogEventsInfo->tooNewLogEventStartIndex, 1);
  EXPECT_THAT(messages(get({}).events), ElementsAre("b", "c"));
  EXPECT_FALSE(put("g", "s", {{.timestamp = now, .message = "e"}}).rejectedLogEventsInfo);
}

TEST_F(LogsApiTest, PutRefusesDisorderSpanAndSize) {
  group("g");
  stream("g", "s");
  const Millis now = world_.now();
  EXPECT_EQ(fault([&] {
              put("g", "s", {{.timestamp = now, .message = "b"}, {.timestamp = now - 1, .message = "a"}});
            }),
            "InvalidParameterException: Log events in a single PutLogEvents request must be in chronological "
            "order.");
  EXPECT_EQ(
      fault([&] {
        put("g", "s",
            {{.timestamp = now - kPutSpan - 1, .message = "a"}, {.timestamp = now, .message = "b"}});
      }),
      "InvalidParameterException: The batch of log events in a single PutLogEvents request cannot span more "
      "than 24 hours.");
  put("g", "s", {{.timestamp = now, .message = std::string(kPutBytesLimit - 26, 'x')}});
  EXPECT_EQ(
      fault([&] { put("g", "s", {{.timestamp = now, .message = std::string(kPutBytesLimit - 25, 'x')}}); }),
      "InvalidParameterException: Upload too large: 1048577 bytes exceeds limit of 1048576");
  EXPECT_THAT(*get({}).events, SizeIs(1));
}

TEST_F(LogsApiTest, GetGivesTheLatestFirstAndWalksBothWays) {
  group("g");
  stream("g", "s");
  put_lines("g", "s", 10);
  auto page = get({.limit = 4});
  EXPECT_THAT(messages(page.events), ElementsAre("line 6", "line 7", "line 8", "line 9"));
  EXPECT_THAT(*page.nextForwardToken, StartsWith("f/"));
  EXPECT_THAT(*page.nextBackwardToken, StartsWith("b/"));
  page = get({.nextToken = page.nextBackwardToken, .limit = 4});
  EXPECT_THAT(messages(page.events), ElementsAre("line 2", "line 3", "line 4", "line 5"));
  auto forward = page.nextForwardToken;
  page = get({.nextToken = page.nextBackwardToken, .limit = 4});
  EXPECT_THAT(messages(page.events), ElementsAre("line 0", "line 1"));
  page = get({.nextToken = forward, .limit = 2});
  EXPECT_THAT(messages(page.events), ElementsAre("line 6", "line 7"));
}

TEST_F(LogsApiTest, TokenComesBackAtTheEndAndGoesOnWhenThereIsMore) {
  group("g");
  stream("g", "s");
  put_lines("g", "s", 3);
  auto page = get({.startFromHead = true});
  EXPECT_THAT(*page.events, SizeIs(3));
  auto token = page.nextForwardToken;
  page = get({.nextToken = token, .startFromHead = true});
  EXPECT_THAT(*page.events, IsEmpty());
  EXPECT_EQ(page.nextForwardToken, token);
  auto back = get({.nextToken = page.nextBackwardToken});
  EXPECT_THAT(*back.events, SizeIs(3));
  auto first = get({.nextToken = back.nextBackwardToken});
  EXPECT_THAT(*first.events, IsEmpty());
  EXPECT_EQ(first.nextBackwardToken, back.nextBackwardToken);
  put("g", "s", {{.timestamp = world_.now(), .message = "new, of the same millisecond"}});
  EXPECT_THAT(messages(get({.nextToken = token}).events), ElementsAre("new, of the same millisecond"));
  EXPECT_THAT(fault([&] { get({.nextToken = "f/12"}); }), StartsWith("InvalidParameterException"));
}

TEST_F(LogsApiTest, EmptyStreamGivesATokenThatLaterFindsWhatCame) {
  group("g");
  stream("g", "s");
  auto page = get({});
  EXPECT_THAT(*page.events, IsEmpty());
  put_lines("g", "s", 2);
  EXPECT_THAT(*get({.nextToken = page.nextForwardToken}).events, SizeIs(2));
}

TEST_F(LogsApiTest, GetKeepsToTheTimesGiven) {
  group("g");
  stream("g", "s");
  put_lines("g", "s", 5);
  auto page = get({.startTime = world_.now() - 3000, .endTime = world_.now(), .startFromHead = true});
  EXPECT_THAT(messages(page.events), ElementsAre("line 1", "line 2", "line 3"));
  EXPECT_EQ(page.events->at(0).ingestionTime, world_.now());
  EXPECT_THAT(*get({.startTime = std::numeric_limits<std::int64_t>::max()}).events, IsEmpty());
}

TEST_F(LogsApiTest, GroupMayBeNamedByItsArn) {
  group("g");
  stream("g", "s");
  put_lines("g", "s", 1);
  const std::string arn = "arn:aws:logs:us-east-1:000000000000:log-group:g";
  EXPECT_THAT(*get({.logGroupIdentifier = arn}).events, SizeIs(1));
  EXPECT_THAT(*filter({.logGroupIdentifier = arn + ":*"}).events, SizeIs(1));
  EXPECT_THAT(fault([&] { get({.logGroupName = "g", .logGroupIdentifier = "g"}); }),
              StartsWith("InvalidParameterException"));
  EXPECT_THAT(fault([&] { get({.logGroupIdentifier = "arn:aws:logs:eu-west-1:000000000000:log-group:g"}); }),
              StartsWith("InvalidParameterException"));
  EXPECT_EQ(fault([&] { get({.logGroupName = "h"}); }), kNoGroup);
  EXPECT_EQ(fault([&] { get({.logStreamName = "t"}); }), kNoStream);
}

TEST_F(LogsApiTest, FilterInterleavesStreamsByTimeInPages) {
  group("g");
  stream("g", "a");
  stream("g", "b");
  const Millis now = world_.now();
  for (int i = 0; i < 10; ++i) {
    put("g", i % 2 ? "a" : "b", {{.timestamp = now + i / 3, .message = std::to_string(i)}});
  }
  std::vector<std::string> found;
  std::set<std::string> ids;
  std::optional<std::string> token;
  do {
    auto page = filter({.nextToken = token, .limit = 3});
    EXPECT_LE(page.events->size(), 3u);
    for (const auto& event : *page.events) {
      found.push_back(*event.message);
      ids.insert(*event.eventId);
      EXPECT_EQ(*event.logStreamName, std::stoi(*event.message) % 2 ? "a" : "b");
    }
    token = page.nextToken;
  } while (token);
  EXPECT_THAT(found, SizeIs(10));
  EXPECT_TRUE(std::ranges::is_sorted(found, {}, [](const std::string& one) { return std::stoi(one) / 3; }));
  EXPECT_THAT(ids, SizeIs(10));
  EXPECT_THAT(*ids.begin(), SizeIs(56));
}

TEST_F(LogsApiTest, FilterKeepsToStreamsTimesAndPattern) {
  group("g");
  for (const char* name : {"web/1", "web/2", "db"}) {
    stream("g", name);
    put("g", name,
        {{.timestamp = world_.now() - 10, .message = std::string("INFO ") + name},
         {.timestamp = world_.now(), .message = std::string("ERROR ") + name}});
  }
  EXPECT_THAT(messages(filter({.filterPattern = "ERROR"}).events), SizeIs(3));
  EXPECT_THAT(messages(filter({.logStreamNamePrefix = "web/", .filterPattern = "ERROR"}).events), SizeIs(2));
  EXPECT_THAT(messages(filter({.logStreamNames = {{"db", "db"}}}).events),
              ElementsAre("INFO db", "ERROR db"));
  EXPECT_THAT(messages(filter({.startTime = world_.now() - 10, .endTime = world_.now() - 10}).events),
              SizeIs(3));
  EXPECT_EQ(fault([&] { filter({.logStreamNames = {{"gone"}}}); }), kNoStream);
  EXPECT_THAT(fault([&] { filter({.filterPattern = "{ $.a"}); }),
              StartsWith("InvalidParameterException: Invalid filter pattern"));
  EXPECT_THAT(fault([&] { filter({.logStreamNames = {{"db"}}, .logStreamNamePrefix = "web"}); }),
              StartsWith("InvalidParameterException"));
}

// As `aws logs tail --follow` does: from the last event's time on, forgetting the ids it has seen.
TEST_F(LogsApiTest, TailFollowsWithoutLossOrRepetition) {
  group("g");
  stream("g", "a");
  stream("g", "b");
  std::mt19937 random(11);
  std::vector<std::string> sent, seen;
  std::set<std::string> ids;
  std::optional<std::int64_t> start;
  for (int round = 0; round < 30; ++round) {
    for (unsigned i = random() % 4; i > 0; --i) {
      sent.push_back(fmt::format("m{}", sent.size()));
      put("g", random() % 2 ? "a" : "b", {{.timestamp = world_.now(), .message = sent.back()}});
      if (random() % 2) world_.clock().advance(core::Millis(1));
    }
    std::optional<std::string> token;
    do {
      auto page = filter({.startTime = start, .nextToken = token, .limit = 5});
      for (const auto& event : *page.events) {
        if (ids.insert(*event.eventId).second) seen.push_back(*event.message);
        start = std::max(start.value_or(0), *event.timestamp);
      }
      token = page.nextToken;
    } while (token);
  }
  EXPECT_THAT(seen, testing::UnorderedElementsAreArray(sent));
}

TEST_F(LogsApiTest, RetentionHidesAtOnceAndSweepsFiles) {
  group("g");
  stream("g", "s");
  put_lines("g", "s", 3);
  EXPECT_THAT(
      fault([&] { world_.call(&LogsApi::PutRetentionPolicy, {.logGroupName = "g", .retentionInDays = 2}); }),
      HasSubstr("Value '2' at 'retentionInDays' failed to satisfy constraint"));
  world_.call(&LogsApi::PutRetentionPolicy, {.logGroupName = "g", .retentionInDays = 1});
  EXPECT_EQ(world_.call(&LogsApi::DescribeLogGroups, {}).logGroups->at(0).retentionInDays, 1);
  world_.clock().advance(std::chrono::hours(24) - std::chrono::milliseconds(500));
  EXPECT_THAT(messages(get({}).events), ElementsAre("line 2"));
  EXPECT_THAT(messages(filter({}).events), ElementsAre("line 2"));
  world_.clock().advance(std::chrono::hours(1));
  const auto bytes = *world_.call(&LogsApi::DescribeLogGroups, {}).logGroups->at(0).storedBytes;
  world_.run(world_.logs().sweep());
  EXPECT_LT(*world_.call(&LogsApi::DescribeLogGroups, {}).logGroups->at(0).storedBytes, bytes);
  world_.call(&LogsApi::DeleteRetentionPolicy, {.logGroupName = "g"});
  EXPECT_FALSE(world_.call(&LogsApi::DescribeLogGroups, {}).logGroups->at(0).retentionInDays);
}

TEST_F(LogsApiTest, DeletedGroupTakesItsFilesAndItsNameBeginsAnew) {
  group("g");
  stream("g", "s");
  put_lines("g", "s", 3);
  world_.call(&LogsApi::DeleteLogGroup, {.logGroupName = "g"});
  EXPECT_TRUE(std::filesystem::is_empty(world_.files()));
  group("g");
  EXPECT_EQ(fault([&] { get({}); }), kNoStream);
  stream("g", "s");
  EXPECT_THAT(*get({}).events, IsEmpty());
}

TEST_F(LogsApiTest, ProtectedGroupIsNotDeleted) {
  world_.call(&LogsApi::CreateLogGroup, {.logGroupName = "g", .deletionProtectionEnabled = true});
  EXPECT_THAT(fault([&] { world_.call(&LogsApi::DeleteLogGroup, {.logGroupName = "g"}); }),
              StartsWith("ValidationException"));
  world_.call(&LogsApi::PutLogGroupDeletionProtection,
              {.logGroupIdentifier = "g", .deletionProtectionEnabled = false});
  world_.call(&LogsApi::DeleteLogGroup, {.logGroupName = "g"});
}

TEST_F(LogsApiTest, RestartFindsEverythingAndRemovesWhatHasNoRow) {
  group("g");
  stream("g", "s");
  put_lines("g", "s", 3);
  std::filesystem::create_directories(world_.files() / "0123" / "4567");
  world_.restart();
  world_.run(world_.logs().recover());
  EXPECT_THAT(*get({}).events, SizeIs(3));
  EXPECT_FALSE(std::filesystem::exists(world_.files() / "0123"));
}

TEST_F(LogsApiTest, TagsAreKeptWithinTheirLimit) {
  world_.call(&LogsApi::CreateLogGroup, {.logGroupName = "g", .tags = {{{"a", "1"}}}});
  const std::string arn = "arn:aws:logs:us-east-1:000000000000:log-group:g";
  world_.call(&LogsApi::TagResource, {.resourceArn = arn, .tags = {{"b", "2"}, {"a", "3"}}});
  auto tags = [&] { return *world_.call(&LogsApi::ListTagsForResource, {.resourceArn = arn}).tags; };
  EXPECT_THAT(tags(), ElementsAre(std::pair("a", "3"), std::pair("b", "2")));
  world_.call(&LogsApi::UntagResource, {.resourceArn = arn, .tagKeys = {"a", "absent"}});
  world_.call(&LogsApi::TagLogGroup, {.logGroupName = "g", .tags = {{"c", "4"}}});
  EXPECT_THAT(*world_.call(&LogsApi::ListTagsLogGroup, {.logGroupName = "g"}).tags,
              ElementsAre(std::pair("b", "2"), std::pair("c", "4")));
  std::map<std::string, std::string> many;
  for (int i = 0; i < 48; ++i) many[fmt::format("t{}", i)] = "";
  world_.call(&LogsApi::TagResource, {.resourceArn = arn, .tags = many});
  EXPECT_THAT(
      fault([&] { world_.call(&LogsApi::TagResource, {.resourceArn = arn, .tags = {{"one more", ""}}}); }),
      StartsWith("TooManyTagsException"));
  EXPECT_THAT(fault([&] { world_.call(&LogsApi::ListTagsForResource, {.resourceArn = arn + "2"}); }),
              StartsWith("ResourceNotFoundException"));
}

TEST_F(LogsApiTest, PatternsCanBeTried) {
  auto out = world_.call(&LogsApi::TestMetricFilter,
                         {.filterPattern = "ERROR", .logEventMessages = {"INFO a", "ERROR b"}});
  ASSERT_THAT(*out.matches, SizeIs(1));
  EXPECT_EQ(out.matches->at(0).eventNumber, 2);
}

}  // namespace
}  // namespace sampan::logs
