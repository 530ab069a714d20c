#include "ecr/image_row_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "image/manifest.h"

namespace sampan::ecr {
namespace {

using Codec = store::RowCodec<ImageRow>;
constexpr int kRounds = 2000;

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return engine_() % n; }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
  image::Digest digest() {
    const auto algorithm = chance(30) ? core::HashAlgorithm::kSha512 : core::HashAlgorithm::kSha256;
    return image::Digest::of(std::to_string(engine_()), algorithm);
  }
  std::vector<image::Digest> digests(std::size_t most) {
    std::vector<image::Digest> all;
    for (auto n = below(most + 1); n > 0; --n) all.push_back(digest());
    return all;
  }
  std::string text(std::size_t most) {
    std::string text;
    for (auto n = below(most + 1); n > 0; --n) text.push_back(static_cast<char>(below(256)));
    return text;
  }
  core::TimePoint time() {
    return core::TimePoint(core::Millis(static_cast<std::int64_t>(engine_()) * 1000));
  }
  ImageRow row() {
    ImageRow row;
    row.media_type = chance(60) ? image::kOciManifest : chance(50) ? image::kDockerList : text(40);
    row.artifact_type = chance(50) ? "" : text(40);
    row.size = chance(20) ? 0 : static_cast<std::uint64_t>(engine_()) << below(32);
    row.pushed_at = time();
    if (chance(50)) row.pulled_at = time();
    for (auto n = below(12); n > 0; --n) row.tags.push_back(text(20) + 'x');
    std::ranges::sort(row.tags);
    row.children = digests(chance(20) ? 6 : 0);
    row.blobs = digests(7);
    if (chance(20)) row.subject = digest();
    return row;
  }

 private:
  std::mt19937 engine_;
};

std::vector<std::string> raws(const std::vector<image::Digest>& digests) {
  std::vector<std::string> raw;
  for (const auto& digest : digests) raw.push_back(digest.raw());
  return raw;
}

std::vector<std::string> copies(const std::vector<std::string_view>& views) {
  return {views.begin(), views.end()};
}

void expect_facts(ImageFacts& facts, const std::string& encoded, const ImageRow& row) {
  facts.read(encoded);
  auto tags = row.tags;
  std::ranges::sort(tags);  // those of a damaged row need not be
  EXPECT_EQ(copies(facts.tags), tags);
  EXPECT_EQ(copies(facts.children), raws(row.children));
  EXPECT_EQ(copies(facts.blobs), raws(row.blobs));
  EXPECT_EQ(facts.subject, row.subject ? row.subject->raw() : std::string());
}

TEST(ImageRowCodec, EveryRowComesBackAsItWas) {
  Random random(7);
  ImageFacts facts;
  for (int round = 0; round < kRounds; ++round) {
    const auto row = random.row();
    const auto encoded = Codec::encode(row);
    ASSERT_EQ(Codec::decode(encoded), row) << "round " << round;
    expect_facts(facts, encoded, row);
  }
}

TEST(ImageRowCodec, ATypicalRowTakesFewBytes) {
  ImageRow row;
  row.media_type = image::kOciManifest;
  row.size = 123'456'789;
  row.pushed_at = core::TimePoint(core::Millis(1'800'000'000'000));
  row.tags = {"v1.2.3", "latest"};
  row.blobs = {image::Digest::of("a"), image::Digest::of("b")};
  EXPECT_EQ(Codec::encode(row).size(), 1u + 3 + 6 + 8 + (2 + 7 + 7) + (2 + 33 + 33));
}

TEST(ImageRowCodec, RowsOfTheFirstVersionsAreRead) {
  const auto child = image::Digest::of("child");
  const auto blob = image::Digest::of("blob", core::HashAlgorithm::kSha512);
  const std::string old =
      R"({"type":"application/vnd.oci.image.index.v1+json","size":42,"pushed":1700000000123,)"
      R"("artifact":"application/x","pulled":1700000009000,"tags":["1","latest"],"children":[")" +
      std::string(child.hex()) + R"("],"blobs":[")" + std::string(blob.hex()) + R"("],"subject":")" +
      std::string(child.hex()) + "\"}";
  ImageRow row;
  row.media_type = image::kOciIndex;
  row.size = 42;
  row.pushed_at = core::TimePoint(core::Millis(1'700'000'000'123));
  row.artifact_type = "application/x";
  row.pulled_at = core::TimePoint(core::Millis(1'700'000'009'000));
  row.tags = {"1", "latest"};
  row.children = {child};
  row.blobs = {blob};
  row.subject = child;
  EXPECT_EQ(Codec::decode(old), row);
  ImageFacts facts;
  expect_facts(facts, old, row);
  expect_facts(facts, Codec::encode(row), row);
}

TEST(ImageRowCodec, DamagedRowsAreClearErrors) {
  const std::string bad[] = {"",
                             "x",
                             "{",
                             "[]",
                             "{}",
                             R"({"size":1,"pushed":"yesterday"})",
                             R"({"size":1,"pushed":1,"blobs":["12"]})",
                             std::string("\x01\x02\x01\x63", 4),
                             std::string("\x01\x0a\x02"
                                         "ab",
                                         5),
                             std::string("\x01\xc8\x01\x01", 4),
                             "\x02"};
  ImageFacts facts;
  for (const auto& row : bad) {
    EXPECT_THROW(Codec::decode(row), core::Error) << row;
    EXPECT_THROW(facts.read(row), core::Error) << row;
  }
}

// Rows cut short and with flipped bytes: a value or core::Error, the same from both readers.
TEST(ImageRowCodec, MutatedRowsNeverSurprise) {
  Random random(11);
  ImageFacts facts;
  int refused = 0;
  for (int round = 0; round < kRounds; ++round) {
    auto encoded = Codec::encode(random.row());
    if (random.chance(40)) encoded.resize(random.below(encoded.size()));
    for (auto n = random.below(4); n > 0 && !encoded.empty(); --n) {
      encoded[random.below(encoded.size())] = static_cast<char>(random.below(256));
    }
    std::optional<ImageRow> row;
    try {
      row = Codec::decode(encoded);
    } catch (const core::Error&) {
      ++refused;
    }
    if (row) {
      expect_facts(facts, encoded, *row);
    } else {
      EXPECT_THROW(facts.read(encoded), core::Error);
    }
  }
  EXPECT_GT(refused, kRounds / 10);
}

}  // namespace
}  // namespace sampan::ecr
