#include "core/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sampan::core {
namespace {

TEST(Hex, WritesLowerCaseAndReadsBoth) {
  EXPECT_EQ(to_hex(std::string_view("\x00\xff\x1a", 3)), "00ff1a");
  EXPECT_EQ(from_hex("00FF1a"), std::string("\x00\xff\x1a", 3));
  EXPECT_EQ(from_hex(""), "");
}

TEST(Hex, RefusesOddLengthAndOtherDigits) {
  for (const char* bad : {"0", "0g", "zz", " 00", "0x"}) EXPECT_EQ(from_hex(bad), std::nullopt) << bad;
}

struct Base64Case {
  const char* bytes;
  const char* text;
};

TEST(Base64, FollowsRfc4648TestVectors) {
  for (const Base64Case& c : {Base64Case{"", ""},
                              {"f", "Zg=="},
                              {"fo", "Zm8="},
                              {"foo", "Zm9v"},
                              {"foob", "Zm9vYg=="},
                              {"fooba", "Zm9vYmE="},
                              {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(to_base64(c.bytes), c.text);
    EXPECT_EQ(from_base64(c.text), c.bytes);
  }
}

TEST(Base64, CarriesEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    EXPECT_EQ(from_base64(to_base64(bytes.substr(0, length))), bytes.substr(0, length));
  }
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  for (const char* bad :
       {"Zg", "Zg=", "Zg==\n", "Z===", "====", "=g==", "Zm=v", "Zh==", "Zm9=", "Zm 9v", "Zm-_"}) {
    EXPECT_EQ(from_base64(bad), std::nullopt) << bad;
  }
}

TEST(PercentEncoding, KeepsOnlyTheUnreservedOfRfc3986) {
  EXPECT_EQ(percent_encode("AZaz09-_.~"), "AZaz09-_.~");
  EXPECT_EQ(percent_encode("a b/c+d%\xc3\xa9*'"), "a%20b%2Fc%2Bd%25%C3%A9%2A%27");
  EXPECT_EQ(percent_encode("a/b c", true), "a/b%20c");
}

TEST(PercentEncoding, DecodesAndRefusesBrokenEscapes) {
  EXPECT_EQ(percent_decode("a%20b%2f+"), "a b/+");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_decode("%00"), std::string("\0", 1));
  for (const char* bad : {"%", "%2", "%zz", "a%2", "%%20"})
    EXPECT_EQ(percent_decode(bad), std::nullopt) << bad;
}

TEST(Sha256, FollowsTheNistVectors) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha512, FollowsTheNistVectors) {
  EXPECT_EQ(hash_hex(HashAlgorithm::kSha512, "abc"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Sha256, InPiecesIsTheSameAsAtOnce) {
  const std::string piece(1000, 'a');
  Sha256 digest;
  for (int i = 0; i < 1000; ++i) digest.update(piece);
  EXPECT_EQ(digest.finish_hex(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, MovesWithWhatItHasSeen) {
  Sha256 first;
  first.update(std::string("ab"));
  Sha256 second = std::move(first);
  second.update(std::string("c"));
  EXPECT_EQ(second.finish_hex(), sha256_hex("abc"));
}

TEST(HmacSha256, FollowsRfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      to_hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(EqualInConstantTime, ComparesLengthAndBytes) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secrets"));
}

}  // namespace
}  // namespace sampan::core
