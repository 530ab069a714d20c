// Compresses a stream into one gzip member on several threads, into a blob. Pieces of a fixed size are
// deflated apart and joined (each ends on a byte border), so the bytes do not depend on how many threads
// there are. Not thread-safe itself. Blocking.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <future>
#include <span>
#include <vector>

#include "image/content_store.h"

namespace sampan::image {

class GzipWriter {
 public:
  GzipWriter(BlobWriter& blob, int level);  // 0 to 3; `blob` must outlive this
  void write(std::span<const char> bytes);
  // The last piece and the trailer. Once.
  void finish();

 private:
  void submit();
  void collect_one();

  BlobWriter& blob_;
  int level_;
  boost::asio::thread_pool workers_;
  std::deque<std::future<std::vector<char>>> pieces_;  // in order
  std::size_t most_pieces_;
  std::vector<char> filling_;
  std::uint32_t crc_ = 0;
  std::uint32_t length_ = 0;  // modulo 2^32, as gzip has it
};

}  // namespace sampan::image
