#include "image/gzip_writer.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <boost/asio/post.hpp>

#include "core/error.h"

namespace sampan::image {
namespace {

constexpr std::size_t kPiece = 512 * 1024;
// ID, deflate, no flags, no time, no hint, unknown system: RFC 1952.
constexpr char kHeader[] = {'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, '\xff'};
constexpr char kFinalEmptyBlock[] = {3, 0};

std::size_t level_buffer_size(int level) {
  constexpr std::size_t kSizes[] = {1, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT};
  return kSizes[level];
}

std::vector<char> deflate_piece(const std::vector<char>& plain, int level) {
  std::vector<std::uint8_t> level_buffer(level_buffer_size(level));
  // Deflate stores what does not shrink in blocks of up to 64 KiB with 5 bytes each.
  std::vector<char> compressed(plain.size() + plain.size() / 1000 + 4096);
  isal_zstream stream;
  isal_deflate_stateless_init(&stream);
  stream.level = static_cast<std::uint32_t>(level);
  stream.level_buf = level_buffer.data();
  stream.level_buf_size = static_cast<std::uint32_t>(level == 0 ? 0 : level_buffer.size());
  stream.flush = FULL_FLUSH;
  stream.end_of_stream = 0;
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<std::uint32_t>(plain.size());
  stream.next_out = reinterpret_cast<std::uint8_t*>(compressed.data());
  stream.avail_out = static_cast<std::uint32_t>(compressed.size());
  const int result = isal_deflate_stateless(&stream);
  SAMPAN_CHECK(result == COMP_OK && stream.avail_in == 0);
  compressed.resize(stream.total_out);
  return compressed;
}

void append_little_endian(std::vector<char>& bytes, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(value >> shift));
}

}  // namespace

GzipWriter::GzipWriter(BlobWriter& blob, int level)
    : blob_(blob),
      level_(std::clamp(level, 0, 3)),
      workers_(std::clamp(std::thread::hardware_concurrency(), 1u, 8u)),
      most_pieces_(2 * std::clamp(std::thread::hardware_concurrency(), 1u, 8u)) {
  blob_.write(kHeader);
  filling_.reserve(kPiece);
}

void GzipWriter::write(std::span<const char> bytes) {
  crc_ = crc32_gzip_refl(crc_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  length_ += static_cast<std::uint32_t>(bytes.size());
  while (!bytes.empty()) {
    const auto count = std::min(bytes.size(), kPiece - filling_.size());
    filling_.insert(filling_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (filling_.size() == kPiece) submit();
  }
}

void GzipWriter::submit() {
  std::packaged_task<std::vector<char>()> task(
      [piece = std::move(filling_), level = level_] { return deflate_piece(piece, level); });
  pieces_.push_back(task.get_future());
  boost::asio::post(workers_, std::move(task));
  filling_ = {};
  filling_.reserve(kPiece);
  while (pieces_.size() > most_pieces_) collect_one();
}

void GzipWriter::collect_one() {
  const auto compressed = pieces_.front().get();
  pieces_.pop_front();
  blob_.write(compressed);
}

void GzipWriter::finish() {
  if (!filling_.empty()) submit();
  while (!pieces_.empty()) collect_one();
  std::vector<char> trailer(std::begin(kFinalEmptyBlock), std::end(kFinalEmptyBlock));
  append_little_endian(trailer, crc_);
  append_little_endian(trailer, length_);
  blob_.write(trailer);
}

}  // namespace sampan::image
