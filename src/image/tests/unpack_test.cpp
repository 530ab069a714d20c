// Unpacking: what honest layers keep, and what hostile ones cannot do.
#include "image/unpack.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>

#include "core/error.h"
#include "image/tar_writer.h"
#include "io/file.h"

namespace sampan::image {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// An archive as its maker wishes, honest or not.
class Tar {
 public:
  Tar& add(TarEntry entry, const std::string& bytes = {}) {
    entry.size = entry.type == '0' ? bytes.size() : 0;
    writer_.begin(entry);
    if (entry.size > 0) writer_.data(bytes);
    writer_.end();
    return *this;
  }
  Tar& file(const std::string& path, const std::string& bytes = "x") {
    return add({.path = path, .mode = 0644}, bytes);
  }
  Tar& directory(const std::string& path) { return add({.path = path, .type = '5', .mode = 0755}); }
  Tar& symlink(const std::string& path, const std::string& to) {
    return add({.path = path, .type = '2', .link = to});
  }
  Tar& hard_link(const std::string& path, const std::string& to) {
    return add({.path = path, .type = '1', .link = to});
  }
  std::string finish() {
    writer_.finish();
    return bytes_;
  }

 private:
  std::string bytes_;
  TarWriter writer_{[this](std::span<const char> bytes) { bytes_.append(bytes.data(), bytes.size()); }};
};

class Unpack : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "owners, devices and trusted attributes need root";
    fs::create_directory(root);
    fs::create_directory(outside);
    std::ofstream(outside / "secret") << "secret";
  }
  Unpacked unpack(const std::string& bytes, const UnpackLimits& limits = {}) {
    MemorySource source(bytes);
    const auto fd = io::open_file(root, O_RDONLY | O_DIRECTORY);
    return unpack_layer(source, fd.get(), limits);
  }
  std::string error_of(const std::string& bytes, const UnpackLimits& limits = {}) {
    try {
      unpack(bytes, limits);
    } catch (const core::Error& error) {
      return error.what();
    }
    return "no error";
  }
  static struct stat info(const fs::path& path) {
    struct stat result{};
    EXPECT_EQ(::lstat(path.c_str(), &result), 0) << path;
    return result;
  }
  static std::string attribute(const fs::path& path, const char* name) {
    char value[256];
    const auto size = ::lgetxattr(path.c_str(), name, value, sizeof value);
    return size < 0 ? "" : std::string(value, static_cast<std::size_t>(size));
  }

  io::TemporaryDirectory scratch;
  fs::path root = scratch.path() / "root";
  fs::path outside = scratch.path() / "outside";
};

TEST_F(Unpack, KeepsOwnerModeTimeLinksAndAttributes) {
  Tar tar;
  tar.add({.path = "bin", .type = '5', .mode = 01777, .uid = 3, .gid = 4, .mtime = 1000});
  const std::string capability(
      "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);
  tar.add({.path = "bin/su",
           .mode = 04755,
           .uid = 10,
           .gid = 20,
           .mtime = 12345,
           .xattrs = {{"user.note", "hello"}, {"security.capability", capability}}},
          "body");
  tar.hard_link("bin/su2", "bin/su")
      .symlink("sh", "/bin/su")
      .add({.path = "pipe", .type = '6', .mode = 0600});
  tar.file("tiếng/Việt");
  const auto bytes = tar.finish();
  const auto unpacked = unpack(bytes);
  EXPECT_EQ(unpacked.diff_id, Digest::of(bytes));
  EXPECT_EQ(unpacked.entries, 6u);
  const auto su = info(root / "bin/su");
  EXPECT_EQ(su.st_mode & 07777, 04755u);
  EXPECT_EQ(su.st_uid, 10u);
  EXPECT_EQ(su.st_gid, 20u);
  EXPECT_EQ(su.st_mtim.tv_sec, 12345);
  EXPECT_EQ(su.st_ino, info(root / "bin/su2").st_ino);
  EXPECT_EQ(attribute(root / "bin/su", "user.note"), "hello");
  EXPECT_EQ(attribute(root / "bin/su", "security.capability"), capability);
  EXPECT_EQ(info(root / "bin").st_mode & 07777, 01777u);
  EXPECT_EQ(info(root / "bin").st_mtim.tv_sec, 1000);
  EXPECT_EQ(fs::read_symlink(root / "sh"), "/bin/su");
  EXPECT_TRUE(S_ISFIFO(info(root / "pipe").st_mode));
  EXPECT_TRUE(fs::exists(root / "tiếng/Việt"));
}

TEST_F(Unpack, TurnsWhiteoutsIntoOverlaysOwn) {
  Tar tar;
  tar.directory("a").file("a/.wh..wh..opq", "").file("a/.wh.gone", "").file(".wh.top", "");
  unpack(tar.finish());
  EXPECT_EQ(attribute(root / "a", "trusted.overlay.opaque"), "y");
  const auto gone = info(root / "a/gone");
  EXPECT_TRUE(S_ISCHR(gone.st_mode));
  EXPECT_EQ(gone.st_rdev, makedev(0, 0));
  EXPECT_TRUE(S_ISCHR(info(root / "top").st_mode));
  EXPECT_FALSE(fs::exists(root / "a/.wh..wh..opq"));
}

TEST_F(Unpack, WhiteoutSparesWhatItsOwnLayerHolds) {
  Tar tar;
  tar.file("f", "kept").file(".wh.f", "").directory("d").file("d/x").file(".wh.d", "");
  tar.file(".wh.e", "").directory("e").file("e/y");
  unpack(tar.finish());
  EXPECT_EQ(io::read_file(root / "f"), "kept");
  EXPECT_TRUE(fs::exists(root / "d/x"));
  EXPECT_EQ(attribute(root / "d", "trusted.overlay.opaque"), "y");
  EXPECT_TRUE(fs::exists(root / "e/y"));
  EXPECT_EQ(attribute(root / "e", "trusted.overlay.opaque"), "y");
}

TEST_F(Unpack, LaterEntryReplacesEarlierOne) {
  Tar tar;
  tar.directory("d").file("d/x").file("d", "now a file").file("f").directory("f").file("f/y", "in");
  tar.symlink("l", "nowhere").file("l", "no link");
  unpack(tar.finish());
  EXPECT_EQ(io::read_file(root / "d"), "now a file");
  EXPECT_EQ(io::read_file(root / "f/y"), "in");
  EXPECT_EQ(io::read_file(root / "l"), "no link");
}

TEST_F(Unpack, DropsAttributesThatSteerOverlays) {
  Tar tar;
  tar.add({.path = "d",
           .type = '5',
           .mode = 0755,
           .xattrs = {{"trusted.overlay.redirect", "/etc"},
                      {"trusted.overlay.opaque", "y"},
                      {"user.overlay.opaque", "y"}}});
  unpack(tar.finish());
  EXPECT_EQ(attribute(root / "d", "trusted.overlay.redirect"), "");
  EXPECT_EQ(attribute(root / "d", "trusted.overlay.opaque"), "");
  EXPECT_EQ(attribute(root / "d", "user.overlay.opaque"), "");
}

TEST_F(Unpack, LeavesDeviceNodesOut) {
  Tar tar;
  tar.add({.path = "dev/sda", .type = '4', .mode = 0666})
      .add({.path = "dev/null", .type = '3', .mode = 0666});
  tar.file("after");
  unpack(tar.finish());
  EXPECT_FALSE(fs::exists(fs::symlink_status(root / "dev/sda")));
  EXPECT_FALSE(fs::exists(fs::symlink_status(root / "dev/null")));
  EXPECT_TRUE(fs::exists(root / "after"));
}

TEST_F(Unpack, TakesAbsoluteNamesInsideTheLayer) {
  Tar tar;
  tar.file("/etc/inside", "here");
  unpack(tar.finish());
  EXPECT_EQ(io::read_file(root / "etc/inside"), "here");
}

// Each tries to reach `outside` beside the root; each must name its entry, or do its work inside.
TEST_F(Unpack, HostileArchiveChangesNothingOutside) {
  const auto out = outside.string();
  struct Attack {
    const char* name;
    std::string archive;
    const char* error;  // "": unpacked, but inside
  };
  const std::string long_part(256, 'n');
  std::string long_path;
  for (int i = 0; i < 2100; ++i) long_path += "a/";
  const Attack attacks[] = {
      {"dot-dot", Tar().file("../outside/evil").finish(), "entry '../outside/evil'"},
      {"dot-dot inside", Tar().file("a/../../outside/evil").finish(), "entry 'a/../../outside/evil'"},
      {"dot-dot directory", Tar().directory("..").finish(), "entry '../'"},
      {"absolute", Tar().file(out + "/evil").finish(), ""},
      {"symlink, then through it", Tar().symlink("l", "../outside").file("l/evil").finish(),
       "entry 'l/evil'"},
      {"absolute symlink, then through it", Tar().symlink("l", out).file("l/evil").finish(),
       "entry 'l/evil'"},
      {"symlink over symlink", Tar().symlink("a", "..").symlink("b", "a/outside").file("b/evil").finish(),
       "entry 'b/evil'"},
      {"symlink, then a file of its name", Tar().symlink("l", out + "/secret").file("l", "evil").finish(),
       ""},
      {"symlink, then a directory of its name",
       Tar().symlink("l", out).directory("l").file("l/evil").finish(), ""},
      {"hard link out", Tar().hard_link("h", "../outside/secret").finish(), "entry 'h'"},
      {"hard link to an absolute name", Tar().hard_link("h", out + "/secret").finish(), "entry 'h'"},
      {"hard link through a symlink", Tar().symlink("l", out).hard_link("h", "l/secret").finish(),
       "entry 'h'"},
      {"hard link to a symlink, then written",
       Tar().symlink("l", out + "/secret").hard_link("h", "l").file("h", "evil").finish(), ""},
      {"hard link to a directory", Tar().directory("d").hard_link("h", "d").finish(), "entry 'h'"},
      {"whiteout of dot-dot", Tar().file("a/.wh...", "").finish(), "entry 'a/.wh...'"},
      {"whiteout of nothing", Tar().file("a/.wh.", "").finish(), "entry 'a/.wh.'"},
      {"whiteout above", Tar().file("../.wh.outside", "").finish(), "entry '../.wh.outside'"},
      {"whiteout through a symlink", Tar().symlink("l", out).file("l/.wh.secret", "").finish(),
       "entry 'l/.wh.secret'"},
      {"opaque through a symlink", Tar().symlink("l", out).file("l/.wh..wh..opq", "").finish(),
       "entry 'l/.wh..wh..opq'"},
      {"magic link", Tar().symlink("p", "/proc/self/root").file("p/evil").finish(), "entry 'p/evil'"},
      {"part too long", Tar().file("d/" + long_part).finish(), "more than 255 bytes"},
      {"path too long", Tar().file(long_path + "x").finish(), "longer than a path may be"},
      {"file as parent", Tar().file("f").file("f/x").finish(), "entry 'f/x'"},
      {"root as file", Tar().file("./").finish(), ""},
  };
  for (const auto& attack : attacks) {
    SCOPED_TRACE(attack.name);
    fs::remove_all(root);
    fs::create_directory(root);
    const auto error = error_of(attack.archive);
    if (*attack.error) EXPECT_THAT(error, HasSubstr(attack.error));
    EXPECT_EQ(std::distance(fs::directory_iterator(outside), fs::directory_iterator()), 1);
    EXPECT_EQ(io::read_file(outside / "secret"), "secret");
    EXPECT_EQ(info(outside / "secret").st_nlink, 1u);
    EXPECT_EQ(attribute(outside, "trusted.overlay.opaque"), "");
    EXPECT_EQ(std::distance(fs::directory_iterator(scratch.path()), fs::directory_iterator()), 2);
  }
}

TEST_F(Unpack, HoldsItsLimits) {
  UnpackLimits limits;
  limits.bytes = 10;
  EXPECT_EQ(error_of(Tar().file("a", "0123456789").finish(), limits), "no error");
  EXPECT_THAT(error_of(Tar().file("b", "0123456789x").finish(), limits),
              HasSubstr("more than the 10 bytes allowed"));
  EXPECT_THAT(error_of(Tar().file("c", "01234").file("d", "012345").finish(), limits),
              HasSubstr("entry 'd'"));
  limits = {};
  limits.entries = 2;
  EXPECT_EQ(error_of(Tar().file("e").file("f").finish(), limits), "no error");
  EXPECT_THAT(error_of(Tar().file("g").file("h").file("i").finish(), limits), HasSubstr("2 entries allowed"));
  limits = {};
  limits.xattr_bytes = 4;
  EXPECT_THAT(error_of(Tar().add({.path = "j", .xattrs = {{"user.a", "12345"}}}).finish(), limits),
              HasSubstr("attributes"));
}

TEST_F(Unpack, RefusesDamagedArchives) {
  auto archive = Tar().file("a", std::string(5000, 'a')).finish();
  EXPECT_NE(error_of(archive.substr(0, 2000)), "no error");
  archive[10] ^= 1;  // the header's checksum is wrong now
  EXPECT_NE(error_of(archive), "no error");
  EXPECT_NE(error_of(std::string(3000, 'z')), "no error");
}

TEST_F(Unpack, TakesAnEmptyLayer) {
  const auto empty = Tar().finish();
  EXPECT_EQ(unpack(empty).diff_id, Digest::of(empty));
  EXPECT_TRUE(fs::is_empty(root));
}

}  // namespace
}  // namespace sampan::image
