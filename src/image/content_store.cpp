#include "image/content_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "core/log.h"

namespace sampan::image {
namespace fs = std::filesystem;
namespace {

// Dirty pages are handed to the disk in pieces of this size while the rest still arrives, so that the final
// fdatasync waits for one piece, not for the blob.
constexpr std::uint64_t kWritebackStep = 8 * 1024 * 1024;
// Room asked for ahead of direct writes: an extent at once instead of one a write.
constexpr std::uint64_t kReserveStep = 64 * 1024 * 1024;
// Smaller pieces are not worth waiting for the disk.
constexpr std::size_t kSmallestDirect = 256 * 1024;
constexpr std::size_t kRehashPiece = 1024 * 1024;

constexpr const char* kAlgorithms[] = {"sha256", "sha512"};

bool is_aligned(std::uint64_t number) {
  return number % AlignedBuffer::kAlignment == 0;
}

void write_pieces(int file, std::span<const std::span<const char>> pieces) {
  std::array<iovec, BlobWriter::kMostPieces> parts{};
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    parts[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
  }
  for (auto rest = std::span(parts).first(pieces.size()); !rest.empty();) {
    auto written = ::writev(file, rest.data(), static_cast<int>(rest.size()));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw core::errno_error("write");
    while (!rest.empty() && static_cast<std::size_t>(written) >= rest.front().iov_len) {
      written -= static_cast<ssize_t>(rest.front().iov_len);
      rest = rest.subspan(1);
    }
    if (rest.empty()) return;
    rest.front().iov_base = static_cast<char*>(rest.front().iov_base) + written;
    rest.front().iov_len -= static_cast<std::size_t>(written);
  }
}

void sync_directory(const fs::path& directory) {
  const auto fd = io::open_file(directory, O_RDONLY | O_DIRECTORY);
  if (::fsync(fd.get()) != 0) throw core::errno_error("flush directory " + directory.string());
}

}  // namespace

DigestMismatch::DigestMismatch(const Digest& expected, const Digest& actual)
    : core::Error("check content named " + expected.str(), "its digest is " + actual.str()) {}

const core::Clock& ContentStore::system_clock() {
  static const core::SystemClock clock;
  return clock;
}

ContentStore::ContentStore(fs::path data_dir, const core::Clock& clock)
    : clock_(clock), root_(data_dir / "blobs"), incoming_(data_dir / "blobs" / "incoming") {
  std::error_code ignored;
  fs::remove_all(incoming_, ignored);
  io::make_directories(incoming_, 0700);
  constexpr char kHex[] = "0123456789abcdef";
  for (const auto* algorithm : kAlgorithms) {
    io::make_directories(root_ / algorithm, 0700);
    for (int i = 0; i < 256; ++i) {
      io::make_directories(root_ / algorithm / std::string{kHex[i / 16], kHex[i % 16]}, 0700);
    }
  }
}

fs::path ContentStore::path(const Digest& digest) const {
  write_out(digest);  // its reader goes past this class
  return file_of(digest);
}

fs::path ContentStore::file_of(const Digest& digest) const {
  return root_ / digest.name() / digest.hex().substr(0, 2) / digest.hex();
}

std::shared_mutex& ContentStore::guard(const Digest& digest) const {
  return guards_[static_cast<unsigned char>(digest.hex()[1]) % guards_.size()];
}

bool ContentStore::has(const Digest& digest) const {
  const auto now = clock_.now();
  if (staged_.touch(digest, now)) return true;
  const std::shared_lock lock(guard(digest));
  return touch(file_of(digest), now);
}

bool ContentStore::stage(const Digest& digest, const std::string& bytes) {
  return has(digest) || staged_.add(digest, bytes, clock_.now());
}

void ContentStore::write_staged() const {
  for (const auto& digest : staged_.all()) write_out(digest);
}

// Into a file, if it is staged.
void ContentStore::write_out(const Digest& digest) const {
  const auto blob = staged_.find(digest);
  if (!blob) return;
  const auto file = new_incoming();
  try {
    io::write_all(io::open_file(file, O_WRONLY | O_CREAT | O_EXCL, 0600).get(), *blob->bytes);
    place(file, digest, io::Durability::kProcessCrash, blob->used);
  } catch (const core::Error& error) {
    ::unlink(file.c_str());
    throw core::Error("store blob " + digest.str(), error.what());
  }
  // Somebody may have been told "it is here" meanwhile.
  const auto last = staged_.remove(digest);
  if (last && last->used > blob->used) has(digest);
}

std::optional<std::uint64_t> ContentStore::size(const Digest& digest) const {
  if (const auto staged = staged_.find(digest)) return staged->bytes->size();
  struct stat info{};
  const auto file = file_of(digest);
  if (::stat(file.c_str(), &info) == 0) return static_cast<std::uint64_t>(info.st_size);
  if (errno == ENOENT) return std::nullopt;
  throw core::errno_error("look for blob " + digest.str());
}

io::UniqueFd ContentStore::open(const Digest& digest) const {
  const int fd = ::open(path(digest).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw core::errno_error("open blob " + digest.str());
  return io::UniqueFd(fd);
}

std::string ContentStore::read(const Digest& digest, std::size_t limit) const {
  if (const auto staged = staged_.find(digest); staged && staged->bytes->size() <= limit) return *staged->bytes;
  const auto length = size(digest);
  if (!length) throw core::Error("read blob " + digest.str(), "it is not in the content store");
  if (*length > limit) {
    throw core::Error("read blob " + digest.str(),
                      fmt::format("it has {} bytes, more than the {} allowed", *length, limit));
  }
  return io::read_file(path(digest), limit);
}

Digest ContentStore::put(std::string_view bytes, io::Durability durability) {
  const auto digest = Digest::of(bytes);
  if (has(digest)) return digest;
  auto blob = writer(durability);
  blob.write(bytes);
  return blob.finish(digest);
}

BlobWriter ContentStore::writer(io::Durability durability, core::HashAlgorithm algorithm) {
  return BlobWriter(*this, durability, algorithm);
}

void ContentStore::adopt(const fs::path& file, const Digest& digest) {
  place(file, digest, io::Durability::kFlushed, clock_.now());
}

void ContentStore::tell_removed(const Digest& digest) const {
  for (const auto& listener : removed_) listener(digest);
}

bool ContentStore::remove(const Digest& digest) {
  const auto file = path(digest);
  const std::unique_lock lock(guard(digest));
  if (::unlink(file.c_str()) == 0) {
    tell_removed(digest);
    return true;
  }
  if (errno == ENOENT) return false;
  throw core::errno_error("remove blob " + digest.str());
}

std::optional<std::uint64_t> ContentStore::remove_idle(const Digest& digest, core::TimePoint cutoff) {
  const auto file = path(digest);
  const std::unique_lock lock(guard(digest));
  const auto idle = look(file);
  if (!idle || idle->used >= cutoff) return std::nullopt;
  if (::unlink(file.c_str()) != 0) throw core::errno_error("remove blob " + digest.str());
  tell_removed(digest);
  return idle->size;
}

bool ContentStore::set_aside(const Digest& digest, int file) {
  const auto where = path(digest);
  const auto shelf = root_ / "damaged";
  io::make_directories(shelf, 0700);
  const std::unique_lock lock(guard(digest));
  struct stat read{}, named{};
  if (::fstat(file, &read) != 0 || ::stat(where.c_str(), &named) != 0) return false;
  if (read.st_ino != named.st_ino || read.st_dev != named.st_dev) return false;
  const auto target = shelf / (std::string(digest.name()) + '-' + std::string(digest.hex()));
  if (::rename(where.c_str(), target.c_str()) != 0)
    throw core::errno_error("put blob " + digest.str() + " aside");
  touch(target, clock_.now());
  tell_removed(digest);
  return true;
}

void ContentStore::forget_set_aside(core::TimePoint cutoff) {
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(root_ / "damaged", absent)) {
    const auto idle = look(entry.path());
    if (idle && idle->used < cutoff) fs::remove(entry.path(), absent);
  }
}

void ContentStore::flush() const {
  const auto directory = io::open_file(root_, O_RDONLY | O_DIRECTORY);
  if (::syncfs(directory.get()) != 0) throw core::errno_error("flush the content store");
}

void ContentStore::for_each(const std::function<void(const Digest&, std::uint64_t)>& visit) const {
  scan([&visit](const Digest& digest, const Idle& found) { visit(digest, found.size); });
}

void ContentStore::scan(const std::function<void(const Digest&, const Idle&)>& visit) const {
  write_staged();
  for (const std::string algorithm : kAlgorithms) {
    for (const auto& shard : fs::directory_iterator(root_ / algorithm)) {
      for (const auto& entry : fs::directory_iterator(shard.path())) {
        const auto digest = Digest::parse(algorithm + ':' + entry.path().filename().string());
        const auto found = digest ? look(entry.path()) : std::nullopt;
        if (found) visit(*digest, *found);
      }
    }
  }
}

fs::path ContentStore::new_incoming() const {
  return incoming_ / std::to_string(next_.fetch_add(1));
}

void ContentStore::place(const fs::path& file, const Digest& digest, io::Durability durability,
                         core::TimePoint used) const {
  const auto target = file_of(digest);
  const std::shared_lock lock(guard(digest));  // not between a removal's look and its removal
  touch(file, used);                           // a slow upload's last byte may be old by now
  // Equal names are equal bytes: replacing a blob by itself is harmless to whoever has it open.
  if (::rename(file.c_str(), target.c_str()) != 0) throw core::errno_error("name blob " + digest.str());
  if (durability == io::Durability::kFlushed) sync_directory(target.parent_path());
}

BlobWriter::BlobWriter(ContentStore& store, io::Durability durability, core::HashAlgorithm algorithm)
    : store_(&store),
      durability_(durability),
      path_(store.new_incoming()),
      file_(io::open_file(path_, O_RDWR | O_CREAT | O_EXCL, 0600)),
      algorithm_(algorithm),
      hash_(algorithm) {}

BlobWriter::BlobWriter(BlobWriter&& other) noexcept
    : store_(other.store_),
      durability_(other.durability_),
      path_(std::move(other.path_)),
      file_(std::move(other.file_)),
      algorithm_(other.algorithm_),
      hash_(std::move(other.hash_)),
      size_(other.size_),
      written_back_(other.written_back_),
      reserved_(other.reserved_),
      direct_(other.direct_),
      direct_possible_(other.direct_possible_) {
  other.path_.clear();
}

BlobWriter::~BlobWriter() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void BlobWriter::write(std::span<const char> bytes) {
  hash(bytes);
  append(bytes);
}

void BlobWriter::append(std::span<const std::span<const char>> pieces) {
  SAMPAN_CHECK(pieces.size() <= kMostPieces);
  std::size_t total = 0;
  for (const auto piece : pieces) total += piece.size();
  set_direct(past_cache(pieces, total));
  try {
    write_pieces(file_.get(), pieces);
  } catch (const core::Error& error) {
    throw core::Error(fmt::format("store a blob ({} bytes so far)", size_), error.what());
  }
  size_ += total;
  if (!direct_ && size_ - written_back_ >= kWritebackStep) start_writeback();
}

bool BlobWriter::past_cache(std::span<const std::span<const char>> pieces, std::size_t total) const {
  if (!direct_possible_ || total < kSmallestDirect || !is_aligned(size_)) return false;
  return std::ranges::all_of(pieces, [](std::span<const char> piece) {
    return is_aligned(piece.size()) && is_aligned(reinterpret_cast<std::uintptr_t>(piece.data()));
  });
}

void BlobWriter::set_direct(bool direct) {
  if (direct != direct_) {
    if (::fcntl(file_.get(), F_SETFL, direct ? O_DIRECT : 0) == 0) {
      direct_ = direct;
    } else {
      direct_possible_ = false;  // the file system has no such thing
    }
  }
  if (direct_ && size_ >= reserved_) reserve();
}

void BlobWriter::reserve() {
  // Without it the writes are slower, no more: a full disk is told by the write itself.
  ::fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off64_t>(size_),
              static_cast<off64_t>(kReserveStep));
  reserved_ = size_ + kReserveStep;
}

void BlobWriter::start_writeback() {
  ::sync_file_range(file_.get(), static_cast<off64_t>(written_back_),
                    static_cast<off64_t>(size_ - written_back_), SYNC_FILE_RANGE_WRITE);
  written_back_ = size_;
}

// What the bytes are called: by the expected name's algorithm, whichever was hashed as they came.
Digest BlobWriter::name(const std::optional<Digest>& expected) {
  if (expected && expected->algorithm() != algorithm_) {
    core::Hasher again(expected->algorithm());
    std::vector<char> piece(kRehashPiece);
    for (std::uint64_t at = 0; at < size_;) {
      const auto got = ::pread(file_.get(), piece.data(), piece.size(), static_cast<off64_t>(at));
      if (got <= 0) throw core::errno_error("read a blob back to name it " + expected->str());
      again.update({piece.data(), static_cast<std::size_t>(got)});
      at += static_cast<std::uint64_t>(got);
    }
    return *Digest::from_hex(expected->algorithm(), again.finish_hex());
  }
  return *Digest::from_hex(algorithm_, hash_.finish_hex());
}

Digest BlobWriter::finish(const std::optional<Digest>& expected) {
  set_direct(false);
  const auto digest = name(expected);
  if (expected && *expected != digest) throw DigestMismatch(*expected, digest);
  if (reserved_ > size_ && ::ftruncate(file_.get(), static_cast<off64_t>(size_)) != 0) {
    throw core::errno_error("give back room of blob " + digest.str());
  }
  if (durability_ == io::Durability::kFlushed && ::fdatasync(file_.get()) != 0) {
    throw core::errno_error("flush blob " + digest.str());
  }
  store_->place(path_, digest, durability_, store_->clock_.now());
  path_.clear();
  file_.reset();
  return digest;
}

AlignedBuffer::AlignedBuffer(std::size_t size)
    : size_((size + kAlignment - 1) / kAlignment * kAlignment),
      memory_(static_cast<char*>(std::aligned_alloc(kAlignment, size_))) {
  if (!memory_) throw std::bad_alloc();
}

}  // namespace sampan::image
