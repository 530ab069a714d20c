#include "image/file_blob_store.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/error.h"
#include "core/random.h"
#include "image/last_use.h"
#include "io/file.h"

namespace sampan::image {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kPiece = 1024 * 1024;
constexpr const char* kAlgorithms[] = {"sha256", "sha512"};

void flush_directory(const fs::path& directory) {
  const auto fd = io::open_file(directory, O_RDONLY | O_DIRECTORY);
  if (::fsync(fd.get()) != 0) throw core::errno_error("flush directory " + directory.string());
}

std::string read_piece(int file, std::uint64_t offset, std::uint64_t length) {
  std::string piece(std::min<std::uint64_t>(length, kPiece), '\0');
  const auto got = ::pread(file, piece.data(), piece.size(), static_cast<off64_t>(offset));
  if (got < 0) throw core::errno_error("read a blob");
  piece.resize(static_cast<std::size_t>(got));
  return piece;
}

}  // namespace

FileBlobStore::FileBlobStore(io::Executors& executors, fs::path root)
    : executors_(executors), root_(std::move(root)), name_("file://" + root_.string()) {
  io::make_directories(root_ / "incoming", 0700);
}

fs::path FileBlobStore::path(const Digest& digest) const {
  return root_ / digest.name() / digest.hex().substr(0, 2) / digest.hex();
}

io::Awaitable<std::optional<std::uint64_t>> FileBlobStore::size(Digest digest) {
  co_return co_await io::offload(executors_, [this, &digest]() -> std::optional<std::uint64_t> {
    const auto found = look(path(digest));
    return found ? std::optional(found->size) : std::nullopt;
  });
}

void FileBlobStore::copy_in(const Digest& digest, const fs::path& from) const {
  const auto source = io::open_file(from, O_RDONLY);
  core::SystemIdSource ids;
  const auto half = root_ / "incoming" / ids.hex(16);
  try {
    const auto copy = io::open_file(half, O_WRONLY | O_CREAT | O_EXCL, 0600);
    std::uint64_t at = 0;
    for (auto piece = read_piece(source.get(), at, kPiece); !piece.empty();
         piece = read_piece(source.get(), at, kPiece)) {
      io::write_all(copy.get(), piece);
      at += piece.size();
    }
    if (::fdatasync(copy.get()) != 0) throw core::errno_error("flush blob " + digest.str());
    const auto target = path(digest);
    io::make_directories(target.parent_path(), 0700);
    if (::rename(half.c_str(), target.c_str()) != 0) throw core::errno_error("name blob " + digest.str());
    flush_directory(target.parent_path());
  } catch (...) {
    ::unlink(half.c_str());
    throw;
  }
}

io::Awaitable<void> FileBlobStore::put(Digest digest, fs::path file) {
  co_await io::offload(executors_, [this, &digest, &file] { copy_in(digest, file); });
}

io::Awaitable<void> FileBlobStore::get(Digest digest, std::uint64_t offset, std::uint64_t length, Sink sink) {
  const auto file =
      co_await io::offload(executors_, [this, &digest] { return io::open_file(path(digest), O_RDONLY); });
  while (length > 0) {
    const int fd = file.get();
    const auto piece =
        co_await io::offload(executors_, [fd, offset, length] { return read_piece(fd, offset, length); });
    if (piece.empty()) co_return;
    co_await sink({piece.data(), piece.size()});
    offset += piece.size();
    length -= piece.size();
  }
}

io::Awaitable<void> FileBlobStore::remove(Digest digest) {
  co_await io::offload(executors_, [this, &digest] {
    if (::unlink(path(digest).c_str()) != 0 && errno != ENOENT && errno != ENOTDIR)
      throw core::errno_error("remove blob " + digest.str() + " from " + name_);
  });
}

io::Awaitable<void> FileBlobStore::list(std::function<void(const Found&)> visit) {
  co_await io::offload(executors_, [this, &visit] {
    std::error_code absent;
    for (const std::string algorithm : kAlgorithms) {
      for (const auto& shard : fs::directory_iterator(root_ / algorithm, absent)) {
        for (const auto& entry : fs::directory_iterator(shard.path(), absent)) {
          const auto digest = Digest::parse(algorithm + ':' + entry.path().filename().string());
          const auto found = digest ? look(entry.path()) : std::nullopt;
          if (found) visit({*digest, found->size, found->used});
        }
      }
    }
  });
}

io::Awaitable<std::uint64_t> FileBlobStore::sweep(core::TimePoint cutoff) {
  co_return co_await io::offload(executors_, [this, cutoff] {
    std::uint64_t swept = 0;
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator(root_ / "incoming", absent)) {
      const auto idle = look(entry.path());
      if (idle && idle->used < cutoff && fs::remove(entry.path(), absent)) ++swept;
    }
    return swept;
  });
}

}  // namespace sampan::image
