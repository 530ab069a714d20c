#include "image/archive_export.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <set>

#include "image/bytes.h"
#include "image/image.h"
#include "image/tar_writer.h"

namespace sampan::image {
namespace json = boost::json;
namespace {

constexpr int kDeepestIndex = 4;

class Archive {
 public:
  Archive(const ContentStore& content, int file)
      : content_(content),
        tar_([file](std::span<const char> bytes) { io::write_all(file, {bytes.data(), bytes.size()}); }) {}

  void text(const std::string& name, const std::string& bytes) {
    begin(name, bytes.size());
    tar_.data(bytes);
    tar_.end();
  }
  void blob(const std::string& name, const Digest& digest) {
    if (!written_.insert(name).second) return;
    begin(name, content_.size(digest).value_or(0));
    FileSource source(content_.open(digest));
    std::vector<char> buffer(256 * 1024);
    while (const auto got = source.read(buffer)) tar_.data(std::span(buffer).first(got));
    tar_.end();
  }
  void finish() { tar_.finish(); }

 private:
  void begin(const std::string& name, std::uint64_t size) {
    TarEntry entry;
    entry.path = name;
    entry.mode = 0644;
    entry.size = size;
    tar_.begin(entry);
  }
  const ContentStore& content_;
  TarWriter tar_;
  std::set<std::string> written_;
};

std::string blob_name(const Digest& digest) {
  return fmt::format("blobs/{}/{}", digest.name(), digest.hex());
}

void add_oci(Archive& archive, const ContentStore& content, const Digest& digest, int depth) {
  if (depth > kDeepestIndex) throw core::Error("export " + digest.str(), "its indexes are nested too deep");
  const auto manifest = parse_manifest(content.read(digest, kLargestManifest));
  for (const auto& child : manifest.manifests) {
    if (content.has(child.digest)) add_oci(archive, content, child.digest, depth + 1);
  }
  if (manifest.config) archive.blob(blob_name(manifest.config->digest), manifest.config->digest);
  for (const auto& layer : manifest.layers) {
    if (content.has(layer.digest)) archive.blob(blob_name(layer.digest), layer.digest);
  }
  archive.blob(blob_name(digest), digest);
}

void write_oci(Archive& archive, const ContentStore& content, const Digest& digest,
               const std::vector<std::string>& names) {
  const auto bytes = content.read(digest, kLargestManifest);
  Manifest index;
  index.media_type = kOciIndex;
  Descriptor entry{.media_type = parse_manifest(bytes).media_type, .digest = digest, .size = bytes.size()};
  if (names.empty()) index.manifests.push_back(entry);
  for (const auto& name : names) {
    entry.annotations["org.opencontainers.image.ref.name"] = name;
    index.manifests.push_back(entry);
  }
  archive.text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  archive.text("index.json", render_manifest(index));
  add_oci(archive, content, digest, 0);
}

void write_docker(Archive& archive, const ContentStore& content, const Digest& digest,
                  const std::vector<std::string>& names) {
  const auto image = load_image(content, digest);
  const auto config_name = std::string(image.config_digest.hex()) + ".json";
  archive.blob(config_name, image.config_digest);
  json::array layers;
  for (const auto& layer : image.layers) {
    const auto name = std::string(layer.diff_id.hex()) + ".tar";
    archive.blob(name, layer.digest);
    layers.emplace_back(name);
  }
  const json::array list{json::object{
      {"Config", config_name}, {"RepoTags", json::value_from(names)}, {"Layers", std::move(layers)}}};
  archive.text("manifest.json", json::serialize(list));
}

}  // namespace

void export_archive(const ContentStore& content, const Digest& manifest,
                    const std::vector<std::string>& names, ArchiveKind kind,
                    const std::filesystem::path& destination) {
  auto partial = destination;
  partial += ".partial";
  try {
    const auto file = io::open_file(partial, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    Archive archive(content, file.get());
    if (kind == ArchiveKind::kOci)
      write_oci(archive, content, manifest, names);
    else
      write_docker(archive, content, manifest, names);
    archive.finish();
    std::filesystem::rename(partial, destination);
  } catch (...) {
    ::unlink(partial.c_str());
    throw;
  }
}

}  // namespace sampan::image
