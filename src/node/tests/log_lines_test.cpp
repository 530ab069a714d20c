#include "node/log_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"

namespace sampan::node {
namespace {

using testing::ElementsAre;

std::string line(std::string_view stream, char tag, std::string_view text) {
  return fmt::format("2026-11-22T23:16:42.766348157+00:00 {} {} {}\n", stream, tag, text);
}

std::vector<std::string> texts(const LogLines::Batch& batch) {
  std::vector<std::string> list;
  for (const auto& one : batch.lines) list.push_back(one.text);
  return list;
}

TEST(LogTime, ReadsZonesAndFractions) {
  auto noon = parse_log_time("2026-11-22T12:00:00Z");
  ASSERT_TRUE(noon);
  EXPECT_EQ(core::to_iso8601(*noon), "2026-11-22T12:00:00.000Z");
  EXPECT_EQ(parse_log_time("2026-11-22T14:00:00.5+02:00"), *noon + std::chrono::milliseconds(500));
  EXPECT_EQ(parse_log_time("2026-11-22T12:00:00.123456789+00:00"), *noon + std::chrono::milliseconds(123));
  for (const char* bad :
       {"", "yesterday", "2026-13-22T12:00:00Z", "2026-11-22 12:00:00Z", "2026-11-22T12:00:00"}) {
    EXPECT_FALSE(parse_log_time(bad)) << bad;
  }
}

TEST(LogLines, JoinsPartsOfAStream) {
  LogLines lines(0);
  auto text = line("stdout", 'P', "one ") + line("stderr", 'F', "other") + line("stdout", 'F', "two") +
              line("stdout", 'F', "");
  lines.feed(text);
  auto batch = lines.take();
  EXPECT_THAT(texts(batch), ElementsAre("one two", "other", ""));
  EXPECT_EQ(batch.end, text.size());
}

TEST(LogLines, HoldsBackWhatFollowsAnUnfinishedLine) {
  LogLines lines(100);
  auto whole = line("stdout", 'F', "whole");
  lines.feed(whole + line("stdout", 'P', "Password: ") + line("stderr", 'F', "waiting"));
  auto batch = lines.take();
  EXPECT_THAT(texts(batch), ElementsAre("whole"));
  EXPECT_EQ(batch.end, 100 + whole.size()) << "read again from the unfinished line after a crash";
  EXPECT_TRUE(lines.blocked());
  lines.flush();
  EXPECT_THAT(texts(lines.take()), ElementsAre("Password: ", "waiting"));
  EXPECT_FALSE(lines.blocked());
}

TEST(LogLines, CutsLinesAtTheLimit) {
  LogLines lines(0);
  std::string chunk(8192, 'x');
  for (int i = 0; i < 40; ++i) lines.feed(line("stdout", 'P', chunk));
  lines.feed(line("stdout", 'F', "end"));
  auto batch = lines.take();
  ASSERT_EQ(batch.lines.size(), 2u);
  EXPECT_EQ(batch.lines[0].text.size(), LogLines::kLongest);
  EXPECT_EQ(batch.lines[0].text.size() + batch.lines[1].text.size(), 40 * chunk.size() + 3);
}

TEST(LogLines, PassesOverWhatTheMonitorDidNotWrite) {
  LogLines lines(0);
  lines.feed("garbage\n\n2026-11-22T23:16:42Z stdxxx F no\n" + line("stdout", 'F', "yes"));
  EXPECT_THAT(texts(lines.take()), ElementsAre("yes"));
}

// However the file is cut into pieces, and wherever a crash makes reading begin again at the last end told,
// each line comes once.
TEST(LogLines, LosesAndDoublesNothingWhereverItIsCut) {
  std::string file;
  std::vector<std::string> expected;
  core::SeededIdSource random(7);
  for (int i = 0; i < 200; ++i) {
    auto text = fmt::format("line {}", i);
    if (random.next() % 3 == 0) file += line("stdout", 'P', "part ");
    expected.push_back(file.ends_with("part \n") ? "part " + text : text);
    file += line("stdout", 'F', text);
  }
  for (int round = 0; round < 50; ++round) {
    std::vector<std::string> got;
    std::uint64_t resume = 0;
    while (resume < file.size()) {
      LogLines lines(resume);
      for (int piece = 0; piece < 5 && lines.fed() < file.size(); ++piece) {
        lines.feed(std::string_view(file).substr(lines.fed(), 1 + random.next() % 400));
        auto batch = lines.take();
        for (auto& text : texts(batch)) got.push_back(text);
        resume = batch.end;
      }
    }
    ASSERT_EQ(got, expected);
  }
}

}  // namespace
}  // namespace sampan::node
