// Written layers: the same bytes for the same tree, and unpacked again the same tree.
#include "image/layer_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "image/layer_store.h"
#include "io/subprocess.h"

namespace sampan::image {
namespace {

namespace fs = std::filesystem;

class LayerWriter : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "owners, devices and trusted attributes need root";
  }
  void write(const fs::path& path, const std::string& bytes) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << bytes;
  }

  io::TemporaryDirectory scratch;
  fs::path data = scratch.path() / "data";
  fs::path upper = scratch.path() / "upper";
  ContentStore content{data};
  LayerStore layers{data, content};
};

// Everything that a layer is to keep of a tree, as text.
std::string describe(const fs::path& root) {
  std::map<std::string, std::string> lines;
  std::map<ino_t, std::string> links;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    struct stat info{};
    ::lstat(entry.path().c_str(), &info);
    const auto name = fs::relative(entry.path(), root).string();
    auto line = fmt::format("{:o} {}:{} {}", info.st_mode, info.st_uid, info.st_gid,
                            S_ISDIR(info.st_mode) ? 0 : info.st_mtim.tv_sec);
    if (S_ISREG(info.st_mode)) line += ' ' + Digest::of(io::read_file(entry.path())).str();
    if (S_ISLNK(info.st_mode)) line += " -> " + fs::read_symlink(entry.path()).string();
    if (S_ISCHR(info.st_mode)) line = fmt::format("whiteout {}", info.st_rdev);
    for (const char* key : {"user.a", "trusted.overlay.opaque"}) {
      char value[64];
      const auto size = ::lgetxattr(entry.path().c_str(), key, value, sizeof value);
      if (size > 0)
        line += fmt::format(" {}={}", key, std::string_view(value, static_cast<std::size_t>(size)));
    }
    lines[name] = line;
  }
  for (const auto& [name, line] : lines) {
    struct stat info{};
    ::lstat((root / name).c_str(), &info);
    if (info.st_nlink > 1 && S_ISREG(info.st_mode)) {
      const auto first = links.emplace(info.st_ino, name).first->second;
      if (first != name) lines[name] = "same as " + first;
    }
  }
  std::string text;
  for (const auto& [name, line] : lines) text += name + ": " + line + '\n';
  return text;
}

TEST_F(LayerWriter, UnpacksToTheTreeItCameFrom) {
  std::mt19937 random(20261122);
  for (int round = 0; round < 10; ++round) {
    const auto tree = upper / std::to_string(round);
    fs::create_directories(tree);
    std::vector<std::string> directories{""};
    std::vector<std::string> files;
    for (int i = 0; i < 60; ++i) {
      const auto parent = directories[random() % directories.size()];
      const auto name = (parent.empty() ? "" : parent + '/') +
                        std::string(1 + random() % 120, static_cast<char>('a' + random() % 26)) +
                        std::to_string(i);
      const auto path = tree / name;
      if (name.size() > 600) continue;
      switch (random() % 6) {
        case 0:
          fs::create_directory(path);
          directories.push_back(name);
          if (random() % 4 == 0) ::lsetxattr(path.c_str(), "trusted.overlay.opaque", "y", 1, 0);
          break;
        case 1:
          fs::create_symlink(std::string(1 + random() % 150, 't'), path);
          break;
        case 2:
          if (!files.empty()) fs::create_hard_link(tree / files[random() % files.size()], path);
          break;
        case 3:
          ::mknod(path.c_str(), S_IFCHR, makedev(0, 0));
          break;
        default: {
          std::string bytes(random() % 3000, '\0');
          for (auto& c : bytes) c = static_cast<char>(random() % 7);
          write(path, bytes);
          ::chown(path.c_str(), random() % 5, random() % 4000000);
          ::chmod(path.c_str(), random() % 010000);
          if (random() % 3 == 0) ::lsetxattr(path.c_str(), "user.a", "v", 1, 0);
          const timespec times[2] = {{1000, 0}, {static_cast<time_t>(random() % 2000000000), 0}};
          ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
          files.push_back(name);
        }
      }
    }
    const auto layer = write_layer_from_upper(tree, content);
    const auto unpacked = layers.ensure_unpacked(layer);
    // Symbolic links are given their time as well: whole seconds are kept.
    EXPECT_EQ(describe(unpacked), describe(tree)) << "round " << round;
    EXPECT_EQ(write_layer_from_upper(unpacked, content), layer) << "round " << round;
  }
}

TEST_F(LayerWriter, BytesDoNotDependOnOrderAndGzipTakesThem) {
  std::vector<LayerEntry> entries;
  LayerEntry big;
  big.path = "z";
  for (int i = 0; i < 400000; ++i) big.bytes += std::to_string(i);
  LayerEntry directory;
  directory.path = "a";
  directory.type = LayerEntry::Type::kDirectory;
  LayerEntry inside;
  inside.path = "a/b";
  inside.bytes = "x";
  const auto forward = write_layer({directory, inside, big}, content);
  const auto backward = write_layer({big, inside, directory}, content);
  EXPECT_EQ(forward, backward);
  const auto checked =
      io::run({.argv = {"gzip", "-t", "-v"}, .input = content.read(forward.digest, 1 << 26)});
  EXPECT_TRUE(checked.ok()) << checked.describe() << checked.err;
  const auto plain = io::run(
      {.argv = {"gzip", "-dc"}, .input = content.read(forward.digest, 1 << 26), .output_limit = 1 << 26});
  EXPECT_EQ(Digest::of(plain.out), forward.diff_id);
}

TEST_F(LayerWriter, WritesIncompressibleBytesAtEveryLevel) {
  std::mt19937 random(7);
  LayerEntry noise;
  noise.path = "noise";
  noise.bytes.resize(1'300'000);
  for (auto& c : noise.bytes) c = static_cast<char>(random());
  for (int level = 0; level <= 3; ++level) {
    LayerOptions options;
    options.level = level;
    const auto layer = write_layer({noise}, content, options);
    EXPECT_EQ(io::read_file(layers.ensure_unpacked(layer) / "noise"), noise.bytes);
    layers.remove(layer.diff_id);
  }
}

TEST_F(LayerWriter, ClampsTimes) {
  LayerEntry file;
  file.path = "f";
  file.mtime = 5000;
  LayerOptions options;
  options.latest_mtime = 100;
  struct stat info{};
  ::stat((layers.ensure_unpacked(write_layer({file}, content, options)) / "f").c_str(), &info);
  EXPECT_EQ(info.st_mtim.tv_sec, 100);
}

TEST_F(LayerWriter, LayerStoreRefusesAWrongDiffIdAndLeavesNothing) {
  LayerEntry file;
  file.path = "f";
  auto layer = write_layer({file}, content);
  layer.diff_id = Digest::of("something else");
  EXPECT_THROW(layers.ensure_unpacked(layer), core::Error);
  EXPECT_FALSE(layers.find(layer.diff_id));
  EXPECT_TRUE(fs::is_empty(data / "layers/incoming"));
}

TEST_F(LayerWriter, LayerStoreUnpacksOnceForManyCallers) {
  LayerEntry file;
  file.path = "f";
  file.bytes = std::string(1 << 20, 'f');
  const auto layer = write_layer({file}, content);
  std::vector<std::thread> callers;
  std::vector<ino_t> seen(8);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    callers.emplace_back([&, i] {
      struct stat info{};
      ::stat((layers.ensure_unpacked(layer) / "f").c_str(), &info);
      seen[i] = info.st_ino;
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(std::set<ino_t>(seen.begin(), seen.end()).size(), 1u);
}

TEST_F(LayerWriter, LayerStoreAdoptsADirectory) {
  const auto directory = layers.new_directory();
  write(directory / "built", "by a build");
  const auto layer = write_layer_from_upper(directory, content);
  const auto place = layers.adopt(layer, directory);
  EXPECT_EQ(io::read_file(place / "built"), "by a build");
  EXPECT_EQ(layers.find(layer.diff_id), place);
  const auto again = layers.new_directory();
  EXPECT_EQ(layers.adopt(layer, again), place);
  EXPECT_FALSE(fs::exists(again));
}

TEST_F(LayerWriter, LayerStoreForgetsWhatAnotherBootMayNotHaveWritten) {
  const auto tree = data / "layers" / std::string(64, 'b');
  fs::create_directories(tree / "fs");
  write(tree / "boot", "another boot");
  const auto settled = data / "layers" / std::string(64, 'c');
  fs::create_directories(settled / "fs");
  LayerStore again(data, content);
  EXPECT_FALSE(fs::exists(tree));
  EXPECT_TRUE(fs::exists(settled));
}

}  // namespace
}  // namespace sampan::image
