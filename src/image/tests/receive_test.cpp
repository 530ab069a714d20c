#include "image/receive.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <random>
#include <thread>

#include "image/piece_pool.h"

namespace sampan::image {
namespace {

// Gives `bytes` in uneven portions, then ends or breaks off.
class Body final : public http::BodyReader {
 public:
  Body(std::string bytes, std::size_t portion, bool breaks = false)
      : bytes_(std::move(bytes)), portion_(portion), breaks_(breaks) {}
  io::Awaitable<std::size_t> read_some(std::span<char> buffer) override {
    const auto count = std::min({buffer.size(), bytes_.size() - at_, portion_ + at_ % 7});
    if (count == 0 && breaks_) throw http::BodyError("the peer closed before the body's end");
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), count, buffer.begin());
    at_ += count;
    // Now and then as from a socket: after other work.
    if (at_ % 3 == 0) co_await io::asio::post(io::asio::use_awaitable);
    co_return count;
  }

 private:
  std::string bytes_;
  std::size_t portion_;
  bool breaks_;
  std::size_t at_ = 0;
};

std::string random_bytes(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i + 4 <= size; i += 4) {
    const auto word = static_cast<std::uint32_t>(random());
    std::memcpy(bytes.data() + i, &word, 4);
  }
  return bytes;
}

class ReceiveTest : public testing::Test {
 protected:
  ReceiveTest() : thread_([this] { executors_.run(); }) {}
  ~ReceiveTest() override {
    executors_.stop();
    thread_.join();
  }
  std::future<std::uint64_t> start(Body& body, BlobWriter& writer, std::uint64_t most = 1ull << 40) {
    return io::asio::co_spawn(executors_.net(), receive_blob(executors_, body, writer, most),
                              io::asio::use_future);
  }

  io::TemporaryDirectory scratch_;
  ContentStore content_{scratch_.path()};
  io::Executors executors_;
  std::thread thread_;
};

TEST_F(ReceiveTest, BodiesOfEverySizeAroundAPieceArriveWhole) {
  const auto piece = PiecePool::kPiece;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, piece - 1, piece,
                                 piece + 1, 3 * piece, 16 * piece, 16 * piece + 17, 40 * piece + 4096}) {
    const auto bytes = random_bytes(size, static_cast<std::uint32_t>(size));
    Body body(bytes, 60'001);
    auto writer = content_.writer();
    EXPECT_EQ(start(body, writer).get(), size);
    const auto digest = writer.finish(Digest::of(bytes));
    EXPECT_EQ(content_.read(digest, size), bytes);
  }
}

TEST_F(ReceiveTest, GoesOnAfterAnEarlierPart) {
  const auto first = random_bytes(300'001, 1);
  const auto second = random_bytes(2'000'003, 2);
  auto writer = content_.writer(io::Durability::kFlushed, core::HashAlgorithm::kSha512);
  Body one(first, 1 << 20);
  Body two(second, 1 << 20);
  EXPECT_EQ(start(one, writer).get(), first.size());
  EXPECT_EQ(writer.size(), first.size());
  EXPECT_EQ(start(two, writer).get(), second.size());
  const auto digest = writer.finish(Digest::of(first + second, core::HashAlgorithm::kSha512));
  EXPECT_EQ(content_.read(digest, 1 << 22), first + second);
}

TEST_F(ReceiveTest, ABodyThatBreaksOffLeavesWhatCame) {
  const auto bytes = random_bytes(1'000'001, 3);
  Body body(bytes, 100'000, true);
  auto writer = content_.writer();
  EXPECT_THROW(start(body, writer).get(), http::BodyError);
  EXPECT_EQ(writer.size(), bytes.size());
  EXPECT_EQ(writer.finish(), Digest::of(bytes));
}

TEST_F(ReceiveTest, TakesNoMoreThanAllowed) {
  const auto bytes = random_bytes(700'000, 4);
  Body at_the_limit(bytes, 1 << 20);
  auto writer = content_.writer();
  EXPECT_EQ(start(at_the_limit, writer, bytes.size()).get(), bytes.size());
  Body beyond(bytes, 1 << 20);
  auto other = content_.writer();
  EXPECT_THROW(start(beyond, other, bytes.size() - 1).get(), http::BodyTooLarge);
}

TEST_F(ReceiveTest, ManyAtOnceShareABoundedPool) {
  constexpr int kUploads = 150;  // more than there are large pieces for
  const auto bytes = random_bytes(900'000, 5);
  std::vector<std::unique_ptr<Body>> bodies;
  std::vector<BlobWriter> writers;
  std::vector<std::future<std::uint64_t>> done;
  writers.reserve(kUploads);
  for (int i = 0; i < kUploads; ++i) {
    bodies.push_back(std::make_unique<Body>(bytes, 10'000 + static_cast<std::size_t>(i)));
    writers.push_back(content_.writer(io::Durability::kProcessCrash));
    done.push_back(start(*bodies.back(), writers.back()));
  }
  for (auto& one : done) EXPECT_EQ(one.get(), bytes.size());
  for (auto& writer : writers) EXPECT_EQ(writer.finish(), Digest::of(bytes));
}

TEST(PiecePool, GivesSmallPiecesWhenTheLargeOnesAreOut) {
  PiecePool pool;
  std::vector<PiecePool::Piece> out;
  for (std::size_t i = 0; i < PiecePool::kPieces; ++i) {
    out.push_back(pool.take());
    ASSERT_EQ(out.back()->bytes().size(), PiecePool::kPiece);
  }
  auto small = pool.take();
  EXPECT_EQ(small->bytes().size(), PiecePool::kSmallPiece);
  pool.give_back(std::move(small));
  EXPECT_EQ(pool.large_out(), PiecePool::kPieces);
  for (auto& piece : out) pool.give_back(std::move(piece));
  EXPECT_EQ(pool.large_out(), 0u);
  EXPECT_EQ(pool.take()->bytes().size(), PiecePool::kPiece);
}

TEST(PiecePool, OneUploadGetsManyAndManyGetTwoEach) {
  EXPECT_EQ(PiecePool::share(1), 16u);
  EXPECT_EQ(PiecePool::share(50), 2u);
  EXPECT_EQ(PiecePool::share(10'000), 2u);
}

}  // namespace
}  // namespace sampan::image
