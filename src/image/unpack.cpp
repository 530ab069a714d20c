#include "image/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <clocale>

#include "core/error.h"
#include "core/log.h"
#include "image/layer_tree.h"
#include "image/piped_source.h"

namespace sampan::image {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaqueName = ".wh..wh..opq";
constexpr std::string_view kAufsPrivate = ".wh..wh.";

// libarchive turns the archive's UTF-8 names into the thread's character set: make that UTF-8 as well.
class Utf8Locale {
 public:
  Utf8Locale() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_) before_ = ::uselocale(locale_);
  }
  ~Utf8Locale() {
    if (!locale_) return;
    ::uselocale(before_);
    ::freelocale(locale_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, FreeArchive>;

struct ReadContext {
  PipedSource& source;
  std::exception_ptr failure;
};

la_ssize_t read_piece(archive* reader, void* opaque, const void** buffer) {
  auto& context = *static_cast<ReadContext*>(opaque);
  try {
    const auto piece = context.source.next();
    *buffer = piece.data();
    return static_cast<la_ssize_t>(piece.size());
  } catch (...) {
    // Exceptions do not pass through C.
    context.failure = std::current_exception();
    archive_set_error(reader, EIO, "the archive cannot be read");
    return -1;
  }
}

Reader open_reader(ReadContext& context) {
  Reader reader(archive_read_new());
  SAMPAN_CHECK(reader != nullptr);
  archive_read_support_format_tar(reader.get());
  archive_read_support_format_empty(reader.get());
  archive_read_set_options(reader.get(), "tar:!mac-ext");
  if (archive_read_open(reader.get(), &context, nullptr, &read_piece, nullptr) != ARCHIVE_OK) {
    if (context.failure) std::rethrow_exception(context.failure);
    throw core::Error("read the tar archive", archive_error_string(reader.get()));
  }
  return reader;
}

std::string text_or(const char* preferred, const char* otherwise) {
  return preferred ? preferred : otherwise ? otherwise : "";
}

bool is_kept_attribute(std::string_view name) {
  if (name == "security.capability") return true;
  if (name.starts_with("user.")) return !name.starts_with("user.overlay.");
  return name == "system.posix_acl_access" || name == "system.posix_acl_default";
}

// One archive's entries on their way into one tree.
class Unpacking {
 public:
  Unpacking(archive* reader, ReadContext& context, int root, const UnpackLimits& limits)
      : reader_(reader), context_(context), tree_(root), limits_(limits) {}

  void run() {
    archive_entry* entry = nullptr;
    while (next(&entry)) {
      if (++entries_ > limits_.entries) {
        throw core::Error("unpack it",
                          fmt::format("it has more than the {} entries allowed", limits_.entries));
      }
      const auto name = text_or(archive_entry_pathname(entry), archive_entry_pathname_utf8(entry));
      try {
        apply(entry, name);
      } catch (const core::Error& error) {
        if (context_.failure) std::rethrow_exception(context_.failure);
        throw core::Error(fmt::format("unpack entry '{}'", shortened(name)), error.what());
      }
    }
    tree_.finish();
  }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t entries() const { return entries_; }

 private:
  static std::string shortened(const std::string& name) {
    return name.size() <= 200 ? name : name.substr(0, 200) + "…";
  }

  bool next(archive_entry** entry) {
    const int result = archive_read_next_header(reader_, entry);
    if (context_.failure) std::rethrow_exception(context_.failure);
    if (result == ARCHIVE_EOF) return false;
    // ARCHIVE_WARN: a name that is not UTF-8 or an attribute libarchive does not know; the entry is whole.
    if (result == ARCHIVE_OK || result == ARCHIVE_WARN) return true;
    throw core::Error("read the tar archive", text_or(archive_error_string(reader_), "it is damaged"));
  }

  void apply(archive_entry* entry, const std::string& name) {
    auto path = split_path(name, limits_.path_bytes);
    if (name.empty()) throw core::Error("take its name", "it has none");
    if (!path.empty() && path.back().starts_with(kWhiteout)) return apply_whiteout(std::move(path));
    if (const auto* target = archive_entry_hardlink(entry) ? archive_entry_hardlink(entry)
                                                           : archive_entry_hardlink_utf8(entry)) {
      return tree_.make_hard_link(path, split_path(target, limits_.path_bytes));
    }
    const auto metadata = read_metadata(entry);
    switch (archive_entry_filetype(entry)) {
      case AE_IFREG:
        return write_file(entry, path, metadata);
      case AE_IFDIR:
        return tree_.make_directory(path, metadata);
      case AE_IFLNK:
        return write_symlink(entry, path, metadata);
      case AE_IFIFO:
        return tree_.make_fifo(path, metadata);
      case AE_IFCHR:
      case AE_IFBLK:
        return core::log::warn("layer entry '{}' is a device node: left out", shortened(name));
      default:
        return core::log::warn("layer entry '{}' is of no kind that layers have: left out", shortened(name));
    }
  }

  void apply_whiteout(LayerTree::Path path) {
    const std::string name = std::move(path.back());
    path.pop_back();
    if (name == kOpaqueName) return tree_.make_opaque(path);
    if (name.starts_with(kAufsPrivate)) return;  // aufs's own bookkeeping
    auto hidden = name.substr(kWhiteout.size());
    if (hidden.empty() || hidden == "." || hidden == "..") {
      throw core::Error("take the whiteout", "it names no file of its directory");
    }
    path.push_back(std::move(hidden));
    tree_.make_whiteout(path);
  }

  EntryMetadata read_metadata(archive_entry* entry) const {
    const auto id = [](la_int64_t value) {
      if (value < 0 || value >= 0xffffffffll)
        throw core::Error("take its owner", "the number is out of range");
      return static_cast<std::uint32_t>(value);
    };
    EntryMetadata metadata;
    metadata.mode = archive_entry_perm(entry);
    metadata.uid = id(archive_entry_uid(entry));
    metadata.gid = id(archive_entry_gid(entry));
    metadata.mtime = {archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
    std::size_t total = 0;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
      if (!name || !is_kept_attribute(name)) continue;
      total += size;
      if (total > limits_.xattr_bytes) throw core::Error("take its attributes", "they are too large");
      metadata.xattrs.emplace_back(name, std::string(static_cast<const char*>(value), size));
    }
    return metadata;
  }

  void count(std::uint64_t bytes) {
    bytes_ += bytes;
    if (bytes_ <= limits_.bytes) return;
    throw core::Error("unpack it",
                      fmt::format("the layer has more than the {} bytes allowed", limits_.bytes));
  }

  void write_file(archive_entry* entry, const LayerTree::Path& path, const EntryMetadata& metadata) {
    const auto size = archive_entry_size(entry);
    if (size < 0) throw core::Error("take its size", "it is negative");
    if (static_cast<std::uint64_t>(size) > limits_.bytes) count(static_cast<std::uint64_t>(size));
    const auto file = tree_.make_file(path);
    const auto end = copy_data(file.get());
    // A hole at the end has no block of its own.
    if (end < size && ::ftruncate(file.get(), size) != 0) throw core::errno_error("set its length");
    tree_.finish_file(file.get(), metadata);
  }

  la_int64_t copy_data(int file) {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    la_int64_t end = 0;
    while (true) {
      const int result = archive_read_data_block(reader_, &block, &size, &offset);
      if (result == ARCHIVE_EOF) return end;
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
        throw core::Error("read its content",
                          text_or(archive_error_string(reader_), "the archive is damaged"));
      }
      count(size);
      write_at(file, static_cast<const char*>(block), size, offset);
      end = std::max<la_int64_t>(end, offset + static_cast<la_int64_t>(size));
    }
  }

  static void write_at(int file, const char* bytes, std::size_t size, la_int64_t offset) {
    while (size > 0) {
      const auto written = ::pwrite(file, bytes, size, offset);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw core::errno_error("write the file");
      bytes += written;
      size -= static_cast<std::size_t>(written);
      offset += written;
    }
  }

  void write_symlink(archive_entry* entry, const LayerTree::Path& path, const EntryMetadata& metadata) {
    const auto target = text_or(archive_entry_symlink(entry), archive_entry_symlink_utf8(entry));
    if (target.empty() || target.size() >= limits_.path_bytes) {
      throw core::Error("make the symbolic link", "its target is empty or too long");
    }
    tree_.make_symlink(path, target, metadata);
  }

  archive* reader_;
  ReadContext& context_;
  LayerTree tree_;
  const UnpackLimits& limits_;
  std::uint64_t bytes_ = 0;
  std::uint64_t entries_ = 0;
};

}  // namespace

Unpacked unpack_layer(ByteSource& archive, int root, const UnpackLimits& limits,
                      core::HashAlgorithm algorithm) {
  const Utf8Locale locale;
  const auto plain = decompressed(archive);
  // Headers and padding come on top of the files' own bytes.
  PipedSource piped(*plain, limits.bytes + limits.bytes / 8 + (64ull << 20), algorithm);
  ReadContext context{piped, nullptr};
  const auto reader = open_reader(context);
  Unpacking unpacking(reader.get(), context, root, limits);
  unpacking.run();
  // What stands behind the archive's end belongs to its digest.
  auto diff_id = Digest::from_hex(algorithm, piped.finish_hex());
  SAMPAN_CHECK(diff_id.has_value());
  return {*diff_id, unpacking.bytes(), unpacking.entries()};
}

}  // namespace sampan::image
