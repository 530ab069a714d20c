// bench_registry_data STATE.DB IMAGES TAGS REPOSITORIES: writes the rows of a large registry, for measuring a
// start with it. Half of the images are in the repository "large", the others in "team-N/app".
//
// The rows are those that pushes would have made, through the store itself; there are no blobs behind them.
#include <fmt/core.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <charconv>
#include <cstring>

#include "ecr/names.h"
#include "ecr/rows.h"
#include "image/manifest.h"
#include "store/sqlite_store.h"

namespace sampan {
namespace {

struct Shape {
  std::string file;
  std::size_t images = 0;
  std::size_t tags = 0;
  std::size_t repositories = 0;
};

constexpr std::size_t kLayersOfItsOwn = 2;
constexpr std::size_t kSharedLayers = 4;
constexpr std::size_t kWritesATransaction = 900;
constexpr core::TimePoint kPushed{core::Millis(1'750'000'000'000)};

class Filler {
 public:
  Filler(store::Store& store, Shape shape) : store_(store), shape_(std::move(shape)) {}

  boost::asio::awaitable<void> run() {
    for (std::size_t number = 0; number < shape_.repositories; ++number) co_await add_repository(number);
    for (std::size_t number = 0; number < shape_.images; ++number) co_await add_image(number);
    co_await write();
  }

 private:
  ecr::RepositoryId repository(std::size_t number) const {
    return {"000000000000", "us-east-1", number == 0 ? "large" : fmt::format("team-{}/app", number)};
  }

  boost::asio::awaitable<void> add_repository(std::size_t number) {
    ecr::RepositoryRow row;
    row.created_at = kPushed;
    const auto id = repository(number);
    put("/ecr/repositories/" + id.key(), row);
    for (std::size_t i = 0; i < kSharedLayers; ++i) put_blob(id, shared_layer(number, i));
    co_await write_if_many();
  }

  boost::asio::awaitable<void> add_image(std::size_t number) {
    const std::size_t others = shape_.repositories - 1;
    const std::size_t home = number % 2 == 0 || others == 0 ? 0 : 1 + (number / 2) % others;
    const auto id = repository(home);
    ecr::ImageRow row;
    row.media_type = image::kOciManifest;
    row.size = 50'000'000 + number;
    row.pushed_at = kPushed + core::Millis(number * 1000);
    const std::size_t first = number * shape_.tags / shape_.images;
    const std::size_t end = (number + 1) * shape_.tags / shape_.images;
    for (auto tag = first; tag < end; ++tag) row.tags.push_back(tag_name(number, tag - first));
    std::sort(row.tags.begin(), row.tags.end());
    row.blobs.push_back(image::Digest::of(fmt::format("config {}", number)));
    for (std::size_t i = 0; i < kSharedLayers; ++i) row.blobs.push_back(shared_layer(home, i));
    for (std::size_t i = 0; i < kLayersOfItsOwn; ++i) {
      row.blobs.push_back(image::Digest::of(fmt::format("layer {} {}", number, i)));
    }
    put_blob(id, row.blobs.front());
    for (std::size_t i = 1 + kSharedLayers; i < row.blobs.size(); ++i) put_blob(id, row.blobs[i]);
    put("/ecr/images/" + id.image_key(image::Digest::of(fmt::format("manifest {}", number))), row);
    co_await write_if_many();
  }

  // As people name them: releases, builds, commits.
  static std::string tag_name(std::size_t image, std::size_t number) {
    if (number == 0) return fmt::format("v{}.{}.{}", image / 1000, image / 10 % 100, image % 10);
    if (number == 1) return image::Digest::of(fmt::format("commit {}", image)).str().substr(7, 40);
    if (number == 2) return fmt::format("build-{}", image);
    return fmt::format("main-2026{:02}{:02}-{}.{}", image % 12 + 1, image % 28 + 1, image, number);
  }
  static image::Digest shared_layer(std::size_t repository, std::size_t number) {
    return image::Digest::of(fmt::format("base {} {}", repository, number));
  }

  void put_blob(const ecr::RepositoryId& id, const image::Digest& digest) {
    put("/ecr/blobs/" + id.image_key(digest), ecr::BlobRow{kPushed});
  }
  template <class Row>
  void put(std::string key, const Row& row) {
    transaction_.writes.push_back({std::move(key), store::RowCodec<Row>::encode(row)});
  }
  boost::asio::awaitable<void> write_if_many() {
    if (transaction_.writes.size() >= kWritesATransaction) co_await write();
  }
  boost::asio::awaitable<void> write() { co_await store_.commit(std::exchange(transaction_, {})); }

  store::Store& store_;
  Shape shape_;
  store::Transaction transaction_;
};

std::optional<std::size_t> parse_count(const char* text) {
  std::size_t count = 0;
  const auto* end = text + std::strlen(text);
  const auto [at, error] = std::from_chars(text, end, count);
  if (error != std::errc() || at != end || count == 0) return std::nullopt;
  return count;
}

int fill(int argc, char** argv) {
  const auto images = argc == 5 ? parse_count(argv[2]) : std::nullopt;
  const auto tags = argc == 5 ? parse_count(argv[3]) : std::nullopt;
  const auto repositories = argc == 5 ? parse_count(argv[4]) : std::nullopt;
  if (!images || !tags || !repositories) {
    fmt::print(stderr, "usage: bench_registry_data STATE.DB IMAGES TAGS REPOSITORIES\n");
    return 2;
  }
  boost::asio::io_context context(1);
  const auto store = store::open_sqlite_store(argv[1], boost::asio::make_strand(context));
  Filler filler(*store, {argv[1], *images, *tags, *repositories});
  std::exception_ptr failure;
  boost::asio::co_spawn(context, filler.run(), [&](std::exception_ptr error) { failure = error; });
  context.run();
  if (failure) std::rethrow_exception(failure);
  return 0;
}

}  // namespace
}  // namespace sampan

int main(int argc, char** argv) {
  try {
    return sampan::fill(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_registry_data: {}\n", error.what());
    return 1;
  }
}
