#include "scan/osv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "io/file.h"
#include "scan/database.h"
#include "scan/match.h"

namespace sampan::scan {
namespace {

using Kind = OsvEvent::Kind;
using testing::ElementsAre;

OsvRange range(std::initializer_list<std::pair<Kind, const char*>> events, bool semver = true) {
  OsvRange made;
  made.semver = semver;
  for (const auto& [kind, version] : events) made.events.push_back({kind, version});
  return made;
}

TEST(OsvRange, FollowsTheEvaluationAlgorithm) {
  const auto fixed = range({{Kind::kIntroduced, "0"}, {Kind::kFixed, "1.2.0"}});
  EXPECT_TRUE(is_within(Scheme::kSemVer, fixed, "0.0.1"));
  EXPECT_TRUE(is_within(Scheme::kSemVer, fixed, "1.2.0-rc.1"));
  EXPECT_FALSE(is_within(Scheme::kSemVer, fixed, "1.2.0"));
  const auto last = range({{Kind::kIntroduced, "1.0.0"}, {Kind::kLastAffected, "1.4.0"}});
  EXPECT_FALSE(is_within(Scheme::kSemVer, last, "0.9.0"));
  EXPECT_TRUE(is_within(Scheme::kSemVer, last, "1.4.0"));
  EXPECT_FALSE(is_within(Scheme::kSemVer, last, "1.4.1"));
  const auto only = range({{Kind::kIntroduced, "1.0.0"}, {Kind::kLastAffected, "1.0.0"}});
  EXPECT_TRUE(is_within(Scheme::kSemVer, only, "1.0.0"));
  EXPECT_FALSE(is_within(Scheme::kSemVer, only, "1.0.1"));
  // Out of order, and in two stretches.
  const auto two = range({{Kind::kFixed, "3.1.0"},
                          {Kind::kIntroduced, "3.0.0"},
                          {Kind::kFixed, "2.2.0"},
                          {Kind::kIntroduced, "0"}});
  EXPECT_TRUE(is_within(Scheme::kSemVer, two, "2.1.9"));
  EXPECT_FALSE(is_within(Scheme::kSemVer, two, "2.2.0"));
  EXPECT_TRUE(is_within(Scheme::kSemVer, two, "3.0.5"));
  EXPECT_FALSE(is_within(Scheme::kSemVer, two, "3.1.0"));
  const auto limited = range({{Kind::kIntroduced, "0"}, {Kind::kLimit, "2.0.0"}});
  EXPECT_TRUE(is_within(Scheme::kSemVer, limited, "1.9.9"));
  EXPECT_FALSE(is_within(Scheme::kSemVer, limited, "2.0.0"));
  EXPECT_FALSE(is_within(Scheme::kSemVer, range({{Kind::kFixed, "1.0.0"}}), "0.1.0"));
  const auto debian = range({{Kind::kIntroduced, "0"}, {Kind::kFixed, "1:1.2-3~deb12u1"}}, false);
  EXPECT_TRUE(is_within(Scheme::kDpkg, debian, "99.0-1"));
  EXPECT_FALSE(is_within(Scheme::kDpkg, debian, "1:1.2-3"));
}

constexpr char kGhsa[] = R"({
  "id":"GHSA-35jh-r3h4-6jhm","aliases":["CVE-2021-23337"],"summary":"Command Injection in lodash",
  "details":"long","published":"2021-05-06T16:05:51Z","modified":"2024-01-01T00:00:00Z",
  "severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"},
              {"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H"}],
  "references":[{"type":"WEB","url":"https://example.com/a"},{"type":"WEB","url":"javascript:alert"}],
  "affected":[{"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"4.17.21"}]},
               {"type":"GIT","repo":"x","events":[{"introduced":"abc"}]}]},
              {"package":{"ecosystem":"NuGet","name":"lodash"},"versions":["1"]},{"ranges":[]}],
  "database_specific":{"severity":"CRITICAL"}})";

TEST(OsvRecord, IsReadWithNameSeverityAndRanges) {
  const auto record = parse_osv(kGhsa);
  EXPECT_EQ(record.name, "CVE-2021-23337");
  EXPECT_THAT(record.related, ElementsAre("GHSA-35jh-r3h4-6jhm"));
  EXPECT_EQ(record.severity, Severity::kHigh);  // by CVSS 3 before 4 and before the word
  EXPECT_EQ(record.vectors.size(), 2u);
  EXPECT_THAT(record.references, ElementsAre("https://example.com/a"));
  ASSERT_EQ(record.affected.size(), 2u);
  EXPECT_EQ(record.affected[0].ranges.size(), 1u);
}

TEST(OsvRecord, TakesTheDistributionsWord) {
  const auto urgency =
      parse_osv(R"({"id":"DEBIAN-CVE-2024-1","affected":[{"package":{"ecosystem":"Debian:12","name":"x"},
    "versions":["1"],"ecosystem_specific":{"urgency":"low"}}]})");
  EXPECT_EQ(urgency.name, "CVE-2024-1");
  EXPECT_EQ(urgency.affected.at(0).severity, Severity::kLow);
  const auto unimportant = parse_osv(
      R"({"id":"CVE-2024-2","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "affected":[{"package":{"ecosystem":"Debian:12","name":"x"},"versions":["1"],"ecosystem_specific":{"urgency":"unimportant"}}]})");
  EXPECT_EQ(unimportant.affected.at(0).severity, Severity::kInformational);
  const auto ubuntu = parse_osv(
      R"({"id":"UBUNTU-CVE-2024-3","severity":[{"type":"Ubuntu","score":"medium"}],"affected":[]})");
  EXPECT_EQ(ubuntu.severity, Severity::kMedium);
  EXPECT_EQ(parse_osv(R"({"id":"DSA-1","upstream":["CVE-1","CVE-2"]})").name, "DSA-1");
}

TEST(OsvRecord, RefusesWhatIsNone) {
  for (const char* text : {"", "[]", "{}", "{\"id\":\"\"}", "{\"id\":7}", "nonsense", "{\"id\":\"x\""}) {
    EXPECT_THROW(parse_osv(text), core::Error) << text;
  }
  // Wrong types within are passed over.
  const auto odd = parse_osv(
      R"({"id":"x","aliases":7,"severity":[{"type":"CVSS_V3","score":3}],"affected":[7,{"package":[]},
    {"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"SEMVER","events":[{"introduced":0}]}]}]})");
  EXPECT_TRUE(odd.affected.empty());
}

// Any change of one character gives a record or a core::Error.
TEST(OsvRecord, SurvivesAnyDamage) {
  std::string text = kGhsa;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char c : {'"', '{', ']', '0', '\\', '\xff'}) {
      auto damaged = text;
      damaged[i] = c;
      try {
        parse_osv(damaged);
      } catch (const core::Error&) {
      }
    }
    try {
      parse_osv(text.substr(0, i));
    } catch (const core::Error&) {
    }
  }
}

struct DatabaseTest : testing::Test {
  io::TemporaryDirectory scratch;
  std::shared_ptr<const Database> make(const std::vector<std::string>& records) {
    DatabaseBuilder builder(scratch.path());
    for (const auto& record : records) builder.add(parse_osv(record));
    return builder.finish();
  }
  static Package package(PackageType type, std::string name, std::string version, std::string source = {},
                         std::string source_version = {}) {
    Package made;
    made.type = type;
    made.name = std::move(name);
    made.version = std::move(version);
    made.source_name = std::move(source);
    made.source_version = std::move(source_version);
    return made;
  }
};

TEST_F(DatabaseTest, FindsByEcosystemAndNameAndKeepsDetailsAside) {
  const auto database = make(
      {kGhsa,
       R"({"id":"B","withdrawn":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"lodash"},"versions":["4.17.20"]}]})",
       R"({"id":"C","affected":[{"package":{"ecosystem":"PyPI","name":"Zope.Interface"},"versions":["1.0"]}]})"});
  EXPECT_EQ(database->records(), 2u);
  int hits = 0;
  database->find("npm", "lodash", [&](const Database::Hit& hit) {
    ++hits;
    const auto advisory = database->advisory(hit.record);
    EXPECT_EQ(advisory.id, "GHSA-35jh-r3h4-6jhm");
    EXPECT_EQ(advisory.description, "Command Injection in lodash");
    EXPECT_EQ(advisory.vectors.size(), 2u);
  });
  EXPECT_EQ(hits, 1);
  for (const auto& [ecosystem, name] :
       {std::pair("npm", "lodas"), std::pair("npm", "lodashx"), std::pair("Go", "lodash"), std::pair("", ""),
        std::pair("zzz", "zzz")}) {
    database->find(ecosystem, name, [&](const Database::Hit&) { ADD_FAILURE() << ecosystem << ' ' << name; });
  }
  database->find("PyPI", "zope-interface", [&](const Database::Hit&) { ++hits; });
  EXPECT_EQ(hits, 2);
  EXPECT_TRUE(make({})->records() == 0);
  make({})->find("npm", "x", [](const Database::Hit&) { FAIL(); });
}

TEST_F(DatabaseTest, DropsListedVersionsOnlyWhereRangesCoverThem) {
  const auto database = make(
      {R"({"id":"A","affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":["1.0.0","1.5.0","3.0.0"],
    "ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"},{"fixed":"2.0.0"}]}]}]})"});
  database->find("npm", "a",
                 [](const Database::Hit& hit) { EXPECT_THAT(hit.versions, ElementsAre("3.0.0")); });
  for (const char* version : {"1.0.0", "1.5.0", "1.9.0", "3.0.0"}) {
    EXPECT_EQ(match({{}, "", {package(PackageType::kNpm, "a", version)}, {}}, *database).findings.size(), 1u)
        << version;
  }
  for (const char* version : {"0.9.0", "2.0.0", "3.0.1"}) {
    EXPECT_TRUE(match({{}, "", {package(PackageType::kNpm, "a", version)}, {}}, *database).findings.empty())
        << version;
  }
}

TEST_F(DatabaseTest, StopsAtItsLimits) {
  DatabaseBuilder few(scratch.path(), {.records = 1, .texts = 1 << 20});
  few.add(parse_osv(kGhsa));
  EXPECT_THROW(few.add(parse_osv(kGhsa)), core::Error);
  DatabaseBuilder small(scratch.path(), {.records = 100, .texts = 10});
  EXPECT_THROW(small.add(parse_osv(kGhsa)), core::Error);
}

TEST_F(DatabaseTest, MatchesSourcePackagesOfTheSystemsRelease) {
  const auto database = make({
      R"({"id":"DEBIAN-CVE-2023-1","upstream":["CVE-2023-1"],"affected":[{"package":{"ecosystem":"Debian:12","name":"openssl"},
          "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0.8-1"}]}]},
          {"package":{"ecosystem":"Debian:11","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]})",
      R"({"id":"DSA-5","upstream":["CVE-2023-1"],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}],
          "affected":[{"package":{"ecosystem":"Debian:12","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0.8-1"}]}]}]})"});
  Inventory inventory;
  inventory.os = {"debian", "12", ""};
  inventory.packages = {package(PackageType::kDpkg, "libssl3", "3.0.7-1+b1", "openssl", "3.0.7-1"),
                        package(PackageType::kDpkg, "openssl", "3.0.7-1", "openssl", "3.0.7-1")};
  const auto report = match(inventory, *database);
  ASSERT_EQ(report.findings.size(), 1u);  // one flaw, one source package: whatever tells of it
  const auto& finding = report.findings[0];
  EXPECT_EQ(finding.advisory.name, "CVE-2023-1");
  EXPECT_EQ(finding.packages.size(), 2u);
  EXPECT_EQ(finding.fixed_in, "3.0.8-1");
  EXPECT_EQ(finding.severity, Severity::kHigh);
  EXPECT_DOUBLE_EQ(finding.score, 7.5);
  EXPECT_EQ(decode_report(encode_report(report)).findings[0].packages, finding.packages);
  inventory.os.version_id = "13";
  EXPECT_TRUE(match(inventory, *database).findings.empty());
  inventory.os.version_id = "11";
  EXPECT_EQ(match(inventory, *database).findings.at(0).fixed_in, "");
}

TEST(Ecosystems, AreOsvsNames) {
  using P = PackageType;
  EXPECT_THAT(ecosystems_of(P::kDpkg, {"debian", "12", ""}), ElementsAre("Debian:12", "Debian"));
  EXPECT_THAT(ecosystems_of(P::kApk, {"alpine", "3.18.4", ""}), ElementsAre("Alpine:v3.18", "Alpine"));
  EXPECT_THAT(ecosystems_of(P::kDpkg, {"ubuntu", "22.04", ""}),
              ElementsAre("Ubuntu:22.04:LTS", "Ubuntu:22.04", "Ubuntu"));
  EXPECT_THAT(ecosystems_of(P::kRpm, {"rocky", "9.3", ""}), ElementsAre("Rocky Linux:9", "Rocky Linux"));
  EXPECT_THAT(ecosystems_of(P::kDpkg, {"elxr", "12", ""}), ElementsAre());
  EXPECT_THAT(ecosystems_of(P::kNpm, {}), ElementsAre("npm"));
}

}  // namespace
}  // namespace sampan::scan
