#include "aws/sigv4_chunks.h"

#include <gtest/gtest.h>

#include <random>

namespace sampan::aws {
namespace {

// The example in AWS's documentation of chunked uploads.
const CredentialScope kScope{"AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1", "s3"};
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kSeed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

std::string published() {
  return "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
         std::string(65536, 'a') +
         "\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
         std::string(1024, 'a') +
         "\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
}

ChunkedPayload fresh() {
  return ChunkedPayload(derive_signing_key(kSecret, kScope), kScope, "20130524T000000Z", std::string(kSeed));
}

TEST(SigV4Chunks, ReadsThePublishedExampleHoweverItIsCut) {
  const auto body = published();
  for (std::size_t step : {body.size(), std::size_t(65536), std::size_t(1000), std::size_t(7)}) {
    auto payload = fresh();
    std::string out;
    for (std::size_t at = 0; at < body.size(); at += step) {
      payload.feed(std::string_view(body).substr(at, step), out);
    }
    EXPECT_TRUE(payload.finished()) << step;
    EXPECT_EQ(out, std::string(66560, 'a')) << step;
  }
}

TEST(SigV4Chunks, AChangedByteIsNotHandedOn) {
  auto body = published();
  body[200] = 'b';
  auto payload = fresh();
  std::string out;
  EXPECT_THROW(payload.feed(body, out), ChunkError);
  EXPECT_TRUE(out.empty());
}

TEST(SigV4Chunks, ChunksCannotBeLeftOut) {
  auto body = published();
  body.erase(0, body.find("\r\n400;") + 2);
  auto payload = fresh();
  std::string out;
  EXPECT_THROW(payload.feed(body, out), ChunkError);
}

TEST(SigV4Chunks, LimitsAndGrammar) {
  for (auto bad : {"x;chunk-signature=00\r\n", "5\r\n", "\r\n", "1000001;chunk-signature=00\r\n",
                   "ffffffffffffffffff;chunk-signature=00\r\n", "-1;chunk-signature=00\r\n"}) {
    auto payload = fresh();
    std::string out;
    EXPECT_THROW(payload.feed(bad, out), ChunkError) << bad;
  }
  auto payload = fresh();
  std::string out;
  EXPECT_THROW(payload.feed(std::string(200, '0'), out), ChunkError);
  auto done = fresh();
  EXPECT_THROW(done.feed(published() + "x", out), ChunkError);
}

}  // namespace
}  // namespace sampan::aws
