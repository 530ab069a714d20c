#include "image/archive_import.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <map>

#include "core/error.h"
#include "image/bytes.h"
#include "image/gzip_writer.h"
#include "image/json_fields.h"
#include "image/layer_tree.h"

namespace sampan::image {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostMembers = 100'000;
constexpr std::size_t kPiece = 256 * 1024;
constexpr int kMostHops = 8;  // of links between members

// The members of an archive: large ones as blobs, the lists of contents as text.
struct Members {
  struct Blob {
    Digest digest;
    std::uint64_t size = 0;
  };
  std::map<std::string, Blob> blobs;
  std::map<std::string, std::string> texts;
  std::map<std::string, std::string> links;

  const Blob& blob(std::string name) const {
    for (int hop = 0; hop < kMostHops; ++hop) {
      if (const auto found = blobs.find(name); found != blobs.end()) return found->second;
      const auto link = links.find(name);
      if (link == links.end()) break;
      name = link->second;
    }
    throw BadDocument("read the archive",
                      fmt::format("it lists '{}' but does not have it", name.substr(0, 200)));
  }
  const std::string* text(const std::string& name) const {
    const auto found = texts.find(name);
    return found == texts.end() ? nullptr : &found->second;
  }
};

bool is_list(const std::string& name) {
  return name == "index.json" || name == "manifest.json" || name == "oci-layout";
}

std::string normal_name(std::string_view name) {
  std::string normal;
  for (const auto& part : split_path(name, 4096)) normal += normal.empty() ? part : '/' + part;
  return normal;
}

// Where a link in an old `docker save` archive leads: "../<id>/layer.tar" from "<id>/layer.tar".
std::string link_target(const std::string& from, std::string_view to) {
  const auto joined = fs::path(from).parent_path() / std::string(to);
  return joined.lexically_normal().string();
}

// What the layout's name of a blob, "blobs/sha512/ab12…", says its digest is.
std::optional<Digest> digest_in_name(const std::string& name) {
  constexpr std::string_view kBlobs = "blobs/";
  if (!name.starts_with(kBlobs)) return std::nullopt;
  auto text = name.substr(kBlobs.size());
  if (const auto slash = text.find('/'); slash != text.npos) text[slash] = ':';
  return Digest::parse(text);
}

// By its first bytes: an archive's list of layers does not say.
const char* layer_type(const ContentStore& content, const Digest& layer) {
  const auto file = content.open(layer);
  unsigned char first[4] = {};
  if (::pread(file.get(), first, sizeof first, 0) < 2) return kLayerTar;
  if (first[0] == 0x1f && first[1] == 0x8b) return kLayerGzip;
  const bool zstd = first[0] == 0x28 && first[1] == 0xb5 && first[2] == 0x2f && first[3] == 0xfd;
  return zstd ? kLayerZstd : kLayerTar;
}

void add_member(Members& members, const std::string& name, ByteSource& source, ContentStore& content) {
  if (members.blobs.size() + members.texts.size() + members.links.size() >= kMostMembers) {
    throw BadDocument("read the archive", "it has too many members");
  }
  std::vector<char> buffer(kPiece);
  if (is_list(name)) {
    auto& text = members.texts[name];
    text.clear();
    while (const auto got = source.read(buffer)) {
      text.append(buffer.data(), got);
      if (text.size() > kLargestManifest) throw BadDocument("read " + name, "it is too large");
    }
    return;
  }
  const auto expected = digest_in_name(name);
  const auto algorithm = expected ? expected->algorithm() : core::HashAlgorithm::kSha256;
  auto writer = content.writer(io::Durability::kFlushed, algorithm);
  while (const auto got = source.read(buffer)) writer.write(std::span(buffer).first(got));
  const auto size = writer.size();
  const auto digest = writer.finish(expected);
  members.blobs[name] = {digest, size};
}

struct PullContext {
  ByteSource& source;
  std::vector<char> bytes;
};

la_ssize_t pull_bytes(archive* reader, void* opaque, const void** buffer) {
  auto& context = *static_cast<PullContext*>(opaque);
  try {
    *buffer = context.bytes.data();
    return static_cast<la_ssize_t>(context.source.read(context.bytes));
  } catch (const std::exception& error) {
    archive_set_error(reader, EIO, "%s", error.what());
    return -1;
  }
}

class EntrySource final : public ByteSource {
 public:
  explicit EntrySource(archive* reader) : reader_(reader) {}
  std::size_t read(std::span<char> buffer) override {
    const auto got = archive_read_data(reader_, buffer.data(), buffer.size());
    if (got < 0) throw core::Error("read the archive", archive_error_string(reader_));
    return static_cast<std::size_t>(got);
  }

 private:
  archive* reader_;
};

Members read_tar(const fs::path& file, ContentStore& content) {
  FileSource bytes(io::open_file(file, O_RDONLY));
  const auto plain = decompressed(bytes);
  PullContext context{*plain, std::vector<char>(kPiece)};
  const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), &archive_read_free);
  archive_read_support_format_tar(reader.get());
  if (archive_read_open(reader.get(), &context, nullptr, &pull_bytes, nullptr) != ARCHIVE_OK) {
    throw BadDocument("read archive " + file.string(), archive_error_string(reader.get()));
  }
  Members members;
  archive_entry* entry = nullptr;
  int result = 0;
  while ((result = archive_read_next_header(reader.get(), &entry)) == ARCHIVE_OK || result == ARCHIVE_WARN) {
    const char* path = archive_entry_pathname(entry);
    const auto name = normal_name(path ? path : "");
    if (archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry)) {
      EntrySource source(reader.get());
      add_member(members, name, source, content);
    } else if (const char* target = archive_entry_symlink(entry)) {
      if (members.links.size() < kMostMembers) members.links[name] = link_target(name, target);
    } else if (const char* same = archive_entry_hardlink(entry)) {
      if (members.links.size() < kMostMembers) members.links[name] = normal_name(same);
    }
  }
  if (result != ARCHIVE_EOF) {
    throw BadDocument("read archive " + file.string(), archive_error_string(reader.get()));
  }
  return members;
}

Members read_directory(const fs::path& directory, ContentStore& content) {
  Members members;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file() || entry.is_symlink()) continue;
    FileSource source(io::open_file(entry.path(), O_RDONLY | O_NOFOLLOW));
    add_member(members, fs::relative(entry.path(), directory).string(), source, content);
  }
  return members;
}

// Each blob that the manifest names must have come along.
void check_complete(const Manifest& manifest, const ContentStore& content) {
  const auto need = [&content](const Descriptor& blob) {
    if (!blob.foreign() && !content.has(blob.digest)) {
      throw BadDocument("read the archive", "it lists " + blob.digest.str() + " but does not have it");
    }
  };
  if (manifest.config) need(*manifest.config);
  for (const auto& layer : manifest.layers) need(layer);
}

std::vector<ImportedImage> read_oci(const Members& members, const ContentStore& content) {
  const auto index = parse_manifest(*members.text("index.json"), kOciIndex);
  std::vector<ImportedImage> images;
  for (const auto& entry : index.manifests) {
    check_complete(parse_manifest(content.read(entry.digest, kLargestManifest)), content);
    ImportedImage image{entry.digest, {}};
    for (const char* key : {"io.containerd.image.name", "org.opencontainers.image.ref.name"}) {
      const auto name = entry.annotations.find(key);
      if (name == entry.annotations.end()) continue;
      image.names.push_back(name->second);
      break;
    }
    images.push_back(std::move(image));
  }
  return images;
}

Digest store_docker_image(const JsonFields& entry, const Members& members, ContentStore& content) {
  const auto& config = members.blob(normal_name(entry.text("Config")));
  const auto names = entry.texts("Layers");
  const auto diff_ids = parse_config(content.read(config.digest, kLargestConfig)).diff_ids;
  if (diff_ids.size() != names.size()) entry.fail("its layers and its configuration do not agree");
  Manifest manifest;
  manifest.media_type = kOciManifest;
  manifest.config = Descriptor{.media_type = kOciConfig, .digest = config.digest, .size = config.size};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& layer = members.blob(normal_name(names[i]));
    manifest.layers.push_back(
        {.media_type = layer_type(content, layer.digest), .digest = layer.digest, .size = layer.size});
  }
  return content.put(render_manifest(manifest));
}

std::vector<ImportedImage> read_docker(const Members& members, ContentStore& content) {
  const auto wrapped = "{\"images\":" + *members.text("manifest.json") + '}';
  const auto document = parse_json_object(wrapped, kLargestManifest + 16, "manifest.json");
  const JsonFields fields(document.get_object(), "manifest.json");
  std::vector<ImportedImage> images;
  for (const auto& entry : fields.objects("images", kMostDescriptors)) {
    images.push_back({store_docker_image(entry, members, content), entry.texts("RepoTags")});
  }
  return images;
}

}  // namespace

std::vector<ImportedImage> import_archive(const fs::path& source, ContentStore& content) {
  const bool directory = fs::is_directory(source);
  const auto members = directory ? read_directory(source, content) : read_tar(source, content);
  // A newer `docker save` has both lists, and its own has the better names.
  if (members.text("manifest.json")) return read_docker(members, content);
  if (members.text("index.json")) return read_oci(members, content);
  throw BadDocument("import " + source.string(), "it is neither a docker archive nor an OCI layout");
}

Image import_root(const fs::path& tar, ContentStore& content, ImageConfig config) {
  FileSource bytes(io::open_file(tar, O_RDONLY));
  const auto plain = decompressed(bytes);
  auto layer = write_layer_from_tar(*plain, content);
  std::vector<LayerDescriptor> layers;
  layers.push_back(std::move(layer));
  return store_image(content, std::move(config), std::move(layers));
}

}  // namespace sampan::image
