// Errors, the clock and the log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"

namespace sampan::core {
namespace {

TEST(Error, SaysWhatWasTriedAndWhy) {
  EXPECT_STREQ(Error("open /a", "it is locked").what(), "open /a: it is locked");
  EXPECT_STREQ(errno_error("open /a", ENOENT).what(), "open /a: No such file or directory");
  errno = EACCES;
  EXPECT_STREQ(errno_error("open /b").what(), "open /b: Permission denied");
}

TEST(CheckDeathTest, EndsTheProcessAndNamesTheCondition) {
  const int apples = 2;
  EXPECT_DEATH(SAMPAN_CHECK(apples == 3), "broken invariant: apples == 3");
  SAMPAN_CHECK(apples == 2);
}

TEST(Clock, RendersMillisecondsOfUtc) {
  EXPECT_EQ(to_iso8601(TimePoint(Millis(0))), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_iso8601(TimePoint(Millis(1'795'389'402'766))), "2026-11-22T23:16:42.766Z");
  EXPECT_EQ(to_iso8601(TimePoint(Millis(951'782'400'001))), "2000-02-29T00:00:00.001Z");
}

TEST(Clock, KeepsMillisecondsThroughEpochSeconds) {
  for (const std::int64_t ms : {0LL, 1LL, 999LL, 1'795'389'402'766LL, 4'102'444'799'999LL}) {
    const TimePoint time{Millis(ms)};
    EXPECT_EQ(from_epoch_seconds(to_epoch_seconds(time)), time) << ms;
  }
}

TEST(Clock, ManualOneMovesOnlyWhenTold) {
  ManualClock clock(TimePoint(Millis(5)));
  EXPECT_EQ(clock.now(), TimePoint(Millis(5)));
  clock.advance(Millis(10));
  EXPECT_EQ(clock.now(), TimePoint(Millis(15)));
}

class Log : public testing::Test {
 protected:
  ~Log() override { log::configure(log::Level::kInfo, log::Format::kText); }
};

TEST_F(Log, WritesOneJsonObjectALineWhateverTheMessageHolds) {
  log::configure(log::Level::kInfo, log::Format::kJson);
  testing::internal::CaptureStderr();
  log::warn("quoted \"{}\" \\ \n\x01 {}", "x", "\xc3\xa9\xff");
  const std::string line = testing::internal::GetCapturedStderr();
  ASSERT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_THAT(line, testing::MatchesRegex(
                        "\\{\"time\":\"....-..-..T..:..:..\\.[0-9]{3}Z\",\"level\":\"warning\",.*\n"));
  EXPECT_THAT(line, testing::EndsWith(R"("message":"quoted \"x\" \\ \n\u0001 )"
                                      "\xc3\xa9\xef\xbf\xbd\"}\n"));
}

TEST_F(Log, KeepsATextLineOneLine) {
  log::configure(log::Level::kInfo, log::Format::kText);
  testing::internal::CaptureStderr();
  log::error("first\r\nFORGED second");
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_THAT(line, testing::HasSubstr("error"));
  EXPECT_THAT(line, testing::HasSubstr("first\\u000d\\nFORGED second"));
}

TEST_F(Log, WritesNothingUnderItsLevel) {
  log::configure(log::Level::kWarn, log::Format::kText);
  testing::internal::CaptureStderr();
  log::info("quiet");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_FALSE(log::enabled(log::Level::kInfo));
  EXPECT_TRUE(log::enabled(log::Level::kError));
}

}  // namespace
}  // namespace sampan::core
