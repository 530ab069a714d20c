// fsck and quotas over a registry in a temporary directory.
#include <gmock/gmock.h>

#include <fstream>

#include "ecr/fsck.h"
#include "ecr/quota.h"
#include "ecr/tests/world.h"

namespace sampan::ecr {
namespace {

using ::testing::HasSubstr;

struct StorageTest : ::testing::Test {
  StorageTest() { world.create("app"); }
  FsckReport check(bool repair = false) {
    Fsck fsck(world.executors, world.clock, world.content, world.repositories);
    return world.wait(fsck.run({.repair = repair, .rate = 0}));
  }
  void overwrite(const std::string& digest, const std::string& bytes) {
    std::ofstream(world.content.path(*image::Digest::parse(digest)), std::ios::binary | std::ios::trunc)
        << bytes;
  }
  static RepositoryId account() { return {"000000000000", "us-east-1", {}}; }
  World world;
};

TEST_F(StorageTest, FsckFindsWhatDiffersIsCutOrMissingAndWhoNeedsIt) {
  const auto manifest = world.make_image("app", "a layer of some length");
  EXPECT_EQ(world.put_manifest("app", "v1", manifest).status, 201);
  EXPECT_TRUE(check().damage.empty());
  const auto layer = image::Digest::of("a layer of some length").str();
  const auto owner = "000000000000/us-east-1/app@" + image::Digest::of(manifest).str() + " (tags v1)";

  overwrite(layer, "a layer of some lengtH");
  auto report = check();
  ASSERT_EQ(report.damage.size(), 1u);
  EXPECT_EQ(report.damage[0].what, Damage::What::kDiffers);
  EXPECT_EQ(report.damage[0].blob.str(), layer);
  EXPECT_THAT(report.damage[0].images, ::testing::ElementsAre(owner));

  overwrite(layer, "a layer");
  EXPECT_EQ(check().damage.at(0).what, Damage::What::kCut);
  EXPECT_EQ(check().damage.at(0).detail, "7 bytes instead of 22");

  world.content.remove(*image::Digest::parse(layer));
  report = check();
  ASSERT_EQ(report.damage.size(), 1u);
  EXPECT_EQ(report.damage[0].what, Damage::What::kMissing);
  EXPECT_EQ(report.blobs, 2u);
}

TEST_F(StorageTest, WhatRepairSetsAsideIsNotServedAndAPushHealsIt) {
  const auto digest = world.push_blob("app", "0123456789");
  overwrite(digest, "012345678_");
  EXPECT_FALSE(check(false).damage.at(0).set_aside);
  EXPECT_EQ(world.call("HEAD", "/v2/app/blobs/" + digest).status, 200) << "only reported";
  EXPECT_TRUE(check(true).damage.at(0).set_aside);
  EXPECT_EQ(world.call("HEAD", "/v2/app/blobs/" + digest).status, 404);
  EXPECT_TRUE(
      std::filesystem::exists(world.scratch.path() / "blobs/damaged" / ("sha256-" + digest.substr(7))));
  world.push_blob("app", "0123456789");
  EXPECT_EQ(world.call("GET", "/v2/app/blobs/" + digest).body, "0123456789");
  EXPECT_TRUE(check().damage.empty());
}

TEST_F(StorageTest, WhatNoRowNamesIsCountedAndNotDamage) {
  world.content.put("nobody's");
  const auto report = check();
  EXPECT_TRUE(report.damage.empty());
  EXPECT_EQ(report.unnamed, 1u);
}

TEST(Quota, FitsUpToItsLimit) {
  EXPECT_TRUE(fits(5, 5, std::nullopt));
  EXPECT_TRUE(fits(5, 5, 10));
  EXPECT_FALSE(fits(5, 6, 10));
  EXPECT_FALSE(fits(11, 0, 10));
  EXPECT_FALSE(fits(1, ~std::uint64_t{0}, 10)) << "no overflow";
}

TEST_F(StorageTest, BytesCountOnceARepositoryAndComeBackWithTheirLinks) {
  Quotas quotas(*world.store, world.content, world.repositories);
  world.create("other");
  world.push_blob("app", std::string(600, 'a'));
  world.wait(quotas.set(world.id("app"), {.bytes = 1000}));
  const auto too_much = std::string(401, 'b');
  const auto push = [&](const std::string& repository, const std::string& bytes) {
    return world.call(
        "POST", "/v2/" + repository + "/blobs/uploads/?digest=" + image::Digest::of(bytes).str(), bytes);
  };
  EXPECT_EQ(push("app", std::string(600, 'a')).status, 201) << "it has it already";
  const auto refused = push("app", too_much);
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("DENIED"));
  EXPECT_THAT(refused.body, HasSubstr("holds 600 bytes"));
  EXPECT_EQ(push("app", std::string(400, 'c')).status, 201);
  EXPECT_EQ(push("app", "d").status, 403);
  EXPECT_EQ(push("other", too_much).status, 201) << "another repository";

  world.wait(quotas.set(account(), {.bytes = 1401}));
  EXPECT_EQ(push("other", "e").status, 403);
  world.wait(world.repositories.unlink_blob(world.id("app"), image::Digest::of(std::string(400, 'c'))));
  EXPECT_EQ(push("other", "e").status, 201);
  EXPECT_EQ(quotas.usage(account()).bytes, 1002u);
  world.wait(quotas.set(world.id("app"), {}));
  EXPECT_EQ(quotas.rows().size(), 1u);
}

TEST_F(StorageTest, ImagesAndRepositoriesAreCounted) {
  Quotas quotas(*world.store, world.content, world.repositories);
  world.wait(quotas.set(world.id("app"), {.images = 1}));
  const auto first = world.make_image("app", "one"), second = world.make_image("app", "two");
  EXPECT_EQ(world.put_manifest("app", "a", first).status, 201);
  EXPECT_EQ(world.put_manifest("app", "b", first).status, 201) << "a tag is no image";
  const auto refused = world.put_manifest("app", "c", second);
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("already has the maximum allowed number of images which is '1'"));
  world.wait(quotas.set(account(), {.repositories = 1}));
  EXPECT_THROW(world.create("another"), Refusal);
}

}  // namespace
}  // namespace sampan::ecr
