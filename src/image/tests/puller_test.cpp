// Pulling from and pushing to a registry that asks for a login, breaks off and lies.
#include "image/puller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <mutex>
#include <random>
#include <thread>

#include "core/encoding.h"
#include "http/client.h"
#include "http/server.h"
#include "image/layer_writer.h"

namespace sampan::image {
namespace {

using ::testing::HasSubstr;

// Owns no host; knows no image.
class EmptyCatalog final : public Catalog {
 public:
  bool owns(std::string_view host) const override { return host.empty(); }
  std::optional<Digest> resolve(const Registry&, const Reference&) const override { return known; }
  boost::asio::awaitable<void> tag(const Registry&, const std::string&, const std::string&,
                                   const Digest&) override {
    co_return;
  }
  std::optional<Digest> known;
};

class Puller : public ::testing::Test {
 protected:
  void SetUp() override {
    server.listen("127.0.0.1", 0);
    host = "127.0.0.1:" + std::to_string(server.port());
    images.emplace(executors, content, layers, catalog, network, host);
    thread = std::thread([this] { executors.run(); });
    LayerEntry file;
    file.path = "hello";
    std::mt19937 random(11);
    for (int i = 0; i < 300000; ++i) file.bytes += static_cast<char>(random());
    ImageConfig config;
    config.cmd = {"/hello"};
    std::vector<LayerDescriptor> made;
    made.push_back(write_layer({file}, remote));
    image = store_image(remote, config, made);
  }
  void TearDown() override {
    wait(server.stop(std::chrono::milliseconds(1000)));
    executors.stop();
    thread.join();
  }
  template <class T>
  T wait(io::Awaitable<T> work) {
    return boost::asio::co_spawn(executors.net(), std::move(work), boost::asio::use_future).get();
  }
  Image pull(const std::string& name, PullOptions options = {}) {
    return wait(images->ensure({"000000000000", "us-east-1"}, *Reference::parse(name), options));
  }
  std::string error_of(const std::string& name) {
    try {
      pull(name);
    } catch (const core::Error& error) {
      return error.what();
    }
    return "no error";
  }

  io::Awaitable<http::Response> serve(http::Request& request, http::BodyReader& body) {
    const std::string path(request.raw_path());
    if (path == "/token") co_return give_token(request);
    if (needs_login && request.headers.get("Authorization") != "Bearer t0ken") {
      auto refused = http::Response::text(401, "{}", "application/json");
      refused.headers.set("WWW-Authenticate",
                          "Bearer realm=\"http://" + host + "/token\",service=\"here\",scope=\"x\"");
      co_return refused;
    }
    if (request.method == "POST") {
      http::Response started;
      started.status = 202;
      started.headers.set("Location", "/v2/team/app/upload?state=1");
      co_return started;
    }
    if (request.method == "PUT") co_return take(request, path, co_await body.read_all(1 << 26));
    if (path.find("/manifests/") != std::string::npos) co_return send_manifest(path);
    co_return send_blob(request, path);
  }
  http::Response give_token(const http::Request& request) {
    token_query = request.raw_query();
    token_login = request.headers.get("Authorization");
    return http::Response::text(200, R"({"token":"t0ken"})", "application/json");
  }
  http::Response send_manifest(const std::string& path) {
    {
      const std::lock_guard lock(mutex);
      asked.push_back(path);
    }
    if (path.find("/team/app/") == std::string::npos && path.find("/library/app/") == std::string::npos) {
      return http::Response::text(404, "{}", "application/json");
    }
    return http::Response::text(200, remote.read(image->manifest, kLargestManifest), kOciManifest);
  }
  http::Response send_blob(const http::Request& request, const std::string& path) {
    const auto digest = Digest::parse(path.substr(path.rfind('/') + 1));
    if (!digest || !remote.has(*digest)) return http::Response::text(404, "{}", "application/json");
    const auto is_sent = [this, &digest] {
      const std::lock_guard lock(mutex);
      return sent.contains(*digest);
    };
    if (request.method == "HEAD") return http::Response::text(is_sent() ? 200 : 404, "", "text/plain");
    ++blob_requests;
    auto bytes = remote.read(*digest, 1 << 26);
    std::size_t from = 0;
    if (const auto range = request.headers.get("Range"); !range.empty()) {
      from = std::stoul(std::string(range.substr(6)));
      const std::lock_guard lock(mutex);
      ranges.push_back(from);
    }
    http::Response response =
        http::Response::text(from > 0 ? 206 : 200, bytes.substr(from), "application/octet-stream");
    if (from > 0) {
      response.headers.set("Content-Range", "bytes " + std::to_string(from) + '-' +
                                                std::to_string(bytes.size() - 1) + '/' +
                                                std::to_string(bytes.size()));
    }
    if (lies) std::get<std::string>(response.body)[0] ^= 1;
    if (breaks > 0 && bytes.size() > 100000) {
      --breaks;
      std::get<std::string>(response.body) = bytes.substr(from, (bytes.size() - from) / 2);
    }
    return response;
  }
  http::Response take(const http::Request& request, const std::string& path, std::string bytes) {
    http::Response response;
    response.status = 201;
    const std::lock_guard lock(mutex);
    if (path.find("/manifests/") != std::string::npos) {
      pushed_manifest = path + ' ' + Digest::of(bytes).str();
    } else {
      const auto query = http::parse_query(request.raw_query());
      EXPECT_EQ(query.back().second, Digest::of(bytes).str());
      sent.insert(Digest::of(bytes));
    }
    return response;
  }

  io::TemporaryDirectory scratch;
  io::Executors executors;
  ContentStore remote{scratch.path() / "remote"};
  ContentStore content{scratch.path() / "here"};
  LayerStore layers{scratch.path() / "here", content};
  EmptyCatalog catalog;
  http::Server server{executors, [this](http::Request& r, http::BodyReader& b) { return serve(r, b); }};
  std::string host;
  RegistryNetwork network;
  std::optional<Images> images;
  std::thread thread;
  std::optional<Image> image;

  std::mutex mutex;  // requests are served on several threads
  bool needs_login = false;
  bool lies = false;
  std::atomic<int> breaks = 0;
  std::atomic<int> blob_requests = 0;
  std::string token_query;
  std::string token_login;
  std::vector<std::string> asked;
  std::vector<std::size_t> ranges;
  std::set<Digest> sent;
  std::string pushed_manifest;
};

TEST_F(Puller, PullsFromTheRegistryThatTheNameSays) {
  const auto pulled = pull(host + "/team/app:1");
  EXPECT_EQ(pulled.manifest, image->manifest);
  EXPECT_EQ(pulled.layers, image->layers);
  EXPECT_EQ(pulled.config.cmd, std::vector<std::string>{"/hello"});
  const auto paths = wait(images->ensure_unpacked(pulled));
  ASSERT_EQ(paths.size(), 1u);
  EXPECT_TRUE(std::filesystem::exists(paths[0] / "hello"));
  const auto before = blob_requests.load();
  pull(host + "/team/app:1");
  EXPECT_EQ(blob_requests, before);
}

TEST_F(Puller, AsksTheDefaultRegistryForNamesWithoutAHost) {
  pull("app:1");
  EXPECT_EQ(asked.at(0), "/v2/library/app/manifests/1");
}

TEST_F(Puller, PrefersTheOwnCatalog) {
  const std::vector<LayerDescriptor> none;
  catalog.known = store_image(content, {}, none).manifest;
  EXPECT_EQ(pull("app:1").manifest, *catalog.known);
  EXPECT_TRUE(asked.empty());
}

TEST_F(Puller, NamesAllThatWasTried) {
  const auto error = error_of("no/such:7");
  EXPECT_THAT(error, HasSubstr("find image no/such:7"));
  EXPECT_THAT(error, HasSubstr("no image no/such:7 in this Sampan's registry"));
  EXPECT_THAT(error, HasSubstr("get 7 of no/such from registry " + host));
}

TEST_F(Puller, LogsInWithATokenAndItsPassword) {
  needs_login = true;
  PullOptions options;
  options.login = RegistryLogin{"me", "secret"};
  pull(host + "/team/app:1", options);
  EXPECT_THAT(token_query, HasSubstr("service=here"));
  EXPECT_THAT(token_query, HasSubstr("scope=repository%3Ateam%2Fapp%3Apull"));
  EXPECT_EQ(token_login, "Basic " + core::to_base64("me:secret"));
}

TEST_F(Puller, RefusesContentThatIsNotWhatItsNameSays) {
  lies = true;
  EXPECT_THAT(error_of(host + "/team/app:1"), HasSubstr("its digest is"));
  EXPECT_FALSE(content.has(image->layers[0].digest));
  EXPECT_TRUE(std::filesystem::is_empty(content.incoming()));
}

TEST_F(Puller, TakesUpWhatBrokeOff) {
  breaks = 2;
  EXPECT_EQ(pull(host + "/team/app:1").layers, image->layers);
  ASSERT_EQ(ranges.size(), 2u);
  EXPECT_GT(ranges[1], ranges[0]);
}

TEST_F(Puller, ConcurrentPullsShareTheTransfer) {
  std::vector<std::future<Image>> pulls;
  for (int i = 0; i < 8; ++i) {
    pulls.push_back(boost::asio::co_spawn(
        executors.net(),
        images->ensure({"000000000000", "us-east-1"}, *Reference::parse(host + "/team/app:1")),
        boost::asio::use_future));
  }
  for (auto& one : pulls) EXPECT_EQ(one.get().manifest, image->manifest);
  EXPECT_EQ(blob_requests, 2);
}

TEST_F(Puller, PushesWhatTheOtherSideHasNot) {
  pull(host + "/team/app:1");
  wait(images->push(image->manifest, *Reference::parse(host + "/team/app:2")));
  EXPECT_EQ(sent, (std::set<Digest>{image->layers[0].digest, image->config_digest}));
  EXPECT_EQ(pushed_manifest, "/v2/team/app/manifests/2 " + image->manifest.str());
}

TEST_F(Puller, UnpacksInTheBackgroundWhatWasPushed) {
  pull(host + "/team/app:1");
  EXPECT_FALSE(layers.find(image->layers[0].diff_id));
  images->place_later(image->manifest);
  for (int i = 0; i < 1000 && !layers.find(image->layers[0].diff_id); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(layers.find(image->layers[0].diff_id));
}

}  // namespace
}  // namespace sampan::image
