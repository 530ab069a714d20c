// Another registry for the pull-through cache's tests: what it has, counts of what it was asked, and ways to
// fail. In-process, on a free port of this machine.
#pragma once

#include <mutex>

#include "core/encoding.h"
#include "ecr/tests/world.h"

namespace sampan::ecr {

class FakeUpstream {
 public:
  explicit FakeUpstream(io::Executors& executors)
      : executors_(executors),
        server_(executors, [this](http::Request& request, http::BodyReader&) { return serve(request); }) {
    server_.listen("127.0.0.1", 0);
    host = "127.0.0.1:" + std::to_string(server_.port());
  }

  // What is still fetched in the background ends with a connection that is refused.
  ~FakeUpstream() {
    boost::asio::co_spawn(executors_.net(), server_.stop(std::chrono::milliseconds(1000)),
                          boost::asio::use_future)
        .get();
  }

  struct Made {
    std::string manifest;
    std::string digest;
    std::string layer;
    std::string layer_digest;
  };
  // An image of one layer under a tag of `repository`.
  Made add_image(const std::string& repository, const std::string& tag, const std::string& seed) {
    const auto config = R"({"os":"linux","architecture":"amd64","seed":")" + seed.substr(0, 40) + "\"}";
    Made made;
    made.layer = seed;
    made.layer_digest = add_blob(seed);
    add_blob(config);
    made.manifest =
        R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
        World::descriptor(config, image::kOciConfig) + R"(,"layers":[)" +
        World::descriptor(seed, image::kLayerGzip) + "]}";
    made.digest = add_manifest(repository, tag, made.manifest, image::kOciManifest);
    return made;
  }
  std::string add_blob(const std::string& bytes) {
    const std::lock_guard lock(mutex);
    const auto digest = image::Digest::of(bytes).str();
    blobs[digest] = bytes;
    return digest;
  }
  std::string add_manifest(const std::string& repository, const std::string& tag, const std::string& bytes,
                           const std::string& type) {
    const std::lock_guard lock(mutex);
    const auto digest = image::Digest::of(bytes).str();
    manifests[repository + "@" + digest] = {bytes, type};
    if (!tag.empty()) tags[repository + ":" + tag] = digest;
    return digest;
  }
  int asked(const std::string& what) const {  // "GET manifests", "HEAD blobs", "GET token"
    const std::lock_guard lock(mutex);
    const auto found = counts.find(what);
    return found == counts.end() ? 0 : found->second;
  }
  void stop() { failing = 503; }

  std::string host;
  std::atomic<int> failing{0};          // every answer has this status
  std::string retry_after;              // with it
  std::string user, password;           // asks for a token with these, when set
  std::atomic<bool> lies{false};        // a byte of each blob is another
  std::atomic<bool> is_long{false};     // each blob is longer than it should be
  std::atomic<bool> wrong_name{false};  // Docker-Content-Digest names something else
  std::atomic<int> cuts{0};             // so many blobs are cut half-way
  std::string redirect_to;              // where blobs are, when set
  std::atomic<int> delay_ms{0};         // before each blob

  std::map<std::string, std::pair<std::string, std::string>> manifests;  // "repository@digest"
  std::map<std::string, std::string> tags;                               // "repository:tag"
  std::map<std::string, std::string> blobs;
  std::map<std::string, int> counts;
  std::vector<std::string> via;
  mutable std::mutex mutex;

 private:
  static http::Response refuse(int status, const std::string& code) {
    return http::Response::text(status, R"({"errors":[{"code":")" + code + R"(","message":"no"}]})",
                                "application/json");
  }

  io::Awaitable<http::Response> serve(http::Request& request) {
    const std::string path(request.raw_path());
    const bool blob = path.find("/blobs/") != std::string::npos;
    {
      const std::lock_guard lock(mutex);
      const auto kind = path == "/token" ? "token" : blob ? "blobs" : path == "/v2/" ? "base" : "manifests";
      ++counts[request.method + ' ' + kind];
      via.emplace_back(request.headers.get("Via"));
    }
    if (failing != 0) {
      auto answer = refuse(failing, "UNAVAILABLE");
      if (!retry_after.empty()) answer.headers.set("Retry-After", retry_after);
      co_return answer;
    }
    if (path == "/token") co_return give_token(request);
    if (!user.empty() && request.headers.get("Authorization") != "Bearer good") {
      auto answer = refuse(401, "UNAUTHORIZED");
      answer.headers.set("WWW-Authenticate", "Bearer realm=\"http://" + host + "/token\",service=\"up\"");
      co_return answer;
    }
    if (path == "/v2/") co_return http::Response::text(200, "{}", "application/json");
    if (blob && delay_ms > 0) co_await io::sleep_for(std::chrono::milliseconds(delay_ms.load()));
    co_return blob ? send_blob(request, path) : send_manifest(request, path);
  }

  http::Response give_token(const http::Request& request) {
    const auto wanted = "Basic " + core::to_base64(user + ':' + password);
    if (request.headers.get("Authorization") != wanted) return refuse(401, "UNAUTHORIZED");
    return http::Response::text(200, R"({"access_token":"good","expires_in":300})", "application/json");
  }

  http::Response send_manifest(const http::Request& request, const std::string& path) {
    const auto at = path.find("/manifests/");
    const auto repository = path.substr(4, at - 4);
    auto reference = path.substr(at + 11);
    const std::lock_guard lock(mutex);
    if (const auto tag = tags.find(repository + ':' + reference); tag != tags.end()) reference = tag->second;
    const auto found = manifests.find(repository + '@' + reference);
    if (found == manifests.end()) return refuse(404, "MANIFEST_UNKNOWN");
    auto answer = http::Response::text(200, found->second.first, found->second.second);
    answer.headers.set("Docker-Content-Digest", wrong_name ? image::Digest::of("else").str() : reference);
    if (request.method == "HEAD") {
      answer.head_length = found->second.first.size();
      answer.body = std::string();
    }
    return answer;
  }

  http::Response send_blob(const http::Request& request, const std::string& path) {
    const auto digest = path.substr(path.rfind('/') + 1);
    const std::lock_guard lock(mutex);
    const auto found = blobs.find(digest);
    if (found == blobs.end()) return refuse(404, "BLOB_UNKNOWN");
    if (!redirect_to.empty() && request.method == "GET") {
      http::Response answer;
      answer.status = 307;
      answer.headers.set("Location", redirect_to);
      return answer;
    }
    auto bytes = found->second;
    if (lies) bytes[0] ^= 1;
    if (is_long) bytes += "more";
    std::size_t from = 0;
    if (const auto range = request.headers.get("Range"); !range.empty())
      from = std::stoul(std::string(range.substr(6)));
    auto answer = http::Response::text(from > 0 ? 206 : 200, bytes.substr(from), "application/octet-stream");
    if (from > 0) {
      answer.headers.set("Content-Range", "bytes " + std::to_string(from) + "-" +
                                              std::to_string(bytes.size() - 1) + "/" +
                                              std::to_string(bytes.size()));
    }
    if (cuts > 0 && request.method == "GET") {
      --cuts;
      answer.body = bytes.substr(from, (bytes.size() - from) / 2);
    }
    if (request.method == "HEAD") {
      answer.head_length = bytes.size();
      answer.body = std::string();
    }
    return answer;
  }

  io::Executors& executors_;
  http::Server server_;
};

}  // namespace sampan::ecr
