// Archives out and in again, both kinds.
#include <gtest/gtest.h>
#include <unistd.h>

#include "image/archive_export.h"
#include "image/archive_import.h"
#include "image/bytes.h"
#include "image/layer_store.h"
#include "io/subprocess.h"

namespace sampan::image {
namespace {

namespace fs = std::filesystem;

struct Archives : ::testing::Test {
  Image make_image() {
    LayerEntry file;
    file.path = "hello";
    file.bytes = "xin chào";
    ImageConfig config;
    config.cmd = {"/hello"};
    std::vector<LayerDescriptor> layers{write_layer({file}, content)};
    file.path = "second";
    layers.push_back(write_layer({file}, content));
    return store_image(content, config, layers);
  }
  io::TemporaryDirectory scratch;
  ContentStore content{scratch.path() / "a"};
  ContentStore other{scratch.path() / "b"};
  fs::path file = scratch.path() / "image.tar";
};

TEST_F(Archives, OciRoundTripKeepsTheDigest) {
  const auto image = make_image();
  export_archive(content, image.manifest, {"team/app:1"}, ArchiveKind::kOci, file);
  const auto imported = import_archive(file, other);
  ASSERT_EQ(imported.size(), 1u);
  EXPECT_EQ(imported[0].manifest, image.manifest);
  EXPECT_EQ(imported[0].names, std::vector<std::string>{"team/app:1"});
  EXPECT_EQ(load_image(other, image.manifest).layers, image.layers);
}

TEST_F(Archives, DockerRoundTripKeepsConfigurationAndLayers) {
  const auto image = make_image();
  export_archive(content, image.manifest, {"app:1", "app:latest"}, ArchiveKind::kDocker, file);
  const auto imported = import_archive(file, other);
  ASSERT_EQ(imported.size(), 1u);
  EXPECT_EQ(imported[0].names, (std::vector<std::string>{"app:1", "app:latest"}));
  const auto read = load_image(other, imported[0].manifest);
  EXPECT_EQ(read.config, image.config);
  EXPECT_EQ(read.layers.size(), 2u);
  EXPECT_EQ(read.layers[1].diff_id, image.layers[1].diff_id);
}

TEST_F(Archives, OciLayoutDirectoryAndCompressedArchive) {
  const auto image = make_image();
  export_archive(content, image.manifest, {}, ArchiveKind::kOci, file);
  const auto directory = scratch.path() / "layout";
  fs::create_directory(directory);
  io::run_or_throw({.argv = {"tar", "-C", directory.string(), "-xf", file.string()}});
  EXPECT_EQ(import_archive(directory, other)[0].manifest, image.manifest);
  io::run_or_throw({.argv = {"gzip", file.string()}});
  EXPECT_EQ(import_archive(file.string() + ".gz", other)[0].manifest, image.manifest);
}

// As a tool that names by SHA-512 writes it: the layers' names, the configuration's diff ids, the manifest's.
TEST_F(Archives, LayoutNamedBySha512) {
  const auto image = make_image();
  constexpr auto kSha512 = core::HashAlgorithm::kSha512;
  const auto directory = scratch.path() / "layout";
  const auto keep = [&](const std::string& bytes) {
    const auto digest = Digest::of(bytes, kSha512);
    fs::create_directories(directory / "blobs" / std::string(digest.name()));
    io::replace_file(directory / "blobs" / std::string(digest.name()) / std::string(digest.hex()), bytes,
                     io::Durability::kProcessCrash);
    return digest;
  };
  auto config = image.config;
  config.diff_ids.clear();
  Manifest manifest;
  manifest.media_type = kOciManifest;
  for (const auto& layer : image.layers) {
    const auto packed = content.read(layer.digest, 1 << 20);
    FileSource source(content.open(layer.digest));
    const auto plain = decompressed(source);
    std::string tar;
    std::vector<char> piece(64 * 1024);
    while (const auto got = plain->read(piece)) tar.append(piece.data(), got);
    config.diff_ids.push_back(Digest::of(tar, kSha512));
    manifest.layers.push_back(
        {.media_type = layer.media_type, .digest = keep(packed), .size = packed.size()});
  }
  const auto config_text = render_config(config);
  manifest.config =
      Descriptor{.media_type = kOciConfig, .digest = keep(config_text), .size = config_text.size()};
  const auto text = render_manifest(manifest);
  const auto digest = keep(text);
  io::replace_file(
      directory / "index.json",
      fmt::format(R"({{"schemaVersion":2,"manifests":[{{"mediaType":"{}","size":{},"digest":"{}"}}]}})",
                  kOciManifest, text.size(), digest.str()),
      io::Durability::kProcessCrash);
  const auto imported = import_archive(directory, other);
  ASSERT_EQ(imported.size(), 1u);
  EXPECT_EQ(imported[0].manifest, digest);
  LayerStore layers(scratch.path() / "trees", other);
  for (const auto& layer : load_image(other, digest).layers) {
    EXPECT_TRUE(fs::exists(layers.ensure_unpacked(layer)));
  }
}

TEST_F(Archives, SkopeoReadsBothKinds) {
  if (!io::find_program("skopeo")) GTEST_SKIP() << "skopeo is not installed";
  const auto image = make_image();
  for (const auto kind : {ArchiveKind::kOci, ArchiveKind::kDocker}) {
    const bool oci = kind == ArchiveKind::kOci;
    export_archive(content, image.manifest, {"app:1"}, kind, file);
    const auto copied = scratch.path() / (oci ? "from-oci" : "from-docker");
    const auto run = io::run(
        {.argv = {"skopeo", "copy", "--insecure-policy",
                  (oci ? "oci-archive:" : "docker-archive:") + file.string(), "oci:" + copied.string()}});
    ASSERT_TRUE(run.ok()) << run.describe() << run.err;
    const auto imported = import_archive(copied, other);
    ASSERT_EQ(imported.size(), 1u);
    EXPECT_EQ(load_image(other, imported[0].manifest).config.diff_ids, image.config.diff_ids);
  }
}

TEST_F(Archives, RefusesWhatIsIncompleteOrFalse) {
  EXPECT_THROW(import_archive(scratch.path() / "absent", other), core::Error);
  io::replace_file(file, std::string(3000, 'x'), io::Durability::kProcessCrash);
  EXPECT_THROW(import_archive(file, other), core::Error);
  const auto directory = scratch.path() / "layout";
  fs::create_directories(directory / "blobs/sha256");
  EXPECT_THROW(import_archive(directory, other), BadDocument);
  io::replace_file(directory / "index.json", R"({"schemaVersion":2,"manifests":[]})",
                   io::Durability::kProcessCrash);
  EXPECT_TRUE(import_archive(directory, other).empty());
  io::replace_file(directory / "blobs/sha256" / std::string(64, 'a'), "false", io::Durability::kProcessCrash);
  EXPECT_THROW(import_archive(directory, other), DigestMismatch);
  fs::remove_all(directory);
  fs::create_directories(directory);
  io::replace_file(directory / "manifest.json", R"([{"Config":"../../etc/passwd","Layers":[]}])",
                   io::Durability::kProcessCrash);
  EXPECT_THROW(import_archive(directory, other), core::Error);
}

TEST_F(Archives, ImportsARootFileSystem) {
  const auto root = scratch.path() / "root";
  fs::create_directories(root / "etc");
  io::replace_file(root / "etc/os-release", "ID=test", io::Durability::kProcessCrash);
  io::run_or_throw({.argv = {"tar", "-C", root.string(), "-cf", file.string(), "."}});
  ImageConfig config;
  config.cmd = {"bash"};
  const auto image = import_root(file, content, config);
  EXPECT_EQ(image.layers.at(0).diff_id, Digest::of(io::read_file(file)));
  EXPECT_EQ(load_image(content, image.manifest).config.cmd, std::vector<std::string>{"bash"});
}

}  // namespace
}  // namespace sampan::image
