#include "build/archive_source.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include "core/error.h"
#include "image/unpack.h"

namespace sampan::build {
namespace {

using Reader = std::unique_ptr<archive, int (*)(archive*)>;
constexpr std::size_t kBlock = 128 * 1024;

Reader new_reader() {
  Reader reader(::archive_read_new(), ::archive_read_free);
  if (!reader) throw core::Error("read an archive: out of memory");
  ::archive_read_support_filter_gzip(reader.get());
  ::archive_read_support_filter_bzip2(reader.get());
  ::archive_read_support_filter_xz(reader.get());
  ::archive_read_support_filter_zstd(reader.get());
  return reader;
}

// The decompressed bytes of a file, whatever it was compressed with.
class FilteredSource final : public image::ByteSource {
 public:
  explicit FilteredSource(int file) : reader_(new_reader()) {
    ::archive_read_support_format_raw(reader_.get());
    archive_entry* entry = nullptr;
    if (::archive_read_open_fd(reader_.get(), file, kBlock) != ARCHIVE_OK ||
        ::archive_read_next_header(reader_.get(), &entry) != ARCHIVE_OK) {
      throw core::Error("read an archive", ::archive_error_string(reader_.get()));
    }
  }

  std::size_t read(std::span<char> buffer) override {
    const la_ssize_t size = ::archive_read_data(reader_.get(), buffer.data(), buffer.size());
    if (size < 0) throw core::Error("read an archive", ::archive_error_string(reader_.get()));
    return static_cast<std::size_t>(size);
  }

 private:
  Reader reader_;
};

}  // namespace

bool is_tar_archive(int file) {
  const Reader reader = new_reader();
  ::archive_read_support_format_tar(reader.get());
  archive_entry* entry = nullptr;
  const bool is_tar = ::archive_read_open_fd(reader.get(), file, kBlock) == ARCHIVE_OK &&
                      ::archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK;
  ::lseek(file, 0, SEEK_SET);
  return is_tar;
}

void unpack_archive(io::UniqueFd file, const std::filesystem::path& directory) {
  const io::UniqueFd root = io::open_file(directory, O_RDONLY | O_DIRECTORY);
  FilteredSource source(file.get());
  image::unpack_layer(source, root.get());
}

}  // namespace sampan::build
