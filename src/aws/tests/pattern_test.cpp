#include "aws/pattern.h"

#include <gtest/gtest.h>

namespace sampan::aws {
namespace {

constexpr std::string_view kRepository =
    R"([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*)";
constexpr std::string_view kTagKey = R"(([\p{L}\p{Z}\p{N}_.:/=+\-@]*))";

struct Case {
  std::string_view expression;
  std::string_view text;
  bool matches;
};

class Patterns : public testing::TestWithParam<Case> {};

TEST_P(Patterns, Match) {
  const auto pattern = Pattern::compile(GetParam().expression);
  ASSERT_TRUE(pattern);
  EXPECT_EQ(pattern->matches(GetParam().text), GetParam().matches)
      << GetParam().expression << " on '" << GetParam().text << "'";
}

INSTANTIATE_TEST_SUITE_P(
    Table, Patterns,
    testing::Values(Case{kRepository, "shop/web", true}, Case{kRepository, "a__b", true},
                    Case{kRepository, "a---b", true}, Case{kRepository, "a..b", false},
                    Case{kRepository, "a___b", false}, Case{kRepository, "A", false},
                    Case{kRepository, "-a", false}, Case{kRepository, "a/", false},
                    Case{kRepository, "", false}, Case{"[0-9]{12}", "000000000000", true},
                    Case{"[0-9]{12}", "00000000000", false}, Case{"[0-9]{12}", "0000000000000", false},
                    Case{R"(\S{36,128})", std::string_view("aaaaaaaaaaaa"), false},
                    Case{R"([\w-_]*)", "a-b_c", true}, Case{R"([\w-_]*)", "a b", false},
                    Case{R"([a-zA-Z0-9-_+.]+)", "a-b+c.d", true}, Case{R"([^:*]*)", "a:b", false},
                    Case{R"([^:*]*)", "web/1", true}, Case{"^$|a+", "", true}, Case{"^$|a+", "aa", true},
                    Case{"^$|a+", "b", false}, Case{R"(^(HTTPS?|#\{protocol\})$)", "HTTPS", true},
                    Case{R"(^(HTTPS?|#\{protocol\})$)", "#{protocol}", true},
                    Case{R"(^(HTTPS?|#\{protocol\})$)", "HTTPSS", false},
                    Case{R"(^(2|4|5)\d\d$)", "404", true}, Case{R"(^(2|4|5)\d\d$)", "304", false},
                    Case{R"([\u0009\u000A\u000D\u0020-\u00FF]+)", "a\n\xC3\xA9", true},
                    Case{R"([\u0020-\u007E]+)", "\xC3\xA9", false}, Case{kTagKey, "Tên cửa hàng", true},
                    Case{kTagKey, "a,b", false}, Case{kTagKey, "\xE2\x82\xAC", false},
                    Case{"(a*)*b", "aaab", true}, Case{"(a|b|c)+", "abcabd", false},
                    Case{"a{2,}", "aaaa", true}, Case{"a{2,}", "a", false}, Case{"x.z", "xyz", true},
                    Case{"x.z", "x\nz", false}));

TEST(Pattern, TakesLinearTimeWhereBacktrackingWouldNot) {
  const std::string evil(5000, 'a');
  EXPECT_FALSE(Pattern::compile("(a+)+b")->matches(evil));
  EXPECT_FALSE(Pattern::compile(kRepository)->matches(evil + "."));
}

TEST(Pattern, RefusesWhatItDoesNotKnow) {
  for (auto text : {"(", ")", "[a", "a{", "a{3,1}", "*a", R"(\)", R"(\q)", R"(\p{Greek})", "a{9999}{9999}"}) {
    EXPECT_FALSE(Pattern::compile(text)) << text;
  }
}

}  // namespace
}  // namespace sampan::aws
