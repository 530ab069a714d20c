#include "logs/filter_pattern.h"

#include <gtest/gtest.h>

namespace sampan::logs {
namespace {

struct Case {
  const char* pattern;
  const char* message;
  bool matches;
};

class FilterPatternTable : public testing::TestWithParam<Case> {};

TEST_P(FilterPatternTable, Matches) {
  const auto& [pattern, message, matches] = GetParam();
  EXPECT_EQ(FilterPattern(pattern).matches(message), matches) << pattern << " on " << message;
}

INSTANTIATE_TEST_SUITE_P(
    Terms, FilterPatternTable,
    testing::Values(Case{"", "anything", true}, Case{"   ", "anything", true},
                    Case{"ERROR", "[ERROR] disk", true}, Case{"ERROR", "error", false},
                    Case{"ERROR disk", "disk ERROR", true}, Case{"ERROR disk", "ERROR", false},
                    Case{"\"disk full\"", "the disk full", true}, Case{"\"disk full\"", "full disk", false},
                    Case{"\"say \\\"hi\\\"\"", "say \"hi\"", true}, Case{"?ERROR ?WARN", "a WARN b", true},
                    Case{"?ERROR ?WARN", "a INFO b", false}, Case{"?\"disk full\" ?WARN", "disk full", true},
                    Case{"?ERROR REQUEST", "REQUEST", true}, Case{"?ERROR REQUEST", "ERROR", false},
                    Case{"ERROR -health", "ERROR health", false}, Case{"ERROR -health", "ERROR other", true},
                    Case{"-health", "other", true}, Case{"-\"a b\"", "a b", false},
                    Case{"-\"a b\"", "b a", true}, Case{"?", "what?", true}, Case{"-", "a-b", true}));

constexpr const char* kRequest =
    R"({"status":503,"path":"/api/cart","ok":false,"fast":true,"user":null,"list":[{"n":1.5}],"a b":"x"})";

INSTANTIATE_TEST_SUITE_P(
    Json, FilterPatternTable,
    testing::Values(
        Case{"{ $.status = 503 }", kRequest, true}, Case{"{$.status=503}", kRequest, true},
        Case{"{ $.status != 503 }", kRequest, false}, Case{"{ $.status >= 500 }", kRequest, true},
        Case{"{ $.status > 503 }", kRequest, false}, Case{"{ $.status <= 503 }", kRequest, true},
        Case{"{ $.status < 1e3 }", kRequest, true}, Case{"{ $.path = \"/api/*\" }", kRequest, true},
        Case{"{ $.path = /api/cart }", kRequest, true}, Case{"{ $.path = \"/api\" }", kRequest, false},
        Case{"{ $.path != \"/shop*\" }", kRequest, true}, Case{"{ $.list[0].n = 1.5 }", kRequest, true},
        Case{"{ $.list[1].n = 1.5 }", kRequest, false}, Case{"{ $['a b'] = \"x\" }", kRequest, true},
        Case{"{ $.user IS NULL }", kRequest, true}, Case{"{ $.ok IS TRUE }", kRequest, false},
        Case{"{ $.ok is false }", kRequest, true}, Case{"{ $.fast IS TRUE }", kRequest, true},
        Case{"{ $.gone NOT EXISTS }", kRequest, true}, Case{"{ $.path NOT EXISTS }", kRequest, false},
        Case{"{ $.gone != 1 }", kRequest, false}, Case{"{ $.status = 503 && $.ok IS TRUE }", kRequest, false},
        Case{"{ $.status = 1 || $.ok IS FALSE }", kRequest, true},
        Case{"{ ($.status = 1 || $.ok IS FALSE) && $.path = \"*cart\" }", kRequest, true},
        Case{"{ $.status = \"503\" }", kRequest, false}, Case{"{ $.path > 3 }", kRequest, false},
        Case{"{ $.status = 503 }", "status 503", false}, Case{"{ $.status = 503 }", "{\"status\":", false},
        Case{"{ $.a = 1 }", "  {\"a\": 1}\n", true}));

TEST(FilterPattern, RefusesWhatIsBroken) {
  for (const char* broken :
       {"\"open", "[a, b]", "%re%", "{ $.a }", "{ $.a = }", "{ $.a = 1", "{ $.a = 1 } more", "{ a = 1 }",
        "{}", "{ $.a < \"x\" }", "{ $.a IS MAYBE }", "{ $.a NOT }", "{ $.[0 = 1 }", "{ $.a = 1 && }",
        "{ $.a = \"x }", "{ $.a = %re% }", "{ ($.a = 1 }"}) {
    EXPECT_THROW(FilterPattern{broken}, InvalidPattern) << broken;
  }
}

TEST(FilterPattern, RefusesDeepNestingInsteadOfRunningOutOfStack) {
  const std::string deep = "{" + std::string(500, '(') + "$.a = 1" + std::string(500, ')') + "}";
  EXPECT_THROW(FilterPattern{deep}, InvalidPattern);
}

TEST(FilterPattern, DeepMessageDoesNotMatch) {
  const std::string deep = "{\"a\":" + std::string(100'000, '[');
  EXPECT_FALSE(FilterPattern("{ $.a = 1 }").matches(deep));
}

}  // namespace
}  // namespace sampan::logs
