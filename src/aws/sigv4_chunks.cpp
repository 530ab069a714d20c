#include "aws/sigv4_chunks.h"

#include <fmt/format.h>

#include <charconv>

#include "core/encoding.h"

namespace sampan::aws {
namespace {

constexpr std::size_t kMaxHeader = 128;
constexpr std::string_view kSignatureField = ";chunk-signature=";

}  // namespace

ChunkedPayload::ChunkedPayload(std::string signing_key, const CredentialScope& scope,
                               std::string_view amz_date, std::string seed)
    : signing_key_(std::move(signing_key)),
      prefix_(fmt::format("AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n", amz_date, scope.scope())),
      previous_(std::move(seed)) {}

void ChunkedPayload::feed(std::string_view bytes, std::string& out) {
  if (finished_ && !bytes.empty()) throw ChunkError("there are bytes after the last chunk");
  pending_ += bytes;
  while (!finished_) {
    if (!in_chunk_ && !take_header()) return;
    if (pending_.size() < size_ + 2) return;
    take_chunk(out);
  }
  if (!pending_.empty()) throw ChunkError("there are bytes after the last chunk");
}

bool ChunkedPayload::take_header() {
  const auto end = pending_.find("\r\n");
  if (end == std::string::npos) {
    if (pending_.size() > kMaxHeader) throw ChunkError("a chunk's header is too long");
    return false;
  }
  const auto header = std::string_view(pending_).substr(0, end);
  const auto field = header.find(kSignatureField);
  std::size_t size = 0;
  const auto [stop, error] =
      std::from_chars(header.data(), header.data() + std::min(field, header.size()), size, 16);
  if (field == std::string_view::npos || error != std::errc() || stop != header.data() + field) {
    throw ChunkError("a chunk's header is not SIZE;chunk-signature=HEX");
  }
  if (size > kMaxChunk) throw ChunkError("a chunk is too large");
  expected_ = header.substr(field + kSignatureField.size());
  size_ = size;
  in_chunk_ = true;
  pending_.erase(0, end + 2);
  return true;
}

void ChunkedPayload::take_chunk(std::string& out) {
  const auto data = std::string_view(pending_).substr(0, size_);
  if (std::string_view(pending_).substr(size_, 2) != "\r\n")
    throw ChunkError("a chunk does not end where it said");
  const auto text =
      fmt::format("{}{}\n{}\n{}", prefix_, previous_, kEmptyPayloadHash, core::sha256_hex(data));
  if (!core::equal_in_constant_time(sign_text(signing_key_, text), expected_)) {
    throw ChunkError("a chunk's signature does not match");
  }
  out += data;
  finished_ = size_ == 0;
  previous_ = std::move(expected_);
  in_chunk_ = false;
  pending_.erase(0, size_ + 2);
}

}  // namespace sampan::aws
