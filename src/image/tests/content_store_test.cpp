#include "image/content_store.h"

#include <gtest/gtest.h>

#include <fstream>

#include "image/bytes.h"
#include "image/gzip_writer.h"
#include "io/subprocess.h"

namespace sampan::image {
namespace {

namespace fs = std::filesystem;

struct ContentStoreTest : ::testing::Test {
  std::size_t incoming() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(store.incoming()), fs::directory_iterator()));
  }
  io::TemporaryDirectory scratch;
  ContentStore store{scratch.path()};
};

TEST_F(ContentStoreTest, KeepsABlobUnderItsDigest) {
  const auto digest = store.put("hello");
  EXPECT_EQ(digest, Digest::of("hello"));
  EXPECT_EQ(store.size(digest), 5u);
  EXPECT_EQ(store.read(digest, 5), "hello");
  EXPECT_THROW(store.read(digest, 4), core::Error);
  EXPECT_EQ(store.put("hello"), digest);
  EXPECT_EQ(incoming(), 0u);
  EXPECT_TRUE(store.remove(digest));
  EXPECT_FALSE(store.remove(digest));
  EXPECT_FALSE(store.has(digest));
  EXPECT_THROW(store.open(digest), core::Error);
}

TEST_F(ContentStoreTest, KeepsABlobUnderASha512NameWhicheverHashWasTakenAsItCame) {
  const auto digest = Digest::of("hello", core::HashAlgorithm::kSha512);
  for (const auto algorithm : {core::HashAlgorithm::kSha256, core::HashAlgorithm::kSha512}) {
    auto writer = store.writer(io::Durability::kFlushed, algorithm);
    writer.write(std::string_view("hello"));
    EXPECT_EQ(writer.finish(digest), digest);
    EXPECT_EQ(store.read(digest, 5), "hello");
    EXPECT_TRUE(fs::exists(scratch.path() / "blobs" / "sha512" / digest.hex().substr(0, 2) / digest.hex()));
    std::vector<Digest> all;
    store.for_each([&](const Digest& one, std::uint64_t) { all.push_back(one); });
    EXPECT_EQ(all, std::vector{digest});
    EXPECT_TRUE(store.remove(digest));
  }
  auto writer = store.writer();
  writer.write(std::string_view("hullo"));
  EXPECT_THROW(writer.finish(digest), DigestMismatch);
}

TEST_F(ContentStoreTest, RefusesAWrongDigestAndLeavesNothing) {
  {
    auto writer = store.writer();
    writer.write(std::string_view("abc"));
    EXPECT_THROW(writer.finish(Digest::of("abd")), DigestMismatch);
  }
  EXPECT_FALSE(store.has(Digest::of("abc")));
  EXPECT_EQ(incoming(), 0u);
}

TEST_F(ContentStoreTest, DroppedWriterLeavesNothingAndStartSweeps) {
  {
    auto writer = store.writer();
    writer.write(std::string_view("abc"));
    EXPECT_EQ(incoming(), 1u);
    const BlobWriter moved = std::move(writer);
    EXPECT_EQ(moved.size(), 3u);
  }
  EXPECT_EQ(incoming(), 0u);
  std::ofstream(store.incoming() / "left by a crash") << "x";
  const auto kept = store.put("kept");
  const ContentStore again(scratch.path());
  EXPECT_EQ(incoming(), 0u);
  EXPECT_TRUE(again.has(kept));
}

TEST_F(ContentStoreTest, TellsOfAFullDisk) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting a small file system needs root";
  const auto small = scratch.path() / "small";
  fs::create_directory(small);
  io::run_or_throw({.argv = {"mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small.string()}});
  struct Unmount {
    std::string path;
    ~Unmount() { io::run({.argv = {"umount", path}}); }
  } unmount{small.string()};
  ContentStore tiny(small);
  const std::string bytes(400 * 1024, 'x');
  std::string error;
  try {
    auto writer = tiny.writer();
    for (int i = 0; i < 10; ++i) writer.write(bytes);
  } catch (const core::Error& failure) {
    error = failure.what();
  }
  EXPECT_NE(error.find("No space left on device"), std::string::npos) << error;
  EXPECT_TRUE(fs::is_empty(tiny.incoming()));
  EXPECT_NO_THROW(tiny.put("there is room again"));
}

std::string drain(ByteSource& source, std::size_t piece) {
  std::string all;
  std::vector<char> buffer(piece);
  while (const auto got = source.read(buffer)) all.append(buffer.data(), got);
  return all;
}

std::string packed(const std::vector<std::string>& command, const std::string& bytes) {
  io::Command run{.argv = command, .input = bytes};
  run.output_limit = 1 << 26;
  return io::run_or_throw(run).out;
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 200000; ++i) text += std::to_string(i * 7919);
  return text;
}

TEST(Decompressed, ReadsGzipZstdAndPlain) {
  const auto text = sample();
  const auto half = text.size() / 2;
  const auto members =
      packed({"gzip", "-9"}, text.substr(0, half)) + packed({"gzip", "-1"}, text.substr(half));
  for (const auto& bytes : {text, packed({"gzip"}, text), members, members + std::string(1000, '\0')}) {
    for (const std::size_t piece : {1000u, 300000u}) {
      MemorySource source(bytes);
      EXPECT_EQ(Digest::of(drain(*decompressed(source), piece)), Digest::of(text));
    }
  }
  MemorySource none("");
  EXPECT_EQ(drain(*decompressed(none), 10), "");
  MemorySource tiny("ab");
  EXPECT_EQ(drain(*decompressed(tiny), 10), "ab");
}

TEST(Decompressed, RefusesDamage) {
  const auto bytes = packed({"gzip"}, sample());
  auto flipped = bytes;
  flipped[flipped.size() / 2] ^= 0x10;
  auto wrong_sum = bytes;
  wrong_sum[wrong_sum.size() - 6] ^= 1;
  for (const auto& bad : {bytes.substr(0, bytes.size() - 9), bytes.substr(0, 5),
                          bytes.substr(0, bytes.size() - 1), flipped, wrong_sum, bytes + "junk"}) {
    MemorySource source(bad);
    EXPECT_THROW(drain(*decompressed(source), 65536), core::Error);
  }
}

}  // namespace
}  // namespace sampan::image
