#include "logs/stream_file.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "core/error.h"
#include "core/log.h"
#include "logs/reader.h"

namespace sampan::logs {
namespace {

namespace fs = std::filesystem;

std::vector<NewEvent> lines(Millis time, std::vector<std::string> messages) {
  std::vector<NewEvent> events;
  for (auto& message : messages) events.push_back({time++, std::move(message)});
  return events;
}

class StreamFileTest : public testing::Test {
 protected:
  // Thousands of torn files would fill the test's output with warnings.
  StreamFileTest() { core::log::configure(core::log::Level::kError, core::log::Format::kText); }
  ~StreamFileTest() override { core::log::configure(core::log::Level::kInfo, core::log::Format::kText); }
  StreamFile open(std::uint64_t segment_size = kSegmentSize) { return StreamFile(path_, segment_size); }
  std::vector<std::string> messages(const StreamFile& file) {
    ReadQuery query;
    query.limits = {1'000'000, 1'000'000'000};
    std::vector<std::string> found;
    const auto page = read_page({{"", file.snapshot()}}, query);
    for (const auto& [key, event] : page.events()) {
      found.push_back(event.message);
    }
    return found;
  }
  std::vector<fs::path> files() {
    std::vector<fs::path> all;
    for (const auto& entry : fs::directory_iterator(path_)) all.push_back(entry.path());
    std::ranges::sort(all);
    return all;
  }
  io::TemporaryDirectory directory_;
  fs::path path_ = directory_.path() / "group" / "stream";
};

using Strings = std::vector<std::string>;

TEST_F(StreamFileTest, IsNothingBeforeTheFirstAppend) {
  auto file = open();
  EXPECT_EQ(file.summary().events, 0u);
  EXPECT_FALSE(file.summary().last_time);
  EXPECT_EQ(file.source_end(), 0u);
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(StreamFileTest, KeepsEventsAndTheSourceOffsetAcrossOpenings) {
  {
    auto file = open();
    EXPECT_TRUE(file.append(lines(10, {"a", std::string("b\0\n", 3)}), 1000, 77, Flush::kToKernel));
    EXPECT_TRUE(file.append(lines(20, {"c"}), 2000, std::nullopt, Flush::kToDisk));
  }
  auto file = open();
  EXPECT_EQ(messages(file), (Strings{"a", std::string("b\0\n", 3), "c"}));
  EXPECT_EQ(file.source_end(), 77u);
  auto summary = file.summary();
  EXPECT_EQ(summary.first_time, 10);
  EXPECT_EQ(summary.last_time, 20);
  EXPECT_EQ(summary.last_ingested, 2000);
  EXPECT_EQ(summary.events, 3u);
}

TEST_F(StreamFileTest, OffsetMovesWithoutLinesToo) {
  {
    open().append({}, 1, 5, Flush::kToKernel);
  }
  auto file = open();
  EXPECT_EQ(file.source_end(), 5u);
  EXPECT_EQ(file.summary().events, 0u);
  file.append(lines(1, {"a"}), 1, 9, Flush::kToKernel);
  EXPECT_EQ(messages(file), Strings{"a"});
}

// Cuts the file at every length: what was whole before the cut is there, and writing goes on behind it.
TEST_F(StreamFileTest, EveryTornEndLeavesTheBatchesBeforeIt) {
  std::vector<std::uint64_t> ends{kSegmentHeaderSize};
  {
    auto file = open();
    for (int i = 0; i < 4; ++i) {
      file.append(lines(i, {fmt::format("line {}", i), "more"}), i, static_cast<std::uint64_t>(i + 1) * 100,
                  Flush::kToKernel);
      ends.push_back(fs::file_size(files()[0]));
    }
  }
  const auto path = files()[0];
  const auto whole = io::read_file(path);
  for (std::uint64_t size = kSegmentHeaderSize; size <= whole.size(); ++size) {
    std::ofstream(path, std::ios::trunc | std::ios::binary) << whole.substr(0, size);
    const auto batches = static_cast<std::uint64_t>(std::ranges::upper_bound(ends, size) - ends.begin() - 1);
    auto file = open();
    ASSERT_EQ(file.summary().events, batches * 2) << size;
    ASSERT_EQ(file.source_end(), batches * 100) << size;
    ASSERT_EQ(fs::file_size(path), ends[batches]) << size;
    file.append(lines(100, {"after"}), 9, 999, Flush::kToKernel);
    ASSERT_EQ(open().summary().events, batches * 2 + 1) << size;
    ASSERT_EQ(messages(file).back(), "after");
  }
}

TEST_F(StreamFileTest, EveryFlippedBitEndsTheFileThereAndNeverLies) {
  {
    auto file = open();
    for (int i = 0; i < 3; ++i) file.append(lines(i, {"abc"}), i, 1, Flush::kToKernel);
  }
  const auto path = files()[0];
  const auto whole = io::read_file(path);
  for (std::size_t at = kSegmentHeaderSize; at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    std::ofstream(path, std::ios::trunc | std::ios::binary) << damaged;
    auto file = open();
    ASSERT_EQ(file.summary().events, (at - kSegmentHeaderSize) / ((whole.size() - kSegmentHeaderSize) / 3))
        << at;
    for (const auto& message : messages(file)) ASSERT_EQ(message, "abc");
  }
}

TEST_F(StreamFileTest, FileWithoutAHeaderIsSetAsideNotOverwritten) {
  io::make_directories(path_);
  std::ofstream(path_ / "0000000000000000.log") << "what is this";
  auto file = open();
  file.append(lines(1, {"a"}), 1, 1, Flush::kToKernel);
  EXPECT_EQ(messages(file), Strings{"a"});
  EXPECT_EQ(io::read_file(path_ / "0000000000000000.log.damaged"), "what is this");
}

TEST_F(StreamFileTest, RollsSegmentsAndReadsAcrossThem) {
  Strings all;
  {
    auto file = open(2000);
    for (int i = 0; i < 200; ++i) {
      all.push_back(fmt::format("message number {:05}", i));
      file.append(lines(i, {all.back()}), i, static_cast<std::uint64_t>(i), Flush::kToKernel);
    }
  }
  EXPECT_GT(files().size(), 4u);
  auto file = open(2000);
  EXPECT_EQ(messages(file), all);
  EXPECT_EQ(file.source_end(), 199u);
}

TEST_F(StreamFileTest, RetentionDropsWholeSegmentsAndKeepsTheOffsetAndTheNumbering) {
  auto file = open(2000);
  for (int i = 0; i < 200; ++i) {
    file.append(lines(i, {"message that expires"}), i, static_cast<std::uint64_t>(i + 1), Flush::kToKernel);
  }
  const auto before = files().size();
  file.drop_before(100);
  EXPECT_LT(files().size(), before);
  const auto left = messages(file).size();
  EXPECT_GE(left, 100u);
  EXPECT_LT(left, 140u);

  file.drop_before(1000);
  EXPECT_TRUE(messages(file).empty());
  EXPECT_EQ(files().size(), 1u);
  auto again = open(2000);
  EXPECT_EQ(again.source_end(), 200u);
  again.append(lines(2000, {"new"}), 1, 201, Flush::kToKernel);
  EXPECT_EQ(again.snapshot().back().next_index, 201u);
}

TEST_F(StreamFileTest, TakesNothingOnceItIsRemoved) {
  auto file = open();
  file.append(lines(1, {"a"}), 1, 1, Flush::kToKernel);
  file.remove();
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_FALSE(file.append(lines(1, {"b"}), 1, 2, Flush::kToKernel));
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(StreamFileTest, BatchesLargerThanAScanChunkAreFoundAgain) {
  const std::string big(3'000'000, 'x');
  {
    auto file = open();
    file.append(lines(1, {"small"}), 1, 1, Flush::kToKernel);
    file.append(lines(2, {big, big}), 1, 2, Flush::kToKernel);
    file.append(lines(4, {"end"}), 1, 3, Flush::kToKernel);
  }
  auto file = open();
  EXPECT_EQ(messages(file), (Strings{"small", big, big, "end"}));
}

// Random events, in random order of time, in random batches and segments: pages put together in either
// direction give what sorting all would give.
TEST(ReadPage, PagesInEitherDirectionMakeUpTheSortedWhole) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 30; ++round) {
    io::TemporaryDirectory directory;
    std::vector<std::unique_ptr<StreamFile>> files;
    std::map<Key, std::string> model;
    const int spread = round % 2 ? 20 : 100'000;  // many equal times, or hardly any
    for (int s = 0; s < 3; ++s) {
      const auto id = fmt::format("{:016x}", s + 1);
      files.push_back(std::make_unique<StreamFile>(directory.path() / "g" / id, 30'000));
      std::uint64_t index = 0;
      for (unsigned batch = random() % 60; batch > 0; --batch) {
        std::vector<NewEvent> events;
        for (unsigned i = random() % 20; i > 0; --i) {
          NewEvent event{static_cast<Millis>(random() % spread), std::string(random() % 300, 'm')};
          model[{event.time, id, index++}] = event.message;
          events.push_back(event);
        }
        files.back()->append(events, 1, std::nullopt, Flush::kToKernel);
      }
    }
    std::vector<StreamSnapshot> streams;
    for (int s = 0; s < 3; ++s) streams.push_back({fmt::format("{:016x}", s + 1), files[s]->snapshot()});

    ReadQuery query;
    query.from = static_cast<Millis>(random() % spread) / 4;
    query.until = spread - static_cast<Millis>(random() % spread) / 4;
    query.limits = {1 + random() % 200, 100 + random() % 20'000};
    if (round % 3 == 0) query.scan_bytes = random() % 100'000;
    const bool filtered = round % 4 == 0;
    if (filtered) query.accepts = [](const std::string& message) { return message.size() % 3 == 0; };
    std::erase_if(model, [&](const auto& one) {
      return one.first.time < query.from || one.first.time >= query.until ||
             (filtered && one.second.size() % 3 != 0);
    });

    std::map<Key, std::string> forward, backward;
    for (int pages = 0; pages < 100'000; ++pages) {
      auto page = read_page(streams, query);
      ASSERT_LE(page.events().size(), query.limits.events);
      for (const auto& [key, event] : page.events()) ASSERT_TRUE(forward.emplace(key, event.message).second);
      if (!page.is_cut()) break;
      ASSERT_TRUE(!query.position || *page.cutoff() > *query.position) << "no progress";
      query.position = page.cutoff();
    }
    EXPECT_EQ(forward, model);

    query.direction = Direction::kBackward;
    query.position.reset();
    query.scan_bytes = std::numeric_limits<std::size_t>::max();
    for (;;) {
      auto page = read_page(streams, query);
      for (const auto& [key, event] : page.events()) ASSERT_TRUE(backward.emplace(key, event.message).second);
      if (page.events().empty()) break;
      query.position = page.events().begin()->first;
    }
    EXPECT_EQ(backward, model);
  }
}

}  // namespace
}  // namespace sampan::logs
