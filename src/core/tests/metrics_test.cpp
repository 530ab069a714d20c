#include "core/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace sampan::core::metrics {
namespace {

using testing::HasSubstr;

TEST(Metrics, RendersFamiliesWithHelpAndType) {
  counter("test_pulls_total", "Pulls.\nBy image.", {{"image", "a\"b\\c\nd"}}).add(3);
  counter("test_pulls_total", "Pulls.\nBy image.", {{"image", "x"}}).add();
  gauge("test_tasks", "Tasks now.").set(-4);
  const std::string text = render();
  EXPECT_THAT(text, HasSubstr("# HELP test_pulls_total Pulls.\\nBy image.\n"
                              "# TYPE test_pulls_total counter\n"
                              "test_pulls_total{image=\"a\\\"b\\\\c\\nd\"} 3\n"
                              "test_pulls_total{image=\"x\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE test_tasks gauge\ntest_tasks -4\n"));
}

TEST(Metrics, GivesTheSameMetricForTheSameNameAndLabels) {
  Counter& one = counter("test_same_total", "Same.", {{"a", "1"}});
  EXPECT_EQ(&one, &counter("test_same_total", "Same.", {{"a", "1"}}));
  EXPECT_NE(&one, &counter("test_same_total", "Same.", {{"a", "2"}}));
}

TEST(Metrics, HistogramBucketsAreCumulativeAndInclusive) {
  Histogram& times = histogram("test_seconds", "Times.", {0.1, 1}, {{"op", "x"}});
  for (const double value : {0.1, 0.5, 1.0, 7.0}) times.observe(value);
  EXPECT_THAT(render(), HasSubstr("# TYPE test_seconds histogram\n"
                                  "test_seconds_bucket{op=\"x\",le=\"0.1\"} 1\n"
                                  "test_seconds_bucket{op=\"x\",le=\"1\"} 3\n"
                                  "test_seconds_bucket{op=\"x\",le=\"+Inf\"} 4\n"
                                  "test_seconds_sum{op=\"x\"} 8.6\n"
                                  "test_seconds_count{op=\"x\"} 4\n"));
}

TEST(Metrics, LosesNoCountBetweenThreads) {
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 10000; ++i) counter("test_threads_total", "Threads.").add();
      });
    }
  }
  EXPECT_EQ(counter("test_threads_total", "Threads.").value(), 40000u);
}

TEST(MetricsDeathTest, OneNameIsOneKind) {
  counter("test_kind", "Kind.");
  EXPECT_DEATH(gauge("test_kind", "Kind."), "broken invariant");
}

}  // namespace
}  // namespace sampan::core::metrics
