#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <unistd.h>
#include <zstd.h>

#include <cstring>

#include "core/error.h"
#include "image/bytes.h"

namespace sampan::image {
namespace {

constexpr std::size_t kInput = 256 * 1024;
constexpr int kLargestZstdWindowLog = 27;  // 128 MiB, what `zstd -d` takes without being asked

// The bytes of `source`, with a look at the first ones before they are read.
class Input {
 public:
  explicit Input(ByteSource& source) : source_(source), buffer_(kInput) {}
  // More bytes when there are none left; false at the end.
  bool fill() {
    if (!rest_.empty()) return true;
    const auto got = source_.read(buffer_);
    rest_ = std::span(buffer_).first(got);
    return got > 0;
  }
  std::span<char> rest() const { return rest_; }
  void leave(std::size_t bytes) { rest_ = rest_.last(bytes); }
  // As many of the first bytes as there are, up to four.
  std::string_view magic() {
    while (rest_.size() < 4) {
      const auto have = rest_.size();
      if (have > 0 && rest_.data() != buffer_.data()) std::memmove(buffer_.data(), rest_.data(), have);
      const auto got = source_.read(std::span(buffer_).subspan(have));
      rest_ = std::span(buffer_).first(have + got);
      if (got == 0) break;
    }
    return {rest_.data(), std::min<std::size_t>(rest_.size(), 4)};
  }

 private:
  ByteSource& source_;
  std::vector<char> buffer_;
  std::span<char> rest_;
};

class PlainSource final : public ByteSource {
 public:
  explicit PlainSource(Input input) : input_(std::move(input)) {}
  std::size_t read(std::span<char> buffer) override {
    if (!input_.fill()) return 0;
    const auto count = std::min(buffer.size(), input_.rest().size());
    std::memcpy(buffer.data(), input_.rest().data(), count);
    input_.leave(input_.rest().size() - count);
    return count;
  }

 private:
  Input input_;
};

class GzipSource final : public ByteSource {
 public:
  explicit GzipSource(Input input) : input_(std::move(input)), state_(std::make_unique<inflate_state>()) {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP;
  }
  std::size_t read(std::span<char> buffer) override {
    while (true) {
      if (state_->block_state == ISAL_BLOCK_FINISH && !next_member()) return 0;
      const bool more = input_.fill();
      state_->next_in = reinterpret_cast<std::uint8_t*>(input_.rest().data());
      state_->avail_in = static_cast<std::uint32_t>(input_.rest().size());
      state_->next_out = reinterpret_cast<std::uint8_t*>(buffer.data());
      state_->avail_out = static_cast<std::uint32_t>(buffer.size());
      const int result = isal_inflate(state_.get());
      input_.leave(state_->avail_in);
      // Below zero is an error; 1 to 3 only say where it stands.
      if (result < 0)
        throw core::Error("decompress gzip", fmt::format("the data is damaged (code {})", result));
      if (const auto made = buffer.size() - state_->avail_out; made > 0) return made;
      if (!more && state_->block_state != ISAL_BLOCK_FINISH) {
        throw core::Error("decompress gzip", "the data ends too early");
      }
    }
  }

 private:
  // gzip files may be one after the other; zeros behind the last are padding.
  bool next_member() {
    const auto magic = input_.magic();
    if (magic.empty()) return false;
    if (magic.starts_with("\x1f\x8b")) {
      isal_inflate_reset(state_.get());
      state_->crc_flag = ISAL_GZIP;
      return true;
    }
    while (input_.fill()) {
      for (const char c : input_.rest()) {
        if (c != 0) throw core::Error("decompress gzip", "there is something else behind the data");
      }
      input_.leave(0);
    }
    return false;
  }

  Input input_;
  std::unique_ptr<inflate_state> state_;
};

class ZstdSource final : public ByteSource {
 public:
  explicit ZstdSource(Input input) : input_(std::move(input)), context_(ZSTD_createDCtx()) {
    SAMPAN_CHECK(context_ != nullptr);
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kLargestZstdWindowLog);
  }
  std::size_t read(std::span<char> buffer) override {
    while (true) {
      const bool more = input_.fill();
      if (!more && between_frames_) return 0;
      ZSTD_inBuffer in{input_.rest().data(), input_.rest().size(), 0};
      ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
      const auto result = ZSTD_decompressStream(context_.get(), &out, &in);
      if (ZSTD_isError(result)) throw core::Error("decompress zstd", ZSTD_getErrorName(result));
      input_.leave(in.size - in.pos);
      between_frames_ = result == 0;
      if (out.pos > 0) return out.pos;
      if (!more && !between_frames_) throw core::Error("decompress zstd", "the data ends too early");
    }
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  Input input_;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  bool between_frames_ = true;
};

}  // namespace

FileSource::FileSource(io::UniqueFd file) : file_(std::move(file)) {
  ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

std::size_t FileSource::read(std::span<char> buffer) {
  while (true) {
    const auto got = ::read(file_.get(), buffer.data(), buffer.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw core::errno_error("read file");
  }
}

std::size_t MemorySource::read(std::span<char> buffer) {
  const auto count = std::min(buffer.size(), rest_.size());
  std::memcpy(buffer.data(), rest_.data(), count);
  rest_.remove_prefix(count);
  return count;
}

std::unique_ptr<ByteSource> decompressed(ByteSource& source) {
  Input input(source);
  const auto magic = input.magic();
  if (magic.starts_with("\x1f\x8b")) return std::make_unique<GzipSource>(std::move(input));
  if (magic == "\x28\xb5\x2f\xfd") return std::make_unique<ZstdSource>(std::move(input));
  return std::make_unique<PlainSource>(std::move(input));
}

}  // namespace sampan::image
