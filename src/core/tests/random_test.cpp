#include "core/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace sampan::core {
namespace {

using testing::MatchesRegex;

TEST(IdSource, GivesTheShapesThatAwsHas) {
  SeededIdSource source(7);
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(source.hex(32), MatchesRegex("[0-9a-f]{32}"));
    EXPECT_THAT(source.digits(19), MatchesRegex("[1-9][0-9]{18}"));
    EXPECT_THAT(source.alphanumeric(20), MatchesRegex("[A-Za-z0-9]{20}"));
    EXPECT_THAT(source.uuid(),
                MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  }
  EXPECT_EQ(source.hex(0), "");
  EXPECT_EQ(source.digits(0), "");
  EXPECT_EQ(source.hex(5).size(), 5u);
}

TEST(SeededIdSource, RepeatsFromItsSeed) {
  SeededIdSource one(42);
  SeededIdSource same(42);
  SeededIdSource other(43);
  const std::string id = one.uuid();
  EXPECT_EQ(id, same.uuid());
  EXPECT_NE(id, other.uuid());
}

TEST(SystemIdSource, NeverRepeatsAcrossThreads) {
  SystemIdSource source;
  std::vector<std::vector<std::string>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& ids : made) {
      threads.emplace_back([&source, &ids] {
        for (int i = 0; i < 1000; ++i) ids.push_back(source.hex(32));
      });
    }
  }
  std::set<std::string> distinct;
  for (const auto& ids : made) distinct.insert(ids.begin(), ids.end());
  EXPECT_EQ(distinct.size(), 4000u);
}

}  // namespace
}  // namespace sampan::core
