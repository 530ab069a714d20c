// The client for other registries: what it makes of names, headers, addresses and failures.
#include "image/registry_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <thread>

#include "core/encoding.h"
#include "http/server.h"

namespace sampan::image {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

TEST(RegistryAddress, ReadsWhatPeopleWrite) {
  const auto url = [](std::string_view text) {
    const auto address = RegistryAddress::parse(text);
    return address ? address->base_url() : std::string("none");
  };
  EXPECT_EQ(url("quay.io"), "https://quay.io");
  EXPECT_EQ(url("Quay.IO:443"), "https://quay.io");
  EXPECT_EQ(url("https://mirror.example:8443/"), "https://mirror.example:8443");
  EXPECT_EQ(url("docker.io"), "https://registry-1.docker.io");
  EXPECT_EQ(url("index.docker.io"), "https://registry-1.docker.io");
  EXPECT_EQ(url("localhost:5000"), "http://localhost:5000");
  EXPECT_EQ(url("https://localhost:5000"), "https://localhost:5000");
  EXPECT_EQ(url("http://10.0.0.1:80"), "http://10.0.0.1");
  EXPECT_EQ(url("[::1]:5000"), "http://[::1]:5000");
  EXPECT_EQ(url("127.evil.example"), "https://127.evil.example");
  for (const auto* bad : {"", "a b", "user@host", "host/path", "host?x", "-a.b", "a..b", "host:0",
                          "host:70000", "host:", "host:1:2", "ftp://host", "http://", "[::1", "h\r\nx"}) {
    EXPECT_EQ(url(bad), "none") << bad;
  }
}

TEST(Reach, TellsHowNearAnAddressIs) {
  const std::vector<std::pair<const char*, Reach>> table = {
      {"8.8.8.8", Reach::kPublic},
      {"10.1.2.3", Reach::kPrivate},
      {"172.16.0.1", Reach::kPrivate},
      {"172.32.0.1", Reach::kPublic},
      {"192.168.1.1", Reach::kPrivate},
      {"100.64.0.1", Reach::kPrivate},
      {"127.0.0.1", Reach::kThisMachine},
      {"0.0.0.0", Reach::kThisMachine},
      {"169.254.169.254", Reach::kLinkLocal},
      {"224.0.0.1", Reach::kLinkLocal},
      {"255.255.255.255", Reach::kLinkLocal},
      {"::1", Reach::kThisMachine},
      {"::", Reach::kThisMachine},
      {"::ffff:127.0.0.1", Reach::kThisMachine},
      {"::ffff:169.254.169.254", Reach::kLinkLocal},
      {"64:ff9b::a9fe:a9fe", Reach::kLinkLocal},
      {"2002:7f00:1::", Reach::kThisMachine},
      {"fe80::1", Reach::kLinkLocal},
      {"fd00:ec2::254", Reach::kLinkLocal},
      {"fd12::1", Reach::kPrivate},
      {"ff02::1", Reach::kLinkLocal},
      {"2606:4700::1111", Reach::kPublic},
      {"::7f00:1", Reach::kThisMachine},
      {"nonsense", Reach::kLinkLocal},
  };
  for (const auto& [address, reach] : table) EXPECT_EQ(reach_of(address), reach) << address;
}

TEST(RegistryNetwork, LetsNobodySendUsNearerThanItIs) {
  const RegistryNetwork network({.insecure_hosts = {"plain.example", "nas:5000"}});
  const auto ask = [&network](const char* home, std::vector<std::pair<const char*, const char*>> calls) {
    const auto rule = network.rule_for(*RegistryAddress::parse(home));
    std::optional<std::string> last;
    for (const auto& [url, address] : calls) last = rule(http::parse_url(url), address);
    return last.value_or("");
  };
  EXPECT_EQ(ask("quay.io", {{"https://quay.io/v2/", "3.4.5.6"}, {"https://cdn.example/x", "5.6.7.8"}}), "");
  EXPECT_THAT(ask("quay.io", {{"https://quay.io/v2/", "3.4.5.6"}, {"https://in.example/x", "10.0.0.1"}}),
              HasSubstr("a private network"));
  EXPECT_THAT(ask("quay.io", {{"https://quay.io/v2/", "3.4.5.6"}, {"https://localhost/x", "127.0.0.1"}}),
              HasSubstr("this machine itself"));
  EXPECT_THAT(ask("quay.io", {{"https://quay.io/v2/", "169.254.169.254"}}), HasSubstr("link-local"));
  EXPECT_THAT(ask("quay.io", {{"https://quay.io/v2/", "3.4.5.6"}, {"http://cdn.example/x", "5.6.7.8"}}),
              HasSubstr("in the clear"));
  EXPECT_EQ(ask("reg.corp", {{"https://reg.corp/v2/", "10.0.0.1"}, {"https://s3.corp/x", "10.0.0.2"}}), "");
  EXPECT_THAT(ask("reg.corp", {{"https://reg.corp/v2/", "10.0.0.1"}, {"https://x.corp/x", "127.0.0.1"}}),
              HasSubstr("this machine itself"));
  EXPECT_EQ(ask("localhost:5000",
                {{"http://localhost:5000/", "127.0.0.1"}, {"http://localhost:9000/", "127.0.0.1"}}),
            "");
  EXPECT_THAT(ask("localhost:5000",
                  {{"http://localhost:5000/", "127.0.0.1"}, {"https://meta.example/", "169.254.1.1"}}),
              HasSubstr("link-local"));
  EXPECT_EQ(ask("quay.io", {{"http://plain.example/x", "127.0.0.1"}}), "");
  EXPECT_EQ(ask("quay.io", {{"http://nas:5000/x", "10.0.0.1"}}), "");
  EXPECT_NE(ask("quay.io", {{"http://nas:5001/x", "10.0.0.1"}}), "");
  EXPECT_THROW(RegistryNetwork({.insecure_hosts = {"a b"}}), core::Error);
  EXPECT_THROW(RegistryNetwork({.ca_file = "/nonexistent"}), core::Error);
}

TEST(RetryAfter, IsSecondsOrADate) {
  const std::chrono::sys_seconds now(seconds(784'111'777));  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(parse_retry_after("120", now), seconds(120));
  EXPECT_EQ(parse_retry_after(" 0 ", now), seconds(0));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), seconds(60));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), seconds(0));
  EXPECT_EQ(parse_retry_after("99999999999999999999", now), seconds(30LL * 24 * 3600));
  for (const auto* bad :
       {"", "soon", "-1", "1.5", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC"}) {
    EXPECT_FALSE(parse_retry_after(bad, now)) << bad;
  }
}

TEST(Retry, WaitsLongerEachTimeAndAsLongAsItIsTold) {
  using Kind = RegistryFailure::Kind;
  const Patience patience;
  const auto plan = [&](Kind kind, int tried, std::optional<seconds> wait = {}) {
    return plan_retry(RegistryFailure(kind, "x", "y", wait), tried, patience, 0);
  };
  EXPECT_EQ(plan(Kind::kUnavailable, 1), milliseconds(200));
  EXPECT_EQ(plan(Kind::kUnavailable, 3), milliseconds(800));
  EXPECT_FALSE(plan(Kind::kUnavailable, 5));
  EXPECT_FALSE(plan(Kind::kDenied, 1));
  EXPECT_FALSE(plan(Kind::kRefused, 1));
  EXPECT_FALSE(plan(Kind::kWrong, 1));
  EXPECT_EQ(plan(Kind::kTooManyRequests, 1, seconds(3)), milliseconds(3000));
  EXPECT_FALSE(plan(Kind::kTooManyRequests, 1, seconds(60)));
  EXPECT_EQ(plan_retry(RegistryFailure(Kind::kUnavailable, "x", "y"), 2, patience, 1), milliseconds(600));
  EXPECT_FALSE(plan_retry(RegistryFailure(Kind::kUnavailable, "x", "y"), 1, kAskOnce, 0));
}

TEST(Challenges, ReadsSeveralOfOneHeaderOrMany) {
  const auto found = parse_challenges(
      {R"(Negotiate, Basic realm="a, b", charset="UTF-8", Bearer realm="https://auth/token",service=s,scope="x y")"});
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[1].scheme, "basic");
  EXPECT_EQ(found[1].parameters.at("realm"), "a, b");
  EXPECT_EQ(found[2].scheme, "bearer");
  EXPECT_EQ(found[2].parameters.at("realm"), "https://auth/token");
  EXPECT_EQ(found[2].parameters.at("service"), "s");
  EXPECT_EQ(parse_challenges({"Basic realm=x", "Bearer realm=\"y\""}).size(), 2u);
  EXPECT_TRUE(parse_challenges({"", ",", "=x", "\""}).empty());
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "Basic realm=x, ";
  EXPECT_LE(parse_challenges({many}).size(), 8u);
}

// A registry that does whatever its handler says.
class RegistryClientTest : public testing::Test {
 protected:
  RegistryClientTest()
      : server(executors, [this](http::Request& request, http::BodyReader&) { return serve(request); }) {
    server.listen("127.0.0.1", 0);
    host = "127.0.0.1:" + std::to_string(server.port());
    thread = std::thread([this] { executors.run(); });
  }
  ~RegistryClientTest() override {
    wait(server.stop(milliseconds(500)));
    executors.stop();
    thread.join();
    executors.blocking().stop();
    executors.blocking().join();
  }
  template <class T>
  T wait(io::Awaitable<T> work) {
    return boost::asio::co_spawn(executors.net(), std::move(work), boost::asio::use_future).get();
  }
  io::Awaitable<http::Response> serve(http::Request& request) {
    ++requests;
    seen.push_back(request.method + ' ' + request.target + ' ' +
                   std::string(request.headers.get("Authorization")));
    co_return answer(request);
  }
  RegistryClient client(std::optional<RegistryLogin> login = {}) {
    return {executors, network, *RegistryAddress::parse(host), std::move(login)};
  }
  static http::Response text(int status, std::string body = "{}") {
    return http::Response::text(status, std::move(body), "application/json");
  }
  RegistryFailure::Kind kind_of(std::function<void()> work) {
    try {
      work();
    } catch (const RegistryFailure& failure) {
      message = failure.what();
      return failure.kind();
    }
    ADD_FAILURE() << "no failure";
    return RegistryFailure::Kind::kWrong;
  }

  io::TemporaryDirectory scratch;
  io::Executors executors{1};
  RegistryNetwork network{{.name = "test"}};
  ContentStore content{scratch.path()};
  std::function<http::Response(http::Request&)> answer = [](http::Request&) { return text(404); };
  std::atomic<int> requests{0};
  std::vector<std::string> seen;
  std::string message;
  http::Server server;
  std::string host;
  std::thread thread;
};

TEST_F(RegistryClientTest, KeepsItsConnectionAndItsToken) {
  answer = [this](http::Request& request) {
    if (request.raw_path() == "/token") return text(200, R"({"token":"t","expires_in":60})");
    if (request.headers.get("Authorization") == "Bearer t") return text(200, "manifest");
    auto refused = text(401);
    refused.headers.set("WWW-Authenticate", "Bearer realm=\"http://" + host + "/token\"");
    return refused;
  };
  auto one = client(RegistryLogin{"me", "secret"});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(wait(one.manifest("app", "1")));
  EXPECT_EQ(requests, 5);  // refused, token, three manifests
  EXPECT_EQ(network.connections().idle(), 1u);
  EXPECT_EQ(seen[1], "GET /token?scope=repository%3Aapp%3Apull Basic " + core::to_base64("me:secret"));
}

TEST_F(RegistryClientTest, AsksForANewTokenWhenTheOldOneIsRefused) {
  std::string good = "one";
  int given = 0;
  answer = [&](http::Request& request) {
    if (request.raw_path() == "/token") {
      ++given;
      return text(200, R"({"access_token":")" + good + "\"}");
    }
    if (request.headers.get("Authorization") == "Bearer " + good) return text(200, "manifest");
    auto refused = text(401);
    refused.headers.set("WWW-Authenticate", "Bearer realm=\"http://" + host + "/token\"");
    return refused;
  };
  auto one = client();
  EXPECT_TRUE(wait(one.manifest("app", "1")));
  good = "two";
  EXPECT_TRUE(wait(one.manifest("app", "1")));
  EXPECT_EQ(given, 2);
}

TEST_F(RegistryClientTest, ARefusedLoginIsNotTriedForEver) {
  answer = [this](http::Request& request) {
    if (request.raw_path() == "/token") return text(200, R"({"token":"useless"})");
    auto refused = text(401);
    refused.headers.set("WWW-Authenticate", "Bearer realm=\"http://" + host + "/token\"");
    return refused;
  };
  auto one = client();
  EXPECT_EQ(kind_of([&] { wait(one.manifest("app", "1")); }), RegistryFailure::Kind::kDenied);
  EXPECT_EQ(requests, 3);
}

TEST_F(RegistryClientTest, DoesNotTakeItsPasswordWhereItShouldNot) {
  std::string realm;
  answer = [&](http::Request&) {
    auto refused = text(401);
    refused.headers.set("WWW-Authenticate", "Bearer realm=\"" + realm + "\"");
    return refused;
  };
  auto one = client(RegistryLogin{"me", "secret"});
  for (const auto* where :
       {"http://auth.example/token", "http://169.254.169.254/token", "unix:///x:/y", "nonsense"}) {
    realm = where;
    EXPECT_EQ(kind_of([&] { wait(one.manifest("app", "1")); }), RegistryFailure::Kind::kRefused) << where;
  }
}

TEST_F(RegistryClientTest, TriesAgainWhatPasses) {
  answer = [this](http::Request&) { return requests < 3 ? text(503) : text(200, "manifest"); };
  auto one = client();
  EXPECT_TRUE(wait(one.manifest("app", "1", {.first_wait = milliseconds(1)})));
  EXPECT_EQ(requests, 3);
  requests = 0;
  answer = [](http::Request&) { return text(500); };
  EXPECT_EQ(kind_of([&] { wait(one.manifest("app", "1", {.tries = 4, .first_wait = milliseconds(1)})); }),
            RegistryFailure::Kind::kUnavailable);
  EXPECT_EQ(requests, 4);
}

TEST_F(RegistryClientTest, TakesNoManifestBeyondTheLimit) {
  answer = [](http::Request&) { return text(200, std::string(kLargestManifest, 'x')); };
  auto one = client();
  EXPECT_EQ(wait(one.manifest("app", "1"))->bytes.size(), kLargestManifest);
  answer = [](http::Request&) { return text(200, std::string(kLargestManifest + 1, 'x')); };
  kind_of([&] { wait(one.manifest("app", "1", {.tries = 1})); });
  EXPECT_THAT(message, HasSubstr("larger than"));
}

TEST_F(RegistryClientTest, EndsARedirectLoopAndTakesNoAuthorizationAlong) {
  answer = [](http::Request& request) {
    auto moved = text(302);
    moved.headers.set("Location", std::string(request.raw_path()));
    return moved;
  };
  auto one = client();
  kind_of([&] { wait(one.manifest("app", "1", {.tries = 1})); });
  EXPECT_THAT(message, HasSubstr("redirects"));
  http::Server other(executors,
                     [this](http::Request& request, http::BodyReader&) -> io::Awaitable<http::Response> {
                       seen.push_back("other " + std::string(request.headers.get("Authorization")));
                       co_return text(200, "blob");
                     });
  other.listen("127.0.0.1", 0);
  answer = [&](http::Request& request) {
    if (request.headers.get("Authorization").empty()) {
      auto refused = text(401);
      refused.headers.set("WWW-Authenticate", "Basic realm=x");
      return refused;
    }
    auto moved = text(307);
    moved.headers.set("Location", "http://127.0.0.1:" + std::to_string(other.port()) + "/blob");
    return moved;
  };
  auto two = client(RegistryLogin{"me", "secret"});
  EXPECT_TRUE(wait(two.blob("app", {.digest = Digest::of("blob"), .size = 4}, content)));
  EXPECT_EQ(seen.back(), "other ");
  wait(other.stop(milliseconds(100)));
}

TEST_F(RegistryClientTest, HoldsABlobToItsDigestAndSize) {
  std::string body = "content";
  answer = [&](http::Request&) { return text(200, body); };
  auto one = client();
  const auto digest = Digest::of("content");
  const auto sha512 = Digest::of("content", core::HashAlgorithm::kSha512);
  EXPECT_TRUE(wait(one.blob("app", {.digest = sha512, .size = 7}, content)));
  EXPECT_TRUE(content.has(sha512));
  EXPECT_TRUE(wait(one.blob("app", {.digest = digest}, content)));  // of unknown size
  content.remove(digest);
  EXPECT_EQ(kind_of([&] { wait(one.blob("app", {.digest = digest, .size = 6}, content)); }),
            RegistryFailure::Kind::kWrong);
  EXPECT_EQ(kind_of([&] { wait(one.blob("app", {.digest = digest, .most = 6}, content)); }),
            RegistryFailure::Kind::kWrong);
  body = "c0ntent";
  EXPECT_EQ(kind_of([&] { wait(one.blob("app", {.digest = digest, .size = 7}, content)); }),
            RegistryFailure::Kind::kWrong);
  EXPECT_FALSE(content.has(digest));
  answer = [](http::Request&) { return text(404); };
  EXPECT_FALSE(wait(one.blob("app", {.digest = digest, .size = 7}, content)));
  EXPECT_TRUE(std::filesystem::is_empty(content.incoming()));
}

TEST_F(RegistryClientTest, BeginsAnewWhenARestIsNotGiven) {
  const std::string body(200000, 'b');
  answer = [&](http::Request& request) {
    const bool rest = !request.headers.get("Range").empty();
    if (requests == 1) return text(200, body.substr(0, 100));  // cut
    if (rest && requests == 2) {
      auto wrong = text(206, body);
      wrong.headers.set("Content-Range", "bytes 0-199999/200000");
      return wrong;
    }
    return text(200, body);  // ranges are nothing to it
  };
  auto one = client();
  BlobWanted wanted{.digest = Digest::of(body), .size = body.size()};
  wanted.patience.first_wait = milliseconds(1);
  EXPECT_TRUE(wait(one.blob("app", wanted, content)));
  EXPECT_EQ(content.size(wanted.digest), body.size());
}

}  // namespace
}  // namespace sampan::image
