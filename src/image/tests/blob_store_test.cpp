// One contract, two engines: a directory, and S3 as tests/s3/server.mjs speaks it (a process of another
// language that checks every signature and hash itself; every seventh request is refused as busy).
#include "image/blob_store.h"

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <boost/asio/use_future.hpp>
#include <csignal>
#include <thread>

#include "core/error.h"
#include "http/client.h"
#include "image/file_blob_store.h"
#include "image/s3_blob_store.h"
#include "io/file.h"
#include "io/subprocess.h"

extern char** environ;

namespace sampan::image {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// The server, for as long as the object lives.
class S3Server {
 public:
  explicit S3Server(const fs::path& scratch) {
    const auto port_file = (scratch / "port").string();
    const auto node = io::find_program("node");
    if (!node) return;
    std::vector<std::string> words{
        *node, "tests/s3/server.mjs", "--port-file", port_file, "--page", "2", "--fail", "7"};
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (::posix_spawn(&pid_, argv[0], nullptr, nullptr, argv.data(), environ) != 0) pid_ = 0;
    for (int i = 0; i < 2000 && port_.empty() && pid_ != 0; ++i) {
      port_ = io::read_file_if_exists(port_file, 16).value_or("");
      if (port_.empty()) std::this_thread::sleep_for(5ms);
    }
  }
  ~S3Server() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  const std::string& port() const { return port_; }

 private:
  pid_t pid_ = 0;
  std::string port_;
};

enum class Engine { kDirectory, kS3 };

struct BlobStoreContract : ::testing::TestWithParam<Engine> {
  void SetUp() override {
    thread = std::thread([this] { executors.run(); });
    if (GetParam() == Engine::kDirectory) {
      store = std::make_unique<FileBlobStore>(executors, scratch.path() / "store");
      return;
    }
    server = std::make_unique<S3Server>(scratch.path());
    if (server->port().empty()) GTEST_SKIP() << "node is not installed";
    auto place = parse_s3_place("s3://blobs/team/a?region=eu-test-1&part=5242880&endpoint=http://127.0.0.1:" +
                                server->port());
    place.credentials = {"AKIATESTS3", "s3-secret", ""};
    store = std::make_unique<S3BlobStore>(executors, clock, place);
  }
  void TearDown() override {
    store.reset();
    executors.stop();
    thread.join();
  }
  template <class T>
  T wait(io::Awaitable<T> work) {
    return boost::asio::co_spawn(executors.net(), std::move(work), boost::asio::use_future).get();
  }
  Digest put(const std::string& bytes) {
    const auto file = scratch.path() / "to-put";
    io::replace_file(file, bytes, io::Durability::kProcessCrash);
    const auto digest = Digest::of(bytes);
    wait(store->put(digest, file));
    return digest;
  }
  std::string get(const Digest& digest, std::uint64_t offset = 0, std::uint64_t length = ~std::uint64_t{0}) {
    std::string all;
    wait(store->get(digest, offset, length, [&all](std::span<const char> piece) -> io::Awaitable<void> {
      all.append(piece.data(), piece.size());
      co_return;
    }));
    return all;
  }
  std::map<Digest, std::uint64_t> list() {
    std::map<Digest, std::uint64_t> all;
    wait(store->list([&](const BlobStore::Found& found) { all[found.digest] = found.size; }));
    return all;
  }

  io::TemporaryDirectory scratch;
  io::Executors executors;
  core::SystemClock clock;
  std::unique_ptr<S3Server> server;
  std::unique_ptr<BlobStore> store;
  std::thread thread;
};

TEST_P(BlobStoreContract, GivesBackWhatWasPut) {
  const auto digest = put("0123456789");
  EXPECT_EQ(wait(store->size(digest)), 10u);
  EXPECT_EQ(get(digest), "0123456789");
  EXPECT_EQ(get(digest, 3, 4), "3456");
  EXPECT_EQ(get(digest, 8, 100), "89");
  EXPECT_EQ(get(digest, 10, 5), "");
  EXPECT_EQ(put("0123456789"), digest) << "again";
  EXPECT_EQ(get(digest), "0123456789");
}

TEST_P(BlobStoreContract, SaysWhatIsNotThere) {
  const auto absent = Digest::of("absent");
  EXPECT_EQ(wait(store->size(absent)), std::nullopt);
  EXPECT_THROW(get(absent), core::Error);
  EXPECT_NO_THROW(wait(store->remove(absent)));
  EXPECT_THROW(wait(store->put(absent, scratch.path() / "no such file")), core::Error);
  EXPECT_EQ(wait(store->size(absent)), std::nullopt);
}

TEST_P(BlobStoreContract, HoldsAnEmptyBlob) {
  const auto digest = put("");
  EXPECT_EQ(wait(store->size(digest)), 0u);
  EXPECT_EQ(get(digest), "");
}

TEST_P(BlobStoreContract, HoldsABlobOfSeveralPartsToTheByte) {
  std::string bytes(12'000'001, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  const auto digest = put(bytes);
  EXPECT_EQ(wait(store->size(digest)), bytes.size());
  EXPECT_EQ(Digest::of(get(digest)), digest);
  EXPECT_EQ(get(digest, 5'242'878, 5), bytes.substr(5'242'878, 5)) << "across two parts";
  EXPECT_EQ(wait(store->sweep(clock.now() + 1h)), 0u) << "nothing is left under way";
}

TEST_P(BlobStoreContract, ListsAndRemoves) {
  std::map<Digest, std::uint64_t> all;
  for (const auto* text : {"a", "bb", "ccc", "dddd", "eeeee"}) all[put(text)] = std::string(text).size();
  EXPECT_EQ(list(), all);
  const auto gone = all.begin()->first;
  wait(store->remove(gone));
  EXPECT_EQ(wait(store->size(gone)), std::nullopt);
  all.erase(gone);
  EXPECT_EQ(list(), all);
}

TEST_P(BlobStoreContract, SeveralAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      const auto bytes = std::string(100'000, static_cast<char>('a' + i));
      const auto file = scratch.path() / ("put" + std::to_string(i));
      io::replace_file(file, bytes, io::Durability::kProcessCrash);
      wait(store->put(Digest::of(bytes), file));
      if (get(Digest::of(bytes)) == bytes) ++good;
    });
  }
  for (auto& each : threads) each.join();
  EXPECT_EQ(good, 6);
}

TEST_P(BlobStoreContract, ALinkOpensTheBlobToAnybody) {
  const auto digest = put("for everybody");
  const auto link = store->link(digest, 60s);
  if (GetParam() == Engine::kDirectory) {
    EXPECT_FALSE(link);
    return;
  }
  http::ClientRequest request;
  for (int i = 0; i < 3; ++i) {  // the server is busy now and then
    request.url = *link;
    const auto answer = wait(http::fetch(request));
    if (answer.status == 503) continue;
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.body, "for everybody");
    break;
  }
  request.url = *link + "0";
  const auto forged = wait(http::fetch(request)).status;
  EXPECT_TRUE(forged == 403 || forged == 503);
}

INSTANTIATE_TEST_SUITE_P(Engines, BlobStoreContract, ::testing::Values(Engine::kDirectory, Engine::kS3),
                         [](const auto& each) { return each.param == Engine::kS3 ? "S3" : "Directory"; });

TEST(S3Place, IsReadAndRefused) {
  const auto place = parse_s3_place("s3://bucket/some/prefix?endpoint=http://10.0.0.1:9000/&region=garage");
  EXPECT_EQ(place.bucket, "bucket");
  EXPECT_EQ(place.prefix, "some/prefix/");
  EXPECT_EQ(place.endpoint, "http://10.0.0.1:9000");
  EXPECT_EQ(place.region, "garage");
  EXPECT_EQ(parse_s3_place("s3://b?region=eu-west-1").endpoint, "https://s3.eu-west-1.amazonaws.com");
  for (const auto* bad : {"", "s3://", "s3:///x", "http://b", "s3://b/a b", "s3://b?part=1",
                          "s3://b?endpoint=ftp://x", "s3://b%2f"}) {
    EXPECT_THROW(parse_s3_place(bad), core::Error) << bad;
  }
}

}  // namespace
}  // namespace sampan::image
