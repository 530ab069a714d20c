// The orders of versions: the specifications' own examples, and that each is an order.
#include "scan/version.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace sampan::scan {
namespace {

// Texts in ascending order, "=" in front of one that equals the one before.
struct Ladder {
  Scheme scheme;
  std::vector<std::string> steps;
};

void climb(const Ladder& ladder) {
  std::vector<std::pair<std::string, int>> places;  // text, rung
  int rung = 0;
  for (const auto& step : ladder.steps) {
    const bool same = step.starts_with('=');
    if (!same) ++rung;
    places.emplace_back(same ? step.substr(1) : step, rung);
  }
  for (const auto& [a, left] : places) {
    for (const auto& [b, right] : places) {
      const int expected = (left > right) - (left < right);
      EXPECT_EQ(compare_versions(ladder.scheme, a, b), expected) << a << " and " << b;
    }
  }
}

TEST(DpkgVersion, FollowsDebVersion7) {
  // deb-version(7): "~~, ~~a, ~, the empty part, a"; epochs; letters before everything else.
  climb({Scheme::kDpkg,
         {"1~~",   "1~~a",  "1~",  "1",     "1a",   "1+",  "1.0~rc1-1", "1.0-1", "1.0-1+b1", "1.0-1.1",
          "1.0-2", "1.0.1", "1.9", "=1.09", "1.10", "2-0", "10",        "1:0.1", "=01:0.1",  "2:0"}});
  climb({Scheme::kDpkg, {"3.0.11-1~deb12u1", "3.0.11-1~deb12u2", "3.0.11-1", "3.0.11-1+deb12u1"}});
  climb({Scheme::kDpkg, {"0", "=0-0", "=", "0.0"}});
  climb({Scheme::kDpkg, {"1.2.13.dfsg-1", "1:1.2.11.dfsg-2", "1:1.2.13.dfsg-1"}});
  climb({Scheme::kDpkg, {"99999999999999999999998", "99999999999999999999999"}});
}

TEST(ApkVersion, FollowsApkTools) {
  climb({Scheme::kApk,
         {"1.0_alpha", "1.0_alpha2", "1.0_beta", "1.0_pre", "1.0_rc1", "1.0_rc2-r1", "1.0",       "1.0-r1",
          "1.0-r10",   "1.0_cvs",    "1.0_svn",  "1.0_git", "1.0_hg",  "1.0_p1",     "1.0_p1-r1", "1.0_p2",
          "1.0a",      "1.0b",       "1.0.1",    "1.1",     "1.9",     "1.10",       "2"}});
  climb({Scheme::kApk, {"1.001", "1.01", "1.1"}});
  climb({Scheme::kApk, {"3.0.8-r0", "3.0.8-r3", "3.0.10-r0"}});
  climb({Scheme::kApk, {"not a version", "0.1"}});
}

TEST(RpmVersion, FollowsRpmVerCmp) {
  climb({Scheme::kRpm,
         {"1.0~rc1-1", "1.0-1", "1.0^git1-1", "1.0.1-1", "1.1", "2.0-1.el9", "2.0-2.el9", "1:0.1-1"}});
  climb({Scheme::kRpm, {"a", "1", "=01", "1.1", "=1_1", "10"}});
  climb({Scheme::kRpm, {"5.5p1", "5.5p2", "5.5p10"}});
}

TEST(SemVersion, FollowsSection11) {
  climb({Scheme::kSemVer,
         {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
          "1.0.0-rc.1", "1.0.0", "=1.0.0+build.5", "=v1.0.0", "=1.0", "2.0.0", "2.1.0", "2.1.1", "10.0.0"}});
  climb({Scheme::kSemVer, {"latest", "0.0.0-20190101000000-abcdefabcdef", "0.0.0", "0.0.1"}});
}

TEST(Pep440Version, FollowsThePep) {
  // PEP 440, "Summary of permitted suffixes and relative ordering".
  climb({Scheme::kPep440, {"nonsense",      "1.dev0",        "1.0.dev456",   "1.0a1", "1.0a2.dev456",
                           "1.0a12.dev456", "1.0a12",        "1.0b1.dev456", "1.0b2", "1.0b2.post345.dev456",
                           "1.0b2.post345", "1.0rc1.dev456", "1.0rc1",       "1.0",   "=1.0.0",
                           "=v1",           "1.0+abc.5",     "1.0+abc.7",    "1.0+5", "1.0.post456.dev34",
                           "1.0.post456",   "1.0.15",        "1.1.dev1",     "1.1",   "1!0.1"}});
  climb({Scheme::kPep440,
         {"1.0a1", "=1.0.alpha1", "=1.0-A.1", "=1.0_a1", "1.0rc1", "=1.0c1", "=1.0-preview1"}});
  climb({Scheme::kPep440, {"1.0.post1", "=1.0-1", "=1.0.rev1", "=1.0r1"}});
}

TEST(GemVersion, FollowsRubyGems) {
  climb({Scheme::kGem,
         {"1.0.a1", "1.0.a2", "1.0.b1", "=1.b1", "1", "=1.0", "=1.0.0", "1.0.1.rc1", "1.0.1", "1.9", "1.10.a",
          "1.10"}});
  climb({Scheme::kGem, {"7.0.0-rc1", "7.0.0", "7.0.4.1"}});
}

TEST(MavenVersion, FollowsThePomReference) {
  climb({Scheme::kMaven,
         {"1-alpha-1", "=1-a1", "1-beta-1", "1-milestone-1", "=1-m1", "1-rc-1", "=1-cr1", "1-SNAPSHOT", "1",
          "=1.0", "=1-ga", "=1-final", "=1.0.0", "1-sp", "1-foo", "1-1", "1.1"}});
  climb({Scheme::kMaven, {"1.0.0-foo.0.0", "=1-foo"}});
  climb({Scheme::kMaven, {"2.9.10", "2.9.10.8", "2.10.0", "2.10.0.pr1"}});
  climb({Scheme::kMaven, {"31.0-android", "31.1-android", "31.1-jre"}});
}

TEST(ComposerVersion, FollowsComposer) {
  climb({Scheme::kComposer,
         {"dev-main", "1.0.0-dev", "1.0.0-alpha1", "=v1.0-a1", "1.0.0-alpha2", "1.0.0-beta", "1.0.0-RC1",
          "1.0.0", "=1.0", "=1.0.0.0", "1.0.0-patch1", "=1.0.0-pl1", "1.0.1", "1.10", "2.0"}});
}

// Any texts at all: antisymmetric, transitive, and equal to themselves.
TEST(Versions, AreTotalOrdersOverAnyText) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  static constexpr std::string_view kPieces[]{
      "0",    "1", "2", "10",  "01", "00", ".",  ".",    "-",     "-",
      "_",    "~", "+", "^",   ":",  "a",  "b",  "rc",   "alpha", "dev",
      "post", "p", "r", "-r1", "v",  "!",  "sp", "\xff", " ",     "99999999999999999999"};
  for (const auto scheme : {Scheme::kDpkg, Scheme::kApk, Scheme::kRpm, Scheme::kSemVer, Scheme::kPep440,
                            Scheme::kGem, Scheme::kMaven, Scheme::kComposer}) {
    for (int round = 0; round < 20000; ++round) {
      std::string texts[3];
      for (auto& text : texts) {
        for (auto n = random() % 7; n > 0; --n) text += kPieces[random() % std::size(kPieces)];
      }
      const auto& [a, b, c] = texts;
      const int ab = compare_versions(scheme, a, b), bc = compare_versions(scheme, b, c),
                ac = compare_versions(scheme, a, c);
      ASSERT_EQ(compare_versions(scheme, b, a), -ab) << int(scheme) << " '" << a << "' '" << b << "'";
      ASSERT_EQ(compare_versions(scheme, a, a), 0);
      if (scheme == Scheme::kMaven) continue;  // no order over such texts, by its own reference
      if (ab <= 0 && bc <= 0) {
        ASSERT_LE(ac, 0) << int(scheme) << " '" << a << "' '" << b << "' '" << c << "'";
        if (ab == 0 && bc == 0) {
          ASSERT_EQ(ac, 0) << int(scheme) << " '" << a << "' '" << b << "' '" << c << "'";
        }
      }
    }
  }
}

}  // namespace
}  // namespace sampan::scan
