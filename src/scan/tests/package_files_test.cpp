// Each format by samples of what its tools really write.
#include "scan/package_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/error.h"
#include "scan/go_binary.h"

namespace sampan::scan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<std::string> listed(const std::vector<Package>& packages) {
  std::vector<std::string> texts;
  for (const auto& package : packages) texts.push_back(package.name + ' ' + package.version);
  return texts;
}
std::vector<std::string> parsed(FileKind kind, std::string_view text, std::string_view path = "x") {
  return listed(parse_packages(kind, path, text));
}

TEST(FileKinds, AreToldByTheirPaths) {
  const std::pair<const char*, std::optional<FileKind>> table[]{
      {"etc/os-release", FileKind::kOsRelease},
      {"usr/lib/os-release", FileKind::kOsRelease},
      {"srv/etc/os-release", std::nullopt},
      {"var/lib/dpkg/status", FileKind::kDpkgStatus},
      {"var/lib/dpkg/status.d/base", FileKind::kDpkgStatus},
      {"var/lib/dpkg/status.d/base.md5sums", std::nullopt},
      {"var/lib/dpkg/status-old", std::nullopt},
      {"lib/apk/db/installed", FileKind::kApkInstalled},
      {"var/lib/rpm/rpmdb.sqlite", FileKind::kRpmDatabase},
      {"app/package-lock.json", FileKind::kNpmLock},
      {"app/node_modules/.package-lock.json", FileKind::kNpmLock},
      {"app/node_modules/x/package-lock.json", std::nullopt},
      {"app/node_modules/x/package.json", FileKind::kNpmPackage},
      {"app/package.json", std::nullopt},
      {"usr/lib/python3/dist-packages/six-1.16.0.egg-info", FileKind::kPythonMetadata},
      {"usr/lib/python3/dist-packages/six.egg-info/PKG-INFO", FileKind::kPythonMetadata},
      {"a/b-1.0.dist-info/METADATA", FileKind::kPythonMetadata},
      {"a/METADATA", std::nullopt},
      {"usr/share/gems/specifications/json-2.6.gemspec", FileKind::kGemspec},
      {"app/x.gemspec", std::nullopt},
      {"opt/app.jar", FileKind::kJar},
      {"usr/bin/app", std::nullopt},
  };
  for (const auto& [path, kind] : table) EXPECT_EQ(kind_of(path), kind) << path;
}

TEST(OsRelease, IsReadWithAndWithoutQuotes) {
  const auto os = parse_os_release(
      "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID='12'\nID=debian\n#x\nID_LIKE=y\n");
  EXPECT_EQ(os, (OperatingSystem{"debian", "12", "Debian GNU/Linux 12 (bookworm)"}));
  EXPECT_EQ(parse_os_release("ID=alpine\r\nVERSION_ID=3.18.4\r\n").version_id, "3.18.4");
}

TEST(Dpkg, GivesInstalledPackagesWithTheirSources) {
  const auto packages = parse_packages(
      FileKind::kDpkgStatus, "var/lib/dpkg/status",
      "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\nVersion: 2.36-9\n"
      "Description: x\n Version: 9\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
      "Package: zlib1g\nSource: zlib (1:1.2.13.dfsg-1)\nVersion: 1:1.2.13.dfsg-1+b1\n\n\nPackage: bare\n");
  ASSERT_THAT(listed(packages), ElementsAre("libc6 2.36-9", "zlib1g 1:1.2.13.dfsg-1+b1"));
  EXPECT_EQ(packages[0].source_name, "glibc");
  EXPECT_EQ(packages[0].source_version, "2.36-9");
  EXPECT_EQ(packages[0].architecture, "amd64");
  EXPECT_EQ(packages[0].path, "var/lib/dpkg/status");
  EXPECT_EQ(packages[1].source_version, "1:1.2.13.dfsg-1");
}

TEST(Apk, GivesPackagesWithTheirOrigins) {
  const auto packages = parse_apk_installed(
      "C:Q1x=\nP:libcrypto3\nV:3.1.3-r0\nA:x86_64\no:openssl\nF:lib\nR:x\n\nP:musl\nV:1.2.4-r1\n");
  ASSERT_THAT(listed(packages), ElementsAre("libcrypto3 3.1.3-r0", "musl 1.2.4-r1"));
  EXPECT_EQ(packages[0].source_name, "openssl");
  EXPECT_EQ(packages[1].source_name, "musl");
}

TEST(Npm, ReadsLocksOfAllVersions) {
  EXPECT_THAT(
      parsed(
          FileKind::kNpmLock,
          R"({"lockfileVersion":1,"dependencies":{"a":{"version":"1.0.0","dependencies":{"b":{"version":"2.0.0"}}},
    "c":{"version":"3.0.0","dev":true},"d":{"version":"git+https://x"},"e":{"version":"npm:real@4.0.0"}}})"),
      UnorderedElementsAre("a 1.0.0", "b 2.0.0", "real 4.0.0"));
  EXPECT_THAT(
      parsed(
          FileKind::kNpmLock,
          R"({"lockfileVersion":3,"packages":{"":{"name":"me","version":"1.0.0"},"node_modules/a":{"version":"1.0.0"},
    "node_modules/a/node_modules/@s/b":{"version":"2.0.0"},"node_modules/dev":{"version":"3.0.0","dev":true},"packages/w":{"version":"1.0.0"},
    "node_modules/w":{"resolved":"packages/w","link":true},"node_modules/alias":{"name":"real","version":"4.0.0"}}})"),
      UnorderedElementsAre("a 1.0.0", "@s/b 2.0.0", "real 4.0.0"));
  EXPECT_THAT(parsed(FileKind::kNpmPackage, R"({"name":"@s/b","version":"2.0.0","x":[]})"),
              ElementsAre("@s/b 2.0.0"));
  EXPECT_THAT(parsed(FileKind::kNpmPackage, R"({"type":"module"})"), IsEmpty());
  EXPECT_THROW(parse_npm_lock("{"), core::Error);
  EXPECT_THROW(parse_npm_lock(std::string(100000, '[')), core::Error);
}

TEST(Yarn, ReadsBothForms) {
  EXPECT_THAT(parsed(FileKind::kYarnLock,
                     "# yarn lockfile v1\n\n\n\"@babel/core@^7.0.0\", \"@babel/core@^7.1.0\":\n  version "
                     "\"7.2.0\"\n  dependencies:\n    lodash \"^4\"\n"
                     "    version \"9\"\n\nlodash@^4.17.0:\n  version \"4.17.20\"\n  resolved "
                     "\"x\"\n\nmine@npm:real@^1:\n  version \"1.0.0\"\n"),
              ElementsAre("@babel/core 7.2.0", "lodash 4.17.20", "real 1.0.0"));
  EXPECT_THAT(parsed(FileKind::kYarnLock,
                     "__metadata:\n  version: 6\n\n\"lodash@npm:^4.17.0\":\n  version: 4.17.20\n  "
                     "resolution: \"x\"\n\n\"me@workspace:.\":\n  version: 0.0.0-use.local\n"),
              ElementsAre("lodash 4.17.20"));
}

TEST(Pnpm, ReadsWhatItHasWrittenOverTheYears) {
  EXPECT_THAT(
      parsed(FileKind::kPnpmLock,
             "lockfileVersion: '9.0'\n\npackages:\n\n  '@s/a@1.0.0':\n    resolution: {integrity: x}\n\n  "
             "b@2.0.0(c@1.0.0):\n    dev: true\n\n  c@3.0.0: {}\n\nsnapshots:\n\n  d@1.0.0: {}\n"),
      ElementsAre("@s/a 1.0.0", "c 3.0.0"));
  EXPECT_THAT(parsed(FileKind::kPnpmLock,
                     "lockfileVersion: 5.4\npackages:\n  /a/1.0.0:\n    dev: false\n  "
                     "/@s/b/2.0.0_react@17.0.2:\n    dev: false\n"),
              ElementsAre("a 1.0.0", "@s/b 2.0.0"));
}

TEST(Python, ReadsInstalledAndLocked) {
  EXPECT_THAT(
      parsed(FileKind::kPythonMetadata,
             "Metadata-Version: 2.1\nName: Zope.Interface\nVersion: 5.4\nRequires-Dist: x\n\nName: other\n"),
      ElementsAre("zope-interface 5.4"));
  EXPECT_THAT(parsed(FileKind::kPythonRequirements,
                     "# c\nDjango==4.2.1 ; python_version > '3'\nrequests[socks] == 2.31.0\nflask>=2\n-r "
                     "other.txt\nx==1.*\nnumpy===1.2 --hash=sha256:x \\\na==1,<2\n"),
              ElementsAre("django 4.2.1", "requests 2.31.0", "numpy 1.2", "a 1"));
  EXPECT_THAT(
      parsed(
          FileKind::kPipfileLock,
          R"({"_meta":{},"default":{"A_b":{"version":"==1.0"},"vcs":{"git":"x"}},"develop":{"c":{"version":"==2"}}})"),
      ElementsAre("a-b 1.0"));
  EXPECT_THAT(parsed(FileKind::kPoetryLock,
                     "[[package]]\nname = \"a\"\nversion = \"1.0\"\n\n[package.dependencies]\nversion = "
                     "\"9\"\n\n[[package]]\nname = \"b\"\nversion = \"2.0\"\ncategory = "
                     "\"dev\"\n\n[metadata]\nname = \"x\"\n"),
              ElementsAre("a 1.0"));
}

TEST(Ruby, ReadsLocksAndNames) {
  EXPECT_THAT(parsed(FileKind::kGemfileLock,
                     "GEM\n  remote: https://rubygems.org/\n  specs:\n    rack (2.2.4)\n    rails (7.0.4)\n  "
                     "    rack (>= 2)\n    nokogiri (1.14.0-x86_64-linux)\n\nDEPENDENCIES\n  rails (~> 7)\n"),
              ElementsAre("rack 2.2.4", "rails 7.0.4", "nokogiri 1.14.0"));
  EXPECT_THAT(parsed(FileKind::kGemspec, "", "specifications/net-http-persistent-4.0.1.gemspec"),
              ElementsAre("net-http-persistent 4.0.1"));
  EXPECT_THAT(parsed(FileKind::kGemspec, "", "specifications/nokogiri-1.14.0-x86_64-linux.gemspec"),
              ElementsAre("nokogiri 1.14.0"));
  EXPECT_THAT(parsed(FileKind::kGemspec, "", "specifications/x.gemspec"), IsEmpty());
}

TEST(Go, ReadsModulesSumsAndPrograms) {
  EXPECT_THAT(parsed(FileKind::kGoMod,
                     "module example.com/me\n\ngo 1.21\n\nrequire (\n\tgolang.org/x/net "
                     "v0.7.0\n\tgithub.com/a/b v1.0.0 // indirect\n)\nrequire x.org/c v2.0.0\n"
                     "replace github.com/a/b => github.com/f/b v1.0.1\nreplace golang.org/x/net v0.9.0 => "
                     "./net\nreplace x.org/c =>\n"),
              ElementsAre("golang.org/x/net 0.7.0", "github.com/f/b 1.0.1"));
  EXPECT_THAT(parsed(FileKind::kGoSum,
                     "a.org/b v1.0.0 h1:x=\na.org/b v1.0.0/go.mod h1:y=\nc.org/d v2.0.0/go.mod h1:z=\n"),
              ElementsAre("a.org/b 1.0.0"));
  const std::string modules =
      "path\tx.org/me\nmod\tx.org/me\t(devel)\t\ndep\ta.org/b\tv1.0.0\th1:x=\ndep\tc.org/"
      "d\tv1.0.0\th1:y=\n=>\tf.org/d\tv1.1.0\th1:z=\nbuild\t-compiler=gc\n";
  const std::string framed = std::string(16, 'S') + modules + std::string(16, 'E');
  const std::string version = "go1.20.1";
  std::string program =
      "\x7f"
      "ELF" +
      std::string(3000, 'x') + "\xff Go buildinf:" + std::string("\x08\x02") + std::string(16, '\0');
  program += static_cast<char>(version.size()) + version;
  program += static_cast<char>(framed.size() & 0x7f | 0x80);
  program += static_cast<char>(framed.size() >> 7);
  program += framed + std::string(100, 'y');
  for (const std::size_t step : {1u, 7u, 4096u}) {
    GoBinary reader;
    for (std::size_t i = 0; i < program.size(); i += step)
      reader.feed(std::string_view(program).substr(i, step));
    EXPECT_THAT(listed(reader.finish()), ElementsAre("a.org/b 1.0.0", "f.org/d 1.1.0", "stdlib 1.20.1"))
        << step;
  }
  GoBinary cut;  // the magic alone, again and again
  for (int i = 0; i < 100; ++i) cut.feed(std::string_view("\xff Go buildinf:"));
  EXPECT_THAT(cut.finish(), IsEmpty());
}

TEST(Cargo, ReadsWhatCameFromARegistry) {
  EXPECT_THAT(
      parsed(
          FileKind::kCargoLock,
          "version = 3\n\n[[package]]\nname = \"me\"\nversion = \"0.1.0\"\ndependencies = [\n "
          "\"a\",\n]\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://x\"\n"),
      ElementsAre("a 1.0.0"));
}

TEST(Composer, ReadsLocksAndInstalled) {
  EXPECT_THAT(
      parsed(
          FileKind::kComposerLock,
          R"({"packages":[{"name":"Symfony/http","version":"v5.4.1"},7,{"name":"x"}],"packages-dev":[{"name":"d/d","version":"1"}]})"),
      ElementsAre("symfony/http 5.4.1"));
  EXPECT_THAT(parsed(FileKind::kComposerInstalled, R"([{"name":"a/b","version":"1.0.0"}])"),
              ElementsAre("a/b 1.0.0"));
}

TEST(Maven, ReadsProperties) {
  EXPECT_THAT(listed(parse_pom_properties(
                  "#c\nversion=2.14.1\ngroupId=org.apache.logging.log4j\nartifactId=log4j-core\r\n")),
              ElementsAre("org.apache.logging.log4j:log4j-core 2.14.1"));
}

TEST(Packages, LeavesOutWhatIsNotBelieved) {
  EXPECT_THAT(parsed(FileKind::kDpkgStatus, "Package: " + std::string(600, 'a') +
                                                "\nVersion: 1\n\nPackage: a\nVersion: " +
                                                std::string(300, '1') + "\n\nPackage: a\x01\nVersion: 1\n"),
              IsEmpty());
}

// Any bytes: packages or a core::Error, and each believable.
TEST(Packages, SurvivesAnyText) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  static constexpr std::string_view kPieces[]{"{",
                                              "}",
                                              "[",
                                              "]",
                                              "\"",
                                              ":",
                                              ",",
                                              "\n",
                                              "\n\n",
                                              " ",
                                              "  ",
                                              "    ",
                                              "=",
                                              "==",
                                              "=>",
                                              "(",
                                              ")",
                                              "@",
                                              "/",
                                              "-",
                                              "version",
                                              "name",
                                              "packages",
                                              "packages:",
                                              "dependencies",
                                              "Package: ",
                                              "Version: ",
                                              "Source: ",
                                              "Status: ",
                                              "P:",
                                              "V:",
                                              "require (",
                                              "replace ",
                                              "[[package]]",
                                              "specs:",
                                              "default",
                                              "1.0",
                                              "v1",
                                              "a",
                                              "\xff",
                                              "\0",
                                              "dep\t",
                                              "node_modules/",
                                              "npm:"};
  for (int round = 0; round < 4000; ++round) {
    std::string text;
    for (auto n = random() % 40; n > 0; --n) text += kPieces[random() % std::size(kPieces)];
    for (int kind = 0; kind <= static_cast<int>(FileKind::kExecutable); ++kind) {
      try {
        for (const auto& package : parse_packages(static_cast<FileKind>(kind), text, text)) {
          ASSERT_FALSE(package.name.empty() || package.version.empty());
        }
      } catch (const core::Error&) {
      }
    }
    parse_os_release(text);
    parse_go_modules(text);
  }
}

}  // namespace
}  // namespace sampan::scan
