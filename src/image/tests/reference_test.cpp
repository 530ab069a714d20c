#include "image/reference.h"

#include <gtest/gtest.h>

namespace sampan::image {
namespace {

const std::string kHex(64, 'a');

TEST(Digest, TakesOnlySha256AndSha512InLowerCase) {
  EXPECT_TRUE(Digest::parse("sha256:" + kHex));
  EXPECT_FALSE(Digest::parse("sha256:" + kHex.substr(1)));
  EXPECT_FALSE(Digest::parse("sha256:" + std::string(64, 'A')));
  EXPECT_FALSE(Digest::parse("sha256:" + std::string(63, 'a') + "g"));
  EXPECT_FALSE(Digest::parse("sha512:" + kHex));
  EXPECT_FALSE(Digest::parse(""));
  EXPECT_EQ(Digest::of("").str(), Digest().str());
  EXPECT_EQ(Digest::of("abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

struct Case {
  std::string text, host, repository, tag;
  bool digest = false;
};

TEST(Reference, SplitsHostRepositoryTagAndDigest) {
  const Case cases[] = {
      {"debian", "", "debian", "latest"},
      {"debian:bookworm", "", "debian", "bookworm"},
      {"team/app:1", "", "team/app", "1"},
      {"localhost/app", "localhost", "app", "latest"},
      {"localhost:4566/team/app:1.2", "localhost:4566", "team/app", "1.2"},
      {"000000000000.dkr.ecr.us-east-1.amazonaws.com/a/b", "000000000000.dkr.ecr.us-east-1.amazonaws.com",
       "a/b", "latest"},
      {"[::1]:5000/x", "[::1]:5000", "x", "latest"},
      {"app@sha256:" + kHex, "", "app", "", true},
      {"h.io/app:1@sha256:" + kHex, "h.io", "app", "1", true},
  };
  for (const auto& c : cases) {
    const auto reference = Reference::parse(c.text);
    ASSERT_TRUE(reference) << c.text;
    EXPECT_EQ(reference->host, c.host) << c.text;
    EXPECT_EQ(reference->repository, c.repository) << c.text;
    EXPECT_EQ(reference->tag, c.tag) << c.text;
    EXPECT_EQ(reference->digest.has_value(), c.digest) << c.text;
    EXPECT_EQ(Reference::parse(reference->str()), reference) << c.text;
  }
}

TEST(Reference, RefusesWhatIsNoReference) {
  const std::string bad[] = {"",
                             "A",
                             "a..b",
                             "a/",
                             "/a",
                             "a:",
                             "a:" + std::string(129, 't'),
                             "a@sha256:12",
                             "a b",
                             "-a",
                             "a:b:c",
                             "h.io:x y/a",
                             "a/../b",
                             "user@host/x",
                             "a@" + kHex,
                             "x.y/" + std::string(2000, 'a')};
  for (const auto& text : bad) {
    EXPECT_FALSE(Reference::parse(text)) << text;
  }
}

TEST(RepositoryName, FollowsTheSpecification) {
  for (const char* good : {"a", "a/b/c", "a__b", "a---b", "a.b", "a_b", "0", "a-b/c.d"}) {
    EXPECT_TRUE(valid_repository(good)) << good;
  }
  for (const char* bad : {"", "a..b", "a___b", "A", "-a", "a/", "a//b", "a._b", "a.", "_a", "a b", "a%b"}) {
    EXPECT_FALSE(valid_repository(bad)) << bad;
  }
  EXPECT_TRUE(valid_repository(std::string(256, 'a')));
  EXPECT_FALSE(valid_repository(std::string(257, 'a')));
}

TEST(Tag, FollowsTheSpecification) {
  for (const char* good : {"1", "latest", "_x", "v1.2-rc.3", "A"}) EXPECT_TRUE(valid_tag(good)) << good;
  for (const char* bad : {"", ".x", "-x", "a b", "a/b", "a:b"}) EXPECT_FALSE(valid_tag(bad)) << bad;
  EXPECT_TRUE(valid_tag(std::string(128, 'a')));
  EXPECT_FALSE(valid_tag(std::string(129, 'a')));
}

}  // namespace
}  // namespace sampan::image
