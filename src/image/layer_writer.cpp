#include "image/layer_writer.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <compare>

#include "image/bytes.h"
#include "image/gzip_writer.h"
#include "image/tar_writer.h"
#include "image/upper_walk.h"

namespace sampan::image {
namespace {

constexpr std::size_t kReadPiece = 256 * 1024;

// A directory before what is in it, whatever other characters sort before '/'.
bool before(const LayerEntry& a, const LayerEntry& b) {
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
  const auto by_name =
      std::lexicographical_compare_three_way(a.path.begin(), a.path.end(), b.path.begin(), b.path.end(),
                                             [&rank](char x, char y) { return rank(x) <=> rank(y); });
  if (by_name != 0) return by_name < 0;
  // The opaque mark stands in its directory, so after it.
  return a.type == LayerEntry::Type::kDirectory && b.type == LayerEntry::Type::kOpaque;
}

std::string whiteout_name(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".wh." + path;
  return path.substr(0, slash + 1) + ".wh." + path.substr(slash + 1);
}

std::string opaque_name(const std::string& directory) {
  return directory.empty() ? ".wh..wh..opq" : directory + "/.wh..wh..opq";
}

char tar_type(LayerEntry::Type type) {
  switch (type) {
    case LayerEntry::Type::kDirectory:
      return '5';
    case LayerEntry::Type::kSymlink:
      return '2';
    case LayerEntry::Type::kHardLink:
      return '1';
    default:
      return '0';
  }
}

TarEntry tar_entry(const LayerEntry& entry, const LayerOptions& options) {
  TarEntry tar;
  tar.path = entry.path;
  if (entry.type == LayerEntry::Type::kWhiteout) {
    tar.path = whiteout_name(entry.path);
    return tar;
  }
  if (entry.type == LayerEntry::Type::kOpaque) {
    tar.path = opaque_name(entry.path);
    return tar;
  }
  tar.type = tar_type(entry.type);
  tar.mode = entry.mode;
  tar.uid = entry.uid;
  tar.gid = entry.gid;
  tar.mtime = options.latest_mtime ? std::min(entry.mtime, *options.latest_mtime) : entry.mtime;
  tar.link = entry.link_target;
  tar.xattrs = entry.xattrs;
  return tar;
}

void write_source(const LayerEntry& entry, TarEntry tar, TarWriter& writer) {
  auto file = io::open_file(entry.source, O_RDONLY | O_NOFOLLOW);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) throw core::errno_error("look at " + entry.source.string());
  tar.size = static_cast<std::uint64_t>(info.st_size);
  writer.begin(tar);
  FileSource source(std::move(file));
  std::vector<char> buffer(std::min<std::size_t>(kReadPiece, tar.size + 1));
  while (const auto got = source.read(buffer)) writer.data(std::span(buffer).first(got));
  writer.end();
}

void write_entry(const LayerEntry& entry, const LayerOptions& options, TarWriter& writer) {
  auto tar = tar_entry(entry, options);
  if (entry.type == LayerEntry::Type::kFile && !entry.source.empty()) {
    return write_source(entry, std::move(tar), writer);
  }
  tar.size = entry.type == LayerEntry::Type::kFile ? entry.bytes.size() : 0;
  writer.begin(tar);
  if (tar.size > 0) writer.data(entry.bytes);
  writer.end();
}

// Bytes of a tar on their way to the content store, both digests kept.
class LayerSink {
 public:
  LayerSink(ContentStore& content, const LayerOptions& options)
      : blob_(content.writer(options.durability)), gzip_(blob_, options.level) {}
  void write(std::span<const char> bytes) {
    diff_.update(bytes);
    gzip_.write(bytes);
  }
  LayerDescriptor finish() {
    gzip_.finish();
    const auto diff_id = Digest::parse("sha256:" + diff_.finish_hex());
    SAMPAN_CHECK(diff_id.has_value());
    const auto size = blob_.size();
    return {blob_.finish(), size, kLayerGzip, *diff_id};
  }

 private:
  BlobWriter blob_;
  GzipWriter gzip_;
  core::Sha256 diff_;
};

}  // namespace

LayerDescriptor write_layer(std::vector<LayerEntry> entries, ContentStore& content,
                            const LayerOptions& options) {
  std::sort(entries.begin(), entries.end(), before);
  LayerSink sink(content, options);
  TarWriter tar([&sink](std::span<const char> bytes) { sink.write(bytes); });
  for (const auto& entry : entries) write_entry(entry, options, tar);
  tar.finish();
  return sink.finish();
}

LayerDescriptor write_layer_from_tar(ByteSource& tar, ContentStore& content, const LayerOptions& options) {
  LayerSink sink(content, options);
  std::vector<char> buffer(kReadPiece);
  while (const auto got = tar.read(buffer)) sink.write(std::span(buffer).first(got));
  return sink.finish();
}

LayerDescriptor write_layer_from_upper(const std::filesystem::path& upper, ContentStore& content,
                                       const LayerOptions& options) {
  return write_layer(read_upper(upper), content, options);
}

}  // namespace sampan::image
