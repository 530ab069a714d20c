#include "scan/cvss.h"

#include <gtest/gtest.h>

namespace sampan::scan {
namespace {

struct Known {
  const char* vector;
  double score;
  Severity severity;
};

void expect_scores(std::initializer_list<Known> table) {
  for (const auto& known : table) {
    const auto score = score_of(known.vector);
    ASSERT_TRUE(score) << known.vector;
    EXPECT_DOUBLE_EQ(score->score, known.score) << known.vector;
    EXPECT_EQ(severity_of_score(score->score, score->version), known.severity) << known.vector;
  }
}

TEST(Cvss3, GivesTheScoresOfFirstsExamples) {
  expect_scores({
      {"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, Severity::kMedium},     // CVE-2013-1937
      {"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4, Severity::kMedium},     // CVE-2013-0375
      {"CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1, Severity::kLow},        // CVE-2014-3566
      {"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9, Severity::kCritical},   // CVE-2012-1516
      {"CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", 4.2, Severity::kMedium},     // CVE-2009-0783
      {"CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 7.8, Severity::kHigh},       // CVE-2009-0658
      {"CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 4.6, Severity::kMedium},     // CVE-2013-6014's shape
      {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, Severity::kCritical},   // CVE-2014-6271
      {"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5, Severity::kHigh},       // CVE-2014-0160
      {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0, Severity::kCritical},  // CVE-2021-44228
      {"CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", 7.2, Severity::kHigh},       // CVE-2021-23337
      {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0, Severity::kInformational},
      {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N/E:P/RL:O", 7.5,
       Severity::kHigh},  // the base alone counts
  });
}

TEST(Cvss2, GivesTheScoresOfTheGuidesExamples) {
  expect_scores({
      {"AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8, Severity::kHigh},      // CVE-2002-0392
      {"AV:N/AC:L/Au:N/C:C/I:C/A:C", 10.0, Severity::kHigh},     // CVE-2003-0818
      {"(AV:L/AC:H/Au:N/C:C/I:C/A:C)", 6.2, Severity::kMedium},  // CVE-2003-0062
      {"CVSS:2.0/AV:N/AC:L/Au:N/C:N/I:N/A:N", 0.0, Severity::kInformational},
  });
}

TEST(Cvss4, GivesKnownScores) {
  expect_scores({
      {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 10.0, Severity::kCritical},
      {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3, Severity::kCritical},
      {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", 8.7, Severity::kHigh},
      {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N", 6.9, Severity::kMedium},
      {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", 5.1, Severity::kMedium},
      {"CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 8.5, Severity::kHigh},
      {"CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:P/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", 5.1, Severity::kMedium},
      {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0.0, Severity::kInformational},
  });
}

// Worse metrics never lower the score.
TEST(Cvss4, IsMonotoneInItsImpacts) {
  for (const char* av : {"N", "A", "L", "P"}) {
    for (const char* e : {"A", "P", "U"}) {
      double before = 11;
      for (const char* impact : {"H", "L", "N"}) {
        const auto vector = std::string("CVSS:4.0/AV:") + av + "/AC:L/AT:N/PR:N/UI:N/VC:" + impact +
                            "/VI:" + impact + "/VA:" + impact + "/SC:N/SI:N/SA:N/E:" + e;
        const auto score = score_of(vector);
        ASSERT_TRUE(score) << vector;
        EXPECT_LE(score->score, before) << vector;
        before = score->score;
      }
    }
  }
}

TEST(Cvss, RefusesWhatIsNoVector) {
  for (const char* text :
       {"", "high", "CVSS:3.1/", "CVSS:3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", "CVSS:9.9/AV:N",
        "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:S/SI:N/SA:N", "AV:N", ":::///", "7.5"}) {
    EXPECT_FALSE(score_of(text)) << text;
  }
}

TEST(Severity, UnderstandsDatabasesWords) {
  EXPECT_EQ(severity_of_word("MODERATE"), Severity::kMedium);
  EXPECT_EQ(severity_of_word("medium**"), Severity::kMedium);
  EXPECT_EQ(severity_of_word("unimportant"), Severity::kInformational);
  EXPECT_EQ(severity_of_word("not yet assigned"), Severity::kUndefined);
}

}  // namespace
}  // namespace sampan::scan
