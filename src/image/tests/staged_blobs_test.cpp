#include "image/staged_blobs.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "image/content_store.h"

namespace sampan::image {
namespace {

namespace fs = std::filesystem;

fs::path file_of(const fs::path& data, const Digest& digest) {
  return data / "blobs" / digest.name() / digest.hex().substr(0, 2) / digest.hex();
}

TEST(StagedBlobs, TakesNoMoreThanItsBytes) {
  StagedBlobs staged;
  const std::string half(StagedBlobs::kMostBytes / 2, 'x');
  EXPECT_TRUE(staged.add(Digest::of("1"), half, {}));
  EXPECT_TRUE(staged.add(Digest::of("2"), half, {}));
  EXPECT_FALSE(staged.add(Digest::of("3"), "y", {}));
  staged.remove(Digest::of("1"));
  EXPECT_TRUE(staged.add(Digest::of("3"), "y", {}));
  EXPECT_FALSE(staged.find(Digest::of("1")));
  EXPECT_EQ(*staged.find(Digest::of("3"))->bytes, "y");
  EXPECT_EQ(staged.all().size(), 2u);
}

class StageTest : public testing::Test {
 protected:
  const std::string bytes_ = "{\"schemaVersion\":2}";
  const Digest digest_ = Digest::of(bytes_, core::HashAlgorithm::kSha512);
  io::TemporaryDirectory scratch_;
  ContentStore content_{scratch_.path()};
};

TEST_F(StageTest, CanBeReadBeforeItHasAFile) {
  EXPECT_FALSE(content_.has(digest_));
  EXPECT_TRUE(content_.stage(digest_, bytes_));
  EXPECT_FALSE(fs::exists(file_of(scratch_.path(), digest_)));
  EXPECT_TRUE(content_.has(digest_));
  EXPECT_EQ(content_.size(digest_), bytes_.size());
  EXPECT_EQ(content_.read(digest_, 1000), bytes_);
  EXPECT_THROW(content_.read(digest_, 3), core::Error);
}

TEST_F(StageTest, GetsItsFileWhenItIsOpenedOrNamed) {
  content_.stage(digest_, bytes_);
  EXPECT_TRUE(content_.open(digest_));
  EXPECT_EQ(io::read_file(file_of(scratch_.path(), digest_), 1000), bytes_);
  const auto other = Digest::of("other");
  content_.stage(other, "other");
  EXPECT_EQ(io::read_file(content_.path(other), 1000), "other");
}

TEST_F(StageTest, GetsItsFileWithAllOthers) {
  content_.stage(digest_, bytes_);
  content_.stage(Digest::of("b"), "b");
  content_.write_staged();
  EXPECT_EQ(io::read_file(file_of(scratch_.path(), digest_), 1000), bytes_);
  EXPECT_EQ(io::read_file(file_of(scratch_.path(), Digest::of("b")), 1000), "b");
  EXPECT_TRUE(fs::is_empty(content_.incoming()));
  EXPECT_EQ(content_.read(digest_, 1000), bytes_);
}

TEST_F(StageTest, WhatIsInAFileIsNotStagedAgain) {
  content_.put("here");
  const auto here = Digest::of("here");
  EXPECT_TRUE(content_.stage(here, "here"));
  EXPECT_TRUE(content_.remove(here));
  EXPECT_FALSE(content_.has(here));
}

TEST_F(StageTest, IsRemovedLikeAnother) {
  content_.stage(digest_, bytes_);
  EXPECT_TRUE(content_.remove(digest_));
  EXPECT_FALSE(content_.has(digest_));
  EXPECT_FALSE(fs::exists(file_of(scratch_.path(), digest_)));
}

TEST(StagedBlob, IsAsOldAsItsLastUseWhenItGetsItsFile) {
  core::ManualClock clock{core::TimePoint(core::Millis(1'800'000'000'000))};
  io::TemporaryDirectory scratch;
  ContentStore content(scratch.path(), clock);
  const auto digest = Digest::of("x");
  content.stage(digest, "x");
  const auto staged = clock.now();
  clock.advance(std::chrono::hours(1));
  content.write_staged();
  EXPECT_FALSE(content.remove_idle(digest, staged));
  EXPECT_EQ(content.remove_idle(digest, staged + core::Millis(1)), 1u);
  content.stage(digest, "x");
  clock.advance(std::chrono::hours(1));
  EXPECT_TRUE(content.has(digest));
  content.write_staged();
  EXPECT_FALSE(content.remove_idle(digest, clock.now()));
  EXPECT_TRUE(content.remove_idle(digest, clock.now() + core::Millis(1)));
}

}  // namespace
}  // namespace sampan::image
