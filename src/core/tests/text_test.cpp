#include "core/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace sampan::core {
namespace {

using testing::ElementsAre;

TEST(Split, KeepsEmptyParts) {
  EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split("one", ','), ElementsAre("one"));
}

TEST(Trim, TakesWhiteSpaceOffBothEnds) {
  EXPECT_EQ(trim(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Case, IsAsciiOnly) {
  EXPECT_EQ(to_lower("AbZ\xc3\x89"), "abz\xc3\x89");
  EXPECT_TRUE(equal_ignoring_case("Content-LENGTH", "content-length"));
  EXPECT_FALSE(equal_ignoring_case("abc", "abcd"));
  EXPECT_FALSE(equal_ignoring_case("[", "{"));  // differ by the same bit as a letter's cases
}

TEST(Join, PutsSeparatorsBetween) {
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"a"}, ", "), "a");
  EXPECT_EQ(join({"a", "", "b"}, ", "), "a, , b");
}

TEST(ReplaceAll, DoesNotReadItsOwnOutput) {
  EXPECT_EQ(replace_all("aaa", "a", "aa"), "aaaaaa");
  EXPECT_EQ(replace_all("abcabc", "bc", ""), "aa");
  EXPECT_EQ(replace_all("abc", "x", "y"), "abc");
  EXPECT_EQ(replace_all("abc", "", "y"), "abc");
}

TEST(ParseInt, TakesWholeDecimalNumbersOnly) {
  EXPECT_EQ(parse_int("0"), 0);
  EXPECT_EQ(parse_int("-17"), -17);
  EXPECT_EQ(parse_int("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  for (const char* bad : {"", " 1", "1 ", "+1", "0x10", "1.0", "9223372036854775808", "--1", "1e3"}) {
    EXPECT_EQ(parse_int(bad), std::nullopt) << bad;
  }
}

struct WildcardCase {
  const char* pattern;
  const char* text;
  bool matches;
};

TEST(WildcardMatch, FollowsItsTable) {
  for (const WildcardCase& c : {WildcardCase{"", "", true},
                                {"", "a", false},
                                {"*", "", true},
                                {"*", "a/b", true},
                                {"a*c", "abc", true},
                                {"a*c", "ac", true},
                                {"a*c", "acb", false},
                                {"*.example.com", "www.example.com", true},
                                {"*.example.com", "example.com", false},
                                {"?", "", false},
                                {"a?c", "abc", true},
                                {"a?c", "ac", false},
                                {"*a*b", "xaxbxb", true},
                                {"a**b", "ab", true},
                                {"/img/*/x?.png", "/img/a/b/x1.png", true}}) {
    EXPECT_EQ(wildcard_match(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
  }
}

TEST(WildcardMatch, DoesNotBlowUpOnManyStars) {
  const std::string text(5000, 'a');
  EXPECT_FALSE(wildcard_match("*a*a*a*a*a*a*a*a*a*b", text));
}

}  // namespace
}  // namespace sampan::core
