#include "scan/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/core.h>

#include <clocale>
#include <exception>
#include <vector>

#include "core/error.h"

namespace sampan::scan {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

// libarchive turns names into the thread's character set: that must be UTF-8.
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

struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

std::string text_or(const char* preferred, const char* otherwise) {
  return preferred ? preferred : otherwise ? otherwise : "";
}

Archive::Type type_of(archive_entry* entry) {
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
      return Archive::Type::kFile;
    case AE_IFDIR:
      return Archive::Type::kDirectory;
    default:
      return Archive::Type::kOther;
  }
}

}  // namespace

struct Archive::Impl {
  Utf8Locale locale;
  image::ByteSource* source = nullptr;
  std::vector<char> piece;
  std::exception_ptr failure;
  std::unique_ptr<archive, FreeReader> reader{archive_read_new()};

  [[noreturn]] void fail(const char* tried) {
    if (failure) std::rethrow_exception(failure);
    throw core::Error(tried, text_or(archive_error_string(reader.get()), "it is damaged"));
  }
  void check(int result, const char* tried) {
    if (failure) std::rethrow_exception(failure);
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN && result != ARCHIVE_EOF) fail(tried);
  }

  static la_ssize_t read_piece(archive* reader, void* opaque, const void** buffer) {
    auto& self = *static_cast<Impl*>(opaque);
    try {
      *buffer = self.piece.data();
      return static_cast<la_ssize_t>(self.source->read(self.piece));
    } catch (...) {  // exceptions do not pass through C
      self.failure = std::current_exception();
      archive_set_error(reader, EIO, "the archive cannot be read");
      return -1;
    }
  }
};

Archive::Archive(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Archive::Archive(Archive&&) noexcept = default;
Archive::~Archive() = default;

Archive Archive::tar(image::ByteSource& source) {
  auto impl = std::make_unique<Impl>();
  SAMPAN_CHECK(impl->reader != nullptr);
  impl->source = &source;
  impl->piece.resize(kPiece);
  archive_read_support_format_tar(impl->reader.get());
  archive_read_support_format_empty(impl->reader.get());
  archive_read_set_options(impl->reader.get(), "tar:!mac-ext");
  impl->check(archive_read_open(impl->reader.get(), impl.get(), nullptr, &Impl::read_piece, nullptr),
              "read the tar archive");
  return Archive(std::move(impl));
}

Archive Archive::zip(std::string_view bytes) {
  auto impl = std::make_unique<Impl>();
  SAMPAN_CHECK(impl->reader != nullptr);
  archive_read_support_format_zip_seekable(impl->reader.get());
  impl->check(archive_read_open_memory(impl->reader.get(), bytes.data(), bytes.size()),
              "read the zip archive");
  return Archive(std::move(impl));
}

Archive Archive::zip_file(const std::string& path) {
  auto impl = std::make_unique<Impl>();
  SAMPAN_CHECK(impl->reader != nullptr);
  archive_read_support_format_zip_seekable(impl->reader.get());
  impl->check(archive_read_open_filename(impl->reader.get(), path.c_str(), kPiece), "read the zip archive");
  return Archive(std::move(impl));
}

bool Archive::next(Entry& entry) {
  archive_entry* found = nullptr;
  const int result = archive_read_next_header(impl_->reader.get(), &found);
  // ARCHIVE_WARN: a name that is not UTF-8 or an attribute libarchive does not know; the entry is whole.
  impl_->check(result, "read the archive");
  if (result == ARCHIVE_EOF) return false;
  entry.path = text_or(archive_entry_pathname(found), archive_entry_pathname_utf8(found));
  entry.target = text_or(archive_entry_hardlink(found), archive_entry_hardlink_utf8(found));
  entry.type = entry.target.empty() ? type_of(found) : Type::kHardLink;
  entry.size = static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_entry_size(found)));
  return true;
}

std::span<const char> Archive::read() {
  while (true) {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int result = archive_read_data_block(impl_->reader.get(), &block, &size, &offset);
    impl_->check(result, "read an entry's content");
    if (result == ARCHIVE_EOF) return {};
    if (size > 0) return {static_cast<const char*>(block), size};
  }
}

std::string Archive::read_all(std::uint64_t limit) {
  std::string content;
  for (auto piece = read(); !piece.empty(); piece = read()) {
    if (content.size() + piece.size() > limit) {
      throw core::Error("read an entry's content",
                        fmt::format("it has more than the {} bytes allowed", limit));
    }
    content.append(piece.data(), piece.size());
  }
  return content;
}

}  // namespace sampan::scan
