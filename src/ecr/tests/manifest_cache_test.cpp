#include "ecr/manifest_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace sampan::ecr {
namespace {

ManifestCache::Found entry(const std::string& bytes) {
  return std::make_shared<const ManifestCache::Entry>(
      ManifestCache::Entry{image::Digest::of(bytes), "type", bytes, std::nullopt, {}});
}

TEST(ManifestCache, GivesWhatWasPutUntilItIsForgotten) {
  ManifestCache cache;
  EXPECT_TRUE(cache.empty());
  EXPECT_EQ(cache.find("1/r/a", "latest"), nullptr);
  cache.put("1/r/a", "latest", entry("one"));
  ASSERT_NE(cache.find("1/r/a", "latest"), nullptr);
  EXPECT_EQ(cache.find("1/r/a", "latest")->bytes, "one");
  EXPECT_EQ(cache.find("1/r", "a/latest"), nullptr);
  cache.put("1/r/a", "latest", entry("two"));
  EXPECT_EQ(cache.find("1/r/a", "latest")->bytes, "two");
  cache.forget("1/r/a", "latest");
  EXPECT_EQ(cache.find("1/r/a", "latest"), nullptr);
  EXPECT_TRUE(cache.empty());
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(ManifestCache, AnAnswerUnderWayKeepsWhatItSends) {
  ManifestCache cache;
  cache.put("1/r/a", "t", entry("bytes"));
  const auto held = cache.find("1/r/a", "t");
  cache.forget("1/r/a", "t");
  EXPECT_EQ(held->bytes, "bytes");
}

TEST(ManifestCache, TakesNoEntryThatIsTooLarge) {
  ManifestCache cache;
  cache.put("1/r/a", "at the limit", entry(std::string(ManifestCache::kLargestEntry, 'x')));
  cache.put("1/r/a", "beyond", entry(std::string(ManifestCache::kLargestEntry + 1, 'x')));
  EXPECT_NE(cache.find("1/r/a", "at the limit"), nullptr);
  EXPECT_EQ(cache.find("1/r/a", "beyond"), nullptr);
}

TEST(ManifestCache, NeverExceedsItsBytesAndNeverLies) {
  constexpr std::size_t kMost = 400'000;
  ManifestCache cache(kMost);
  std::mt19937 random(1);
  std::map<std::string, std::string> latest;
  std::size_t found = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto tag = std::to_string(random() % 300);
    switch (random() % 4) {
      case 0:
        cache.forget("1/r/a", tag);
        latest.erase(tag);
        break;
      case 1: {
        const auto bytes = std::to_string(round) + std::string(random() % 5000, '.');
        cache.put("1/r/a", tag, entry(bytes));
        latest[tag] = bytes;
        break;
      }
      default:
        if (const auto got = cache.find("1/r/a", tag)) {
          ++found;
          ASSERT_EQ(got->bytes, latest[tag]);
        }
    }
    ASSERT_LE(cache.bytes(), kMost);
  }
  EXPECT_GT(found, 100u);
}

}  // namespace
}  // namespace sampan::ecr
