// Layers made here entry by entry: what is over what, and what hostile ones cost.
#include "scan/image_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/error.h"
#include "scan/compressed.h"
#include "scan/sbom.h"

namespace sampan::scan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A tar of one entry after another, in the oldest form there is.
class Tar {
 public:
  Tar& add(const std::string& path, const std::string& content, char type = '0',
           const std::string& target = {}) {
    head(path, content.size(), type, target);
    bytes_ += content;
    bytes_.resize((bytes_.size() + 511) / 512 * 512, '\0');
    return *this;
  }
  Tar& head(const std::string& path, std::uint64_t size, char type = '0', const std::string& target = {}) {
    std::string block(512, '\0');
    std::memcpy(block.data(), path.data(), std::min<std::size_t>(path.size(), 100));
    std::memcpy(block.data() + 100,
                "0000644\0"
                "0000000\0"
                "0000000\0",
                24);
    std::snprintf(block.data() + 124, 12, "%011llo", static_cast<unsigned long long>(size));
    std::memcpy(block.data() + 136, "00000000000\0", 12);
    block[156] = type;
    std::memcpy(block.data() + 157, target.data(), std::min<std::size_t>(target.size(), 100));
    std::memcpy(block.data() + 257,
                "ustar\0"
                "00",
                8);
    std::memset(block.data() + 148, ' ', 8);
    unsigned sum = 0;
    for (const unsigned char c : block) sum += c;
    std::snprintf(block.data() + 148, 8, "%06o", sum);
    bytes_ += block;
    return *this;
  }
  std::string str() const { return bytes_ + std::string(1024, '\0'); }

 private:
  std::string bytes_;
};

std::string dpkg(const std::string& name) {
  return "Package: " + name + "\nVersion: 1\nArchitecture: amd64\n\n";
}
std::string npm(const std::string& name) {
  return R"({"name":")" + name + R"(","version":"1"})";
}

Inventory read(const std::vector<std::string>& layers, const ReadLimits& limits = {},
               std::stop_token stop = {}) {
  return read_layers(
      layers.size(), [&](std::size_t i) { return std::make_unique<image::MemorySource>(layers[i]); }, limits,
      stop);
}
std::vector<std::string> names(const Inventory& inventory) {
  std::vector<std::string> texts;
  for (const auto& package : inventory.packages) texts.push_back(package.name);
  return texts;
}

const std::string kStatus = "var/lib/dpkg/status";

TEST(ImageReader, TakesTheLastLayersFile) {
  const auto a = Tar().add(kStatus, dpkg("old")).add("etc/os-release", "ID=debian\nVERSION_ID=12\n").str();
  const auto b = Tar().add("./" + kStatus, dpkg("new")).str();
  const auto inventory = read({a, b});
  EXPECT_THAT(names(inventory), ElementsAre("new"));
  EXPECT_EQ(inventory.os.id, "debian");
}

TEST(ImageReader, RespectsWhiteouts) {
  const auto base = Tar()
                        .add(kStatus, dpkg("a"))
                        .add("app/node_modules/x/package.json", npm("x"))
                        .add("app/node_modules/y/package.json", npm("y"))
                        .str();
  EXPECT_THAT(names(read({base, Tar().add("var/lib/dpkg/.wh.status", "").str()})), ElementsAre("x", "y"));
  EXPECT_THAT(names(read({base, Tar().add("app/node_modules/.wh.x", "").str()})), ElementsAre("a", "y"));
  EXPECT_THAT(names(read({base, Tar().add(".wh.app", "").str()})), ElementsAre("a"));
  EXPECT_THAT(names(read({base, Tar().add(".wh..wh..opq", "").str()})), IsEmpty());
  EXPECT_THAT(names(read({base, Tar().add("app/.wh..wh..opq", "").str()})), ElementsAre("a"));
  // A whiteout speaks of the layers beneath, wherever in its own layer it stands.
  const auto opaque_last =
      Tar().add("app/node_modules/z/package.json", npm("z")).add("app/.wh..wh..opq", "").str();
  EXPECT_THAT(names(read({base, opaque_last})), ElementsAre("a", "z"));
  EXPECT_THAT(names(read({Tar().add("app/.wh.node_modules", "").str(), base})), ElementsAre("a", "x", "y"));
}

TEST(ImageReader, ADirectoryThatBecomesSomethingElseTakesItsFilesAlong) {
  const auto base = Tar().add("app/node_modules/x/package.json", npm("x")).add(kStatus, dpkg("a")).str();
  EXPECT_THAT(names(read({base, Tar().add("app/node_modules", "", '2', "/elsewhere").str()})),
              ElementsAre("a"));
  EXPECT_THAT(names(read({base, Tar().add("app", "a file").str()})), ElementsAre("a"));
  EXPECT_THAT(names(read({base, Tar().add(kStatus, "", '2', "../x").str()})), ElementsAre("x"));
  EXPECT_THAT(names(read({base, Tar().add("app/node_modules/", "", '5').str()})), ElementsAre("a", "x"));
}

TEST(ImageReader, FollowsHardLinksWithinTheImage) {
  const auto base = Tar()
                        .add("srv/node_modules/x/package.json", npm("x"))
                        .add("app/node_modules/x/package.json", "", '1', "srv/node_modules/x/package.json")
                        .str();
  const auto inventory = read({base});
  ASSERT_EQ(inventory.packages.size(), 2u);
  EXPECT_EQ(inventory.packages[0].path, "app/node_modules/x/package.json");
  EXPECT_THAT(names(read({Tar().add("app/node_modules/x/package.json", "", '1', "../../etc/shadow").str()})),
              IsEmpty());
}

TEST(ImageReader, PathsDoNotLeaveTheRoot) {
  EXPECT_THAT(names(read({Tar()
                              .add("../" + kStatus, dpkg("a"))
                              .add("x/../" + kStatus, dpkg("b"))
                              .add("/" + kStatus, dpkg("c"))
                              .str()})),
              ElementsAre("c"));
  EXPECT_EQ(normal_path("./a//b/./c"), "a/b/c");
  EXPECT_EQ(normal_path("a/../b"), std::nullopt);
  EXPECT_EQ(normal_path("./"), std::nullopt);
}

TEST(ImageReader, GoesByGoModBeforeGoSum) {
  const auto mod = Tar()
                       .add("app/go.mod", "require a.org/a v1.0.0\n")
                       .add("app/go.sum", "a.org/a v1.0.0 h1:\nb.org/b v1.0.0 h1:\n")
                       .add("lib/go.sum", "c.org/c v1.0.0 h1:\n")
                       .str();
  EXPECT_THAT(names(read({mod})), ElementsAre("a.org/a", "c.org/c"));
}

TEST(ImageReader, NotesWhatItCannotRead) {
  const auto inventory = read({Tar()
                                   .add("app/package-lock.json", "{")
                                   .add("x.jar", "no zip")
                                   .add("var/lib/rpm/rpmdb.sqlite", "x")
                                   .add(kStatus, dpkg("a"))
                                   .str()});
  EXPECT_THAT(names(inventory), ElementsAre("a"));
  ASSERT_EQ(inventory.notes.size(), 3u);
  EXPECT_THAT(inventory.notes[0], HasSubstr("app/package-lock.json"));
}

TEST(ImageReader, StopsAtItsLimits) {
  std::string large(2 << 20, 'x');
  EXPECT_THROW(read({Tar().add("a", large).str()}, {.bytes = 1 << 20}), core::Error);
  EXPECT_THROW(read({Tar().add("a", large).str(), Tar().add("b", large).str()}, {.bytes = 3 << 20}),
               core::Error);
  EXPECT_NO_THROW(read({Tar().add("a", large).str()}, {.bytes = 3 << 20}));
  Tar many;
  for (int i = 0; i < 11; ++i) many.add("f" + std::to_string(i), "");
  EXPECT_THROW(read({many.str()}, {.entries = 10}), core::Error);
  EXPECT_NO_THROW(read({many.str()}, {.entries = 11}));
  std::string status;
  for (int i = 0; i < 1000; ++i) status += dpkg("p" + std::to_string(i));
  EXPECT_THROW(read({Tar().add(kStatus, status).str()}, {.memory = 1000}), core::Error);
  // A hundred links to one file cost as much as a hundred files.
  Tar links;
  links.add("a/node_modules/x/package-lock.json", "")
      .add("a/package-lock.json", R"({"packages":{"node_modules/x":{"version":"1"}}})");
  for (int i = 0; i < 100; ++i)
    links.add("l" + std::to_string(i) + "/package-lock.json", "", '1', "a/package-lock.json");
  EXPECT_THROW(read({links.str()}, {.memory = 10000}), core::Error);
  std::string long_file(size_limit(FileKind::kPythonRequirements) + 1, '#');
  EXPECT_THAT(read({Tar().add("requirements.txt", long_file).str()}).notes,
              ElementsAre(HasSubstr("more than the")));
}

TEST(ImageReader, ABombIsReadNoFurtherThanItsLimit) {
  const auto bomb = compress(Tar().add("zeros", std::string(64 << 20, '\0')).str());
  ASSERT_LT(bomb.size(), 100'000u);
  EXPECT_THROW(read({bomb}, {.bytes = 8 << 20}), core::Error);
  EXPECT_NO_THROW(read({bomb}));
}

TEST(ImageReader, RefusesDamageAndStopsWhenTold) {
  const auto whole = Tar().add("a", std::string(5000, 'x')).add(kStatus, dpkg("a")).str();
  EXPECT_THROW(read({whole.substr(0, 3000)}), core::Error);
  EXPECT_THROW(read({"not an archive at all"}), core::Error);
  EXPECT_THAT(names(read({""})), IsEmpty());
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(read({whole}, {}, stop.get_token()), Stopped);
}

// Any one byte changed: an inventory or a core::Error.
TEST(ImageReader, SurvivesAnyDamage) {
  const auto whole = Tar()
                         .add("app/node_modules/x/package.json", npm("x"))
                         .add("b", "", '1', "a")
                         .add(kStatus, dpkg("a"))
                         .str();
  for (std::size_t i = 0; i < whole.size(); i += 3) {
    for (const char c : {'\0', '\xff', '7'}) {
      auto damaged = whole;
      damaged[i] = c;
      try {
        read({damaged});
      } catch (const core::Error&) {
      }
    }
  }
}

TEST(Inventory, IsKeptAndGivenAsBillsOfMaterials) {
  const auto inventory = read({Tar()
                                   .add(kStatus, dpkg("lib+x"))
                                   .add("etc/os-release", "ID=debian\nVERSION_ID=12\n")
                                   .add("a/node_modules/@s/b/package.json", npm("@s/b"))
                                   .str()});
  EXPECT_EQ(decode_inventory(encode_inventory(inventory)), inventory);
  EXPECT_THROW(decode_inventory("damaged"), core::Error);
  EXPECT_EQ(package_url(inventory.packages[0], inventory.os),
            "pkg:deb/debian/lib%2Bx@1?arch=amd64&distro=debian-12");
  EXPECT_EQ(package_url(inventory.packages[1], inventory.os), "pkg:npm/%40s/b@1");
  Package log4j;
  log4j.type = PackageType::kMaven;
  log4j.name = "org.apache:log4j";
  log4j.version = "2";
  EXPECT_EQ(package_url(log4j, {}), "pkg:maven/org.apache/log4j@2");
  const SbomSubject subject{"localhost:4566/team/app", "sha256:ab",
                            core::TimePoint(core::Millis(1'700'000'000'123))};
  EXPECT_THAT(render_cyclonedx(inventory, subject), HasSubstr(R"("specVersion":"1.5")"));
  EXPECT_THAT(render_cyclonedx(inventory, subject), HasSubstr(R"("timestamp":"2023-11-14T22:13:20Z")"));
  EXPECT_THAT(render_spdx(inventory, subject), HasSubstr(R"("referenceLocator":"pkg:npm/%40s/b@1")"));
}

}  // namespace
}  // namespace sampan::scan
