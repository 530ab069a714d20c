#include "build/ignore.h"

#include <gtest/gtest.h>

#include "build/apt_sources.h"

namespace sampan::build {
namespace {

struct IgnoreCase {
  std::string rules;
  std::string path;
  bool ignored;
};

TEST(IgnoreRules, FollowDockers) {
  const IgnoreCase cases[] = {
      {"node_modules", "node_modules", true},
      {"node_modules", "node_modules/x/y", true},
      {"node_modules", "a/node_modules", false},
      {"**/node_modules", "a/b/node_modules/c", true},
      {"**/node_modules", "node_modules", true},
      {"*.md", "a.md", true},
      {"*.md", "d/a.md", false},
      {"*/temp*", "d/temp1", true},
      {"*/*/temp*", "d/temp1", false},
      {"temp?", "tempx", true},
      {"*.md\n!README.md", "README.md", false},
      {"*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true},
      {"*.md\nREADME-secret.md\n!README*.md", "README-secret.md", false},
      {"*\n!src", "src/a.c", false},
      {"*\n!src", "other", true},
      {"# x\n\n  /lib/ ", "lib/a", true},
      {"./a/../b", "b", true},
      {"a/**", "a/b/c", true},
      {"a/**", "a", false},
      {"a/**/z", "a/z", true},
      {"a/**/z", "a/b/c/z", true},
      {"**", "anything", true},
      {"[a-c]x", "bx", true},
      {"[^a-c]x", "bx", false},
      {"\\*x", "*x", true},
      {"[", "[", false},
      {"", "x", false},
  };
  for (const IgnoreCase& each : cases) {
    EXPECT_EQ(IgnoreRules(each.rules).ignores(each.path), each.ignored) << each.rules << " on " << each.path;
  }
}

TEST(IgnoreRules, TakesNoLongTimeOverManyStars) {
  std::string pattern;
  std::string path;
  for (int i = 0; i < 40; ++i) pattern += "**/*a*a*a*a*b/";
  for (int i = 0; i < 200; ++i) path += "aaaaaaaaaaaaaaaaaaaaaaaa/";
  const auto started = std::chrono::steady_clock::now();
  EXPECT_FALSE(IgnoreRules(pattern).ignores(path));
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(2));
}

TEST(AptSources, ReadsBothForms) {
  const auto lines = parse_one_line_sources(
      "# c\ndeb [signed-by=/k arch=amd64] http://m/debian bookworm main contrib # x\ndeb-src http://m/debian "
      "bookworm main\n");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0], (AptSource{"http://m/debian", "bookworm", {"main", "contrib"}}));
  const auto stanzas = parse_deb822_sources(
      "Types: deb deb-src\n# c\nURIs: http://m/debian\n  http://n/debian\nSuites: bookworm "
      "bookworm-updates\nComponents: main\n\n"
      "Enabled: no\nTypes: deb\nURIs: x\nSuites: y\n");
  EXPECT_EQ(stanzas.size(), 4U);
}

TEST(AptSources, ChoosesDebiansOwnMirrorsForAnySuite) {
  const std::vector<AptSource> host = {
      {"http://m/debian", "bookworm", {"main"}},
      {"http://m/debian", "bookworm-updates", {"main"}},
      {"http://m/debian-security/", "bookworm-security", {"main", "non-free"}},
      {"https://packages.example.com/node_20.x", "nodistro", {"main"}},
      {"https://packages.example/apt", "x-bookworm", {"main"}}};
  const auto same = sources_for("bookworm", host);
  ASSERT_EQ(same.size(), 3U);
  EXPECT_EQ(render_source(same[2]), "deb http://m/debian-security/ bookworm-security main");
  EXPECT_EQ(render_source(sources_for("trixie", host)[1]), "deb http://m/debian trixie-updates main");
  EXPECT_EQ(render_source(sources_for("bookworm", {})[0]), "deb http://deb.debian.org/debian bookworm main");
  EXPECT_FALSE(valid_suite("-x"));
  EXPECT_FALSE(valid_suite("a b"));
  EXPECT_TRUE(valid_suite("bookworm"));
}

}  // namespace
}  // namespace sampan::build
