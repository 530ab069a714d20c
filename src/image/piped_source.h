// Reads a source on a thread of its own, a few buffers ahead, so that decompressing and hashing one piece of
// an archive overlaps with writing the files of the piece before.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "image/bytes.h"

namespace sampan::image {

class PipedSource {
 public:
  // `source` must outlive this and is read by the thread alone. At most `limit` bytes: beyond is an error.
  PipedSource(ByteSource& source, std::uint64_t limit,
              core::HashAlgorithm algorithm = core::HashAlgorithm::kSha256);
  ~PipedSource();
  // The next piece, empty at the end; valid until the next call. Throws what reading threw.
  std::span<const char> next();
  // Reads on to the end and gives the hash of everything, in hex.
  std::string finish_hex();

 private:
  void run();
  bool offer(std::vector<char> piece);

  ByteSource& source_;
  std::uint64_t limit_;
  core::Hasher hash_;  // the thread's until it has ended
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::vector<char>> ready_;
  std::vector<char> current_;
  std::exception_ptr failure_;
  bool ended_ = false;
  bool abandoned_ = false;
  std::thread thread_;
};

}  // namespace sampan::image
