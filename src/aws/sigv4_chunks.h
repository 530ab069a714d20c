// The body of a request whose x-amz-content-sha256 is STREAMING-AWS4-HMAC-SHA256-PAYLOAD: pieces of
// "SIZE;chunk-signature=HEX\r\n" + bytes + "\r\n", each signed over the one before, an empty one last.
//
// Bytes are handed on only when their chunk's signature was right; a chunk is held in memory until then. No
// service of ours streams today: this is for the first that does.
#pragma once

#include <string>
#include <string_view>

#include "aws/sigv4.h"

namespace sampan::aws {

class ChunkError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ChunkedPayload {
 public:
  static constexpr std::size_t kMaxChunk = 16 * 1024 * 1024;

  // `seed` is the signature in the Authorization header, which must have been verified.
  ChunkedPayload(std::string signing_key, const CredentialScope& scope, std::string_view amz_date,
                 std::string seed);

  // Takes bytes as they come, cut anywhere; appends what is proven to `out`. Throws ChunkError.
  void feed(std::string_view bytes, std::string& out);
  // The last, empty chunk was seen. A body that ends before it is incomplete.
  bool finished() const { return finished_; }

 private:
  bool take_header();
  void take_chunk(std::string& out);

  std::string signing_key_;
  std::string prefix_;    // what every chunk's text to sign begins with
  std::string previous_;  // signature
  std::string pending_;   // bytes not understood yet
  std::string expected_;  // this chunk's signature, when its header was read
  std::size_t size_ = 0;
  bool in_chunk_ = false;
  bool finished_ = false;
};

}  // namespace sampan::aws
