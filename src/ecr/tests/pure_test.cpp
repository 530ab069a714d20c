// The registry's pure parts.
#include <gtest/gtest.h>

#include <random>

#include "ecr/names.h"
#include "ecr/ranges.h"
#include "ecr/route.h"
#include "ecr/tag_rules.h"
#include "ecr/tokens.h"

namespace sampan::ecr {
namespace {

TEST(Names, FollowEcrsRules) {
  for (const char* good : {"ab", "a__b", "a---b", "team/app", "a1/b2/c3"})
    EXPECT_TRUE(valid_repository_name(good)) << good;
  for (const char* bad : {"a", "a..b", "a___b", "A", "-a", "a/", ""})
    EXPECT_FALSE(valid_repository_name(bad)) << bad;
  const RepositoryId id{"000000000000", "us-east-1", "team/app"};
  EXPECT_EQ(id.arn(), "arn:aws:ecr:us-east-1:000000000000:repository/team/app");
  EXPECT_EQ(parse_repository_arn(id.arn()), id);
  EXPECT_FALSE(parse_repository_arn("arn:aws:ecs:us-east-1:000000000000:repository/team/app"));
  EXPECT_FALSE(parse_repository_arn("arn:aws:ecr:us-east-1:0:repository/team/app"));
  EXPECT_FALSE(parse_repository_arn("nonsense"));
  const auto host = parse_ecr_host("123456789012.dkr.ecr.eu-west-1.amazonaws.com:443");
  ASSERT_TRUE(host);
  EXPECT_EQ(host->account, "123456789012");
  EXPECT_EQ(host->region, "eu-west-1");
  for (const char* bad :
       {"", "localhost:4566", "x.dkr.ecr.eu-west-1.amazonaws.com", "123456789012.dkr.ecr..amazonaws.com",
        "123456789012.dkr.ecr.amazonaws.com", "123456789012.dkr.ecr.a.b.amazonaws.com"}) {
    EXPECT_FALSE(parse_ecr_host(bad)) << bad;
  }
}

TEST(ByteRange, ReadsWhatRfc9110Says) {
  struct Case {
    const char* header;
    ByteRange::Kind kind;
    std::uint64_t offset, length;
  };
  using Kind = ByteRange::Kind;
  for (const auto& c :
       std::initializer_list<Case>{{"", Kind::kWhole, 0, 10},
                                   {"bytes=0-9", Kind::kPart, 0, 10},
                                   {"bytes=0-0", Kind::kPart, 0, 1},
                                   {"bytes=3-", Kind::kPart, 3, 7},
                                   {"bytes=-4", Kind::kPart, 6, 4},
                                   {"bytes=-40", Kind::kPart, 0, 10},
                                   {"bytes=5-500", Kind::kPart, 5, 5},
                                   {"bytes=10-", Kind::kUnsatisfiable, 0, 0},
                                   {"bytes=-0", Kind::kUnsatisfiable, 0, 0},
                                   {"bytes=4-3", Kind::kUnsatisfiable, 0, 0},
                                   {"Bytes=0-0", Kind::kPart, 0, 1},
                                   {"bytes=a-3", Kind::kWhole, 0, 10},
                                   {"bytes=1-2,4-5", Kind::kWhole, 0, 10},
                                   {"items=1-2", Kind::kWhole, 0, 10},
                                   {"bytes=", Kind::kWhole, 0, 10},
                                   {"bytes=-", Kind::kWhole, 0, 10},
                                   {"bytes=0-99999999999999999999999", Kind::kWhole, 0, 10}}) {
    const auto range = parse_range(c.header, 10);
    EXPECT_EQ(range.kind, c.kind) << c.header;
    EXPECT_EQ(range.offset, c.offset) << c.header;
    EXPECT_EQ(range.length, c.length) << c.header;
  }
  EXPECT_EQ(parse_range("bytes=0-", 0).kind, Kind::kUnsatisfiable);
}

TEST(ChunkRange, ReadsBothForms) {
  EXPECT_EQ(parse_chunk_range("0-9")->last, 9u);
  EXPECT_EQ(parse_chunk_range("bytes 5-9/100")->first, 5u);
  for (const char* bad : {"", "-", "5", "9-5", "a-b", "0-", "-9", "bytes=0-9", "0-99999999999999999999999"}) {
    EXPECT_FALSE(parse_chunk_range(bad)) << bad;
  }
}

TEST(Route, TakesPathsApart) {
  using Kind = Route::Kind;
  struct Case {
    const char* path;
    Kind kind;
    const char* repository;
    const char* reference;
  };
  for (const auto& c :
       std::initializer_list<Case>{{"/v2/", Kind::kBase, "", ""},
                                   {"/v2", Kind::kBase, "", ""},
                                   {"/v2/_catalog", Kind::kCatalog, "", ""},
                                   {"/v2/a/tags/list", Kind::kTags, "a", "list"},
                                   {"/v2/a/b/c/manifests/1.0", Kind::kManifest, "a/b/c", "1.0"},
                                   {"/v2/a/manifests/manifests/x", Kind::kManifest, "a/manifests", "x"},
                                   {"/v2/a/blobs/sha256%3Aff", Kind::kBlob, "a", "sha256:ff"},
                                   {"/v2/a/blobs/uploads/", Kind::kUploads, "a", ""},
                                   {"/v2/a/blobs/uploads", Kind::kUploads, "a", "uploads"},
                                   {"/v2/a/b/blobs/uploads/id", Kind::kUpload, "a/b", "id"},
                                   {"/v2/a/referrers/sha256:ff", Kind::kReferrers, "a", "sha256:ff"}}) {
    const auto route = parse_route(c.path);
    ASSERT_TRUE(route) << c.path;
    EXPECT_EQ(route->kind, c.kind) << c.path;
    EXPECT_EQ(route->repository, c.repository) << c.path;
    if (c.kind != Kind::kUploads) EXPECT_EQ(route->reference, c.reference) << c.path;
  }
  for (const char* bad : {"/v1/", "/v2/x", "/v2/a/manifests/", "/v2//manifests/x", "/v2/manifests/x",
                          "/v2/a/blobs/", "/v2/%zz", "/v2/tags/list", "/v2/a//b/tags/list"}) {
    EXPECT_FALSE(parse_route(bad)) << bad;
  }
}

TEST(TagRules, FollowModesAndExclusions) {
  RepositoryRow row;
  EXPECT_FALSE(is_immutable(row, "1"));
  row.mutability = "IMMUTABLE";
  EXPECT_TRUE(is_immutable(row, "1"));
  row.mutability = "IMMUTABLE_WITH_EXCLUSION";
  row.exclusion_filters = {"dev-*", "latest"};
  EXPECT_TRUE(is_immutable(row, "1"));
  EXPECT_FALSE(is_immutable(row, "dev-7"));
  EXPECT_FALSE(is_immutable(row, "latest"));
  row.mutability = "MUTABLE_WITH_EXCLUSION";
  EXPECT_FALSE(is_immutable(row, "1"));
  EXPECT_TRUE(is_immutable(row, "latest"));
}

TEST(TagRules, CheckTheSetting) {
  EXPECT_FALSE(check_mutability("MUTABLE", {}));
  EXPECT_TRUE(check_mutability("IMMUTABLE", {"a"}));
  EXPECT_TRUE(check_mutability("IMMUTABLE_WITH_EXCLUSION", {}));
  EXPECT_FALSE(check_mutability("IMMUTABLE_WITH_EXCLUSION", {"a*", "b", "c", "d", "e"}));
  EXPECT_TRUE(check_mutability("IMMUTABLE_WITH_EXCLUSION", {"a", "b", "c", "d", "e", "f"}));
  EXPECT_TRUE(check_mutability("MUTABLE_WITH_EXCLUSION", {"a b"}));
  EXPECT_TRUE(check_mutability("MUTABLE_WITH_EXCLUSION", {"a*b*c*"}));
  EXPECT_TRUE(check_mutability("MUTABLE_WITH_EXCLUSION", {std::string(129, 'a')}));
}

TEST(TokenText, IsReadOnlyWithItsKey) {
  const TokenClaims claims{"000000000000", "us-east-1", "AKIATEST", "", core::TimePoint(core::Millis(5))};
  const auto token = sign_token(claims, "key");
  const auto read = read_token(token, "key");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->account, claims.account);
  EXPECT_EQ(read->access_key, claims.access_key);
  EXPECT_EQ(read->expires, claims.expires);
  EXPECT_FALSE(read_token(token, "other"));
  EXPECT_FALSE(read_token(token, ""));
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    auto forged = token;
    forged[random() % forged.size()] ^= static_cast<char>(1 + random() % 127);
    EXPECT_FALSE(read_token(forged, "key"));
  }
  EXPECT_FALSE(read_token("", "key"));
  EXPECT_FALSE(read_token(std::string(20000, 'A'), "key"));
}

TEST(Rows, RoundTrip) {
  ImageRow image;
  image.media_type = "m";
  image.artifact_type = "a";
  image.size = 1ull << 40;
  image.pushed_at = core::TimePoint(core::Millis(7));
  image.pulled_at = core::TimePoint(core::Millis(8));
  image.tags = {"1", "2"};
  image.children = {image::Digest::of("c")};
  image.blobs = {image::Digest::of("b")};
  image.subject = image::Digest::of("s");
  using ImageCodec = store::RowCodec<ImageRow>;
  EXPECT_EQ(ImageCodec::decode(ImageCodec::encode(image)), image);
  EXPECT_EQ(ImageCodec::decode(ImageCodec::encode({})), ImageRow());
  RepositoryRow repository;
  repository.mutability = "MUTABLE_WITH_EXCLUSION";
  repository.exclusion_filters = {"x*"};
  repository.scan_on_push = true;
  repository.kms_key = "k";
  repository.tags = {{"a", "b"}};
  using RepositoryCodec = store::RowCodec<RepositoryRow>;
  EXPECT_EQ(RepositoryCodec::decode(RepositoryCodec::encode(repository)), repository);
}

}  // namespace
}  // namespace sampan::ecr
