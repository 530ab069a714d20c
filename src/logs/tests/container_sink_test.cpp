#include "logs/container_sink.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "core/error.h"
#include "logs/tests/fixture.h"

namespace sampan::logs {
namespace {

using testing::ElementsAre;

class ContainerSinkTest : public testing::Test {
 protected:
  node::LogSink& sink() { return world_.logs().sink(); }
  void append(std::vector<std::string> texts, std::uint64_t end) {
    std::vector<node::LogLine> lines;
    for (auto& text : texts) lines.push_back({world_.clock().now(), std::move(text)});
    world_.run(sink().append(stream_, std::move(lines), end));
  }
  std::uint64_t offset() { return world_.run(sink().resume_offset(stream_)); }
  std::vector<std::string> stored() {
    std::vector<std::string> messages;
    auto page =
        world_.call(&LogsApi::GetLogEvents,
                    {.logGroupName = stream_.group, .logStreamName = stream_.stream, .startFromHead = true});
    for (const auto& event : *page.events) messages.push_back(*event.message);
    return messages;
  }
  World world_;
  node::LogStream stream_{"000000000000", "us-east-1", "/ecs/web", "web/app/0123"};
};

TEST_F(ContainerSinkTest, MakesTheGroupOnlyIfAsked) {
  EXPECT_THROW(world_.run(sink().open(stream_, false)), core::Error);
  world_.run(sink().open(stream_, true));
  world_.run(sink().open(stream_, true));
  world_.run(sink().open(stream_, false));
  EXPECT_EQ(offset(), 0u);
  EXPECT_TRUE(stored().empty());
}

TEST_F(ContainerSinkTest, TwoContainersMayOpenOneGroupAtOnce) {
  world_.run([](node::LogSink& sink, node::LogStream one) -> io::Awaitable<void> {
    co_await sink.open(one, true);
    one.stream = "another";
    co_await sink.open(one, true);
  }(sink(), stream_));
  EXPECT_EQ(offset(), 0u);
}

TEST_F(ContainerSinkTest, KeepsLinesAndOffsetTogether) {
  world_.run(sink().open(stream_, true));
  append({"a", "", "b"}, 10);
  append({}, 12);
  EXPECT_EQ(offset(), 12u);
  EXPECT_THAT(stored(), ElementsAre("a", "b"));
  world_.restart();
  EXPECT_EQ(offset(), 12u);
  append({"c"}, 20);
  EXPECT_THAT(stored(), ElementsAre("a", "b", "c"));
}

TEST_F(ContainerSinkTest, SaysThatItsStreamIsGone) {
  world_.run(sink().open(stream_, true));
  append({"a"}, 1);
  world_.call(&LogsApi::DeleteLogGroup, {.logGroupName = stream_.group});
  EXPECT_THROW(append({"b"}, 2), core::Error);
  world_.run(sink().open(stream_, true));
  EXPECT_EQ(offset(), 0u);
}

// A container's log file is carried over by an agent that dies at any moment: after an append of which it
// never heard, or in the middle of one (the stream's file torn). Begun again at resume_offset, no line is
// lost or doubled.
TEST_F(ContainerSinkTest, DyingAgentNeitherLosesNorDoublesALine) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  std::vector<std::string> source;
  std::vector<std::uint64_t> ends{0};  // of each line in the source
  for (int i = 0; i < 400; ++i) {
    source.push_back(fmt::format("line {} {}", i, std::string(random() % 60, 'x')));
    ends.push_back(ends.back() + source.back().size() + 1);
  }
  world_.run(sink().open(stream_, true));
  for (int life = 0; life < 500 && offset() < ends.back(); ++life) {
    const auto at = std::ranges::lower_bound(ends, offset());
    ASSERT_EQ(*at, offset());
    std::size_t next = static_cast<std::size_t>(at - ends.begin());
    for (unsigned batches = 1 + random() % 3; batches > 0 && next < source.size(); --batches) {
      const auto end = std::min(source.size(), next + 1 + random() % 8);
      append({source.begin() + static_cast<long>(next), source.begin() + static_cast<long>(end)}, ends[end]);
      next = end;
    }
    if (random() % 2) {
      std::filesystem::path file;
      for (const auto& entry : std::filesystem::recursive_directory_iterator(world_.files())) {
        if (entry.is_regular_file()) file = entry.path();
      }
      const auto size = std::filesystem::file_size(file);
      std::filesystem::resize_file(file, size - random() % std::min<std::uintmax_t>(size - 28, 100));
    }
    world_.restart();
  }
  EXPECT_EQ(stored(), source);
}

}  // namespace
}  // namespace sampan::logs
