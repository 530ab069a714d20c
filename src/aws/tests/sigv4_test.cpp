#include "aws/sigv4.h"

#include <gtest/gtest.h>

#include "aws/time_text.h"
#include "core/encoding.h"

namespace sampan::aws {
namespace {

constexpr std::string_view kDate = "20150830T123600Z";
const Credentials kExample{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};

// Cases of AWS's published signature test suite.
struct Vector {
  const char* name;
  const char* method;
  const char* target;
  std::vector<std::pair<const char*, const char*>> headers;
  std::vector<std::string> signed_headers;
  const char* body;
  const char* signature;
};

class SigV4Vectors : public testing::TestWithParam<Vector> {};

TEST_P(SigV4Vectors, SignsAsPublished) {
  const auto& v = GetParam();
  http::Request request{v.method, v.target, {}, "", false, std::nullopt};
  for (const auto& [name, value] : v.headers) request.headers.add(name, value);
  const CredentialScope scope{"AKIDEXAMPLE", "20150830", "us-east-1", "service"};
  const auto hash = core::sha256_hex(v.body);
  const auto canonical = canonical_request(
      {request.method, request.raw_path(), request.raw_query(), request.headers, v.signed_headers, hash});
  const auto key = derive_signing_key(kExample.secret, scope);
  EXPECT_EQ(sign_text(key, string_to_sign(kDate, scope, canonical)), v.signature) << canonical;
}

INSTANTIATE_TEST_SUITE_P(
    Published, SigV4Vectors,
    testing::Values(Vector{"vanilla",
                           "GET",
                           "/",
                           {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}},
                           {"host", "x-amz-date"},
                           "",
                           "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
                    Vector{"query_order",
                           "GET",
                           "/?Param2=value2&Param1=value1",
                           {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}},
                           {"host", "x-amz-date"},
                           "",
                           "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
                    Vector{"query_key",
                           "GET",
                           "/?Param1=value1",
                           {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}},
                           {"host", "x-amz-date"},
                           "",
                           "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
                    Vector{"unreserved",
                           "GET",
                           "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                           {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}},
                           {"host", "x-amz-date"},
                           "",
                           "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
                    Vector{"post",
                           "POST",
                           "/",
                           {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}},
                           {"host", "x-amz-date"},
                           "",
                           "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
                    Vector{"form",
                           "POST",
                           "/",
                           {{"Content-Type", "application/x-www-form-urlencoded"},
                            {"Host", "example.amazonaws.com"},
                            {"X-Amz-Date", "20150830T123600Z"}},
                           {"content-type", "host", "x-amz-date"},
                           "Param1=value1",
                           "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
                    Vector{"value_trim",
                           "GET",
                           "/",
                           {{"Host", "example.amazonaws.com"},
                            {"My-Header1", " value1"},
                            {"My-Header2", " \"a   b   c\""},
                            {"X-Amz-Date", "20150830T123600Z"}},
                           {"host", "my-header1", "my-header2", "x-amz-date"},
                           "",
                           "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
                    Vector{"dot_segments",
                           "GET",
                           "/./example/..",
                           {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}},
                           {"host", "x-amz-date"},
                           "",
                           "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
                    Vector{"duplicate_header",
                           "GET",
                           "/",
                           {{"Host", "example.amazonaws.com"},
                            {"My-Header1", "value2"},
                            {"My-Header1", "value2"},
                            {"My-Header1", "value1"},
                            {"X-Amz-Date", "20150830T123600Z"}},
                           {"host", "my-header1", "x-amz-date"},
                           "",
                           "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"}),
    [](const auto& info) { return info.param.name; });

TEST(SigV4, DerivesTheDocumentedKey) {
  const CredentialScope scope{"AKIDEXAMPLE", "20150830", "us-east-1", "iam"};
  EXPECT_EQ(core::to_hex(derive_signing_key(kExample.secret, scope)),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

TEST(SigV4, KeyCacheNoticesAChangedSecret) {
  SigningKeyCache cache;
  const CredentialScope scope{"AKIDEXAMPLE", "20150830", "us-east-1", "iam"};
  const auto first = cache.key_for("one", scope);
  EXPECT_EQ(cache.key_for("one", scope), first);
  EXPECT_NE(cache.key_for("two", scope), first);
}

TEST(SigV4, ScopeNeedsFiveParts) {
  EXPECT_TRUE(CredentialScope::parse("AKID/20150830/us-east-1/iam/aws4_request"));
  EXPECT_FALSE(CredentialScope::parse("AKID/20150830/us-east-1/iam"));
  EXPECT_FALSE(CredentialScope::parse("AKID/20150830/us-east-1/iam/aws5_request"));
  EXPECT_FALSE(CredentialScope::parse("AKID/2015/us-east-1/iam/aws4_request"));
  EXPECT_FALSE(CredentialScope::parse("//us-east-1/iam/aws4_request"));
}

TEST(SigV4, ASignedRequestIsReadBack) {
  http::Request request{"POST", "/", {}, "", false, std::nullopt};
  request.headers.set("Host", "localhost:4566");
  request.headers.set("Content-Type", "application/x-amz-json-1.1");
  sign_request(request, "{}", {"AK", "SK", "TOKEN"}, "us-east-1", "ecs", *parse_amz_date(kDate));
  const auto found = find_signature(request);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->credential.access_key, "AK");
  EXPECT_EQ(found->credential.service, "ecs");
  EXPECT_EQ(found->session_token, "TOKEN");
  EXPECT_EQ(found->signed_headers,
            (std::vector<std::string>{"content-type", "host", "x-amz-date", "x-amz-security-token"}));
  EXPECT_EQ(found->signature.size(), 64u);
}

TEST(SigV4, HeaderWithoutSignatureIsIncomplete) {
  http::Request request{"POST", "/", {}, "", false, std::nullopt};
  request.headers.set("Authorization",
                      "AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4_request, SignedHeaders=host");
  request.headers.set("X-Amz-Date", std::string(kDate));
  EXPECT_THROW(find_signature(request), IncompleteSignature);
}

TEST(SigV4, OtherAuthorizationIsNotASignature) {
  http::Request request{"GET", "/v2/", {}, "", false, std::nullopt};
  request.headers.set("Authorization", "Basic QVdTOng=");
  EXPECT_FALSE(find_signature(request));
}

TEST(AmzDate, RoundTripsAndRefusesNonsense) {
  EXPECT_EQ(to_amz_date(*parse_amz_date(kDate)), kDate);
  for (auto text :
       {"", "20150830", "20151330T123600Z", "20150830T253600Z", "2015083xT123600Z", "20150230T000000Z"}) {
    EXPECT_FALSE(parse_amz_date(text)) << text;
  }
}

TEST(Iso8601, ReadsWhatAwsToolsSend) {
  const auto noon = parse_iso8601("2026-11-22T12:00:00Z");
  ASSERT_TRUE(noon);
  EXPECT_EQ(parse_iso8601("2026-11-22T12:00:00.000Z"), noon);
  EXPECT_EQ(parse_iso8601("2026-11-22T13:00:00+01:00"), noon);
  EXPECT_EQ(parse_iso8601("2026-11-22T12:00:00"), noon);
  EXPECT_EQ(parse_iso8601("2026-11-22T12:00:00.5Z"), *noon + core::Millis(500));
  EXPECT_EQ(parse_iso8601("2026-11-22"), *noon - std::chrono::hours(12));
  for (auto text :
       {"", "2026", "2026-11-22T", "2026-11-22T12", "2026-11-22T12:00:00X", "22/11/2026", "2026-11-31"}) {
    EXPECT_FALSE(parse_iso8601(text)) << text;
  }
}

}  // namespace
}  // namespace sampan::aws
