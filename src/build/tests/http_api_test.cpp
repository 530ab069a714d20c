#include "build/http_api.h"

#include <boost/json.hpp>

#include "build/tests/build_machine.h"
#include "core/encoding.h"
#include "core/text.h"

namespace sampan::build {
namespace {

using namespace testing;
namespace json = boost::json;

class TextBody final : public http::BodyReader {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}
  boost::asio::awaitable<std::size_t> read_some(std::span<char> buffer) override {
    const std::size_t size = std::min(buffer.size(), text_.size() - at_);
    std::copy_n(text_.data() + at_, size, buffer.data());
    at_ += size;
    co_return size;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

class HttpApiTest : public BuilderTest {
 protected:
  void SetUp() override {
    BuilderTest::SetUp();
    if (!builder_) return;
    bootstrap_ = std::make_unique<Bootstrap>(executors_, *content_, *layers_, catalog_);
    api_ = std::make_unique<HttpApi>(executors_, *builder_, *bootstrap_, *images_, *content_, catalog_,
                                     work_.path());
  }
  void TearDown() override {
    api_.reset();
    BuilderTest::TearDown();
  }

  http::Response call(const std::string& method, const std::string& target, const std::string& body = "",
                      const std::string& secret = "") {
    http::Request request;
    request.method = method;
    request.target = target;
    if (!secret.empty()) request.headers.add("X-Sampan-Build-Secret", secret);
    TextBody reader(body);
    return wait(api_->handle(request, reader, {}));
  }
  static json::object parsed(const http::Response& response) {
    return json::parse(std::get<std::string>(response.body)).as_object();
  }
  std::string context_tar(const std::vector<std::string>& more = {}) {
    io::Command tar;
    tar.argv = {"tar", "-C", context().string(), "-cf", "-", "."};
    tar.argv.insert(tar.argv.end(), more.begin(), more.end());
    tar.output_limit = 64 * 1024 * 1024;
    return io::run_or_throw(tar).out;
  }
  std::vector<json::object> follow(const std::string& id) {
    std::vector<json::object> events;
    while (true) {
      const auto response = call("GET", "/sampan/v1/build/" + id + "?from=" + std::to_string(events.size()));
      EXPECT_EQ(response.status, 200);
      for (const std::string& line : core::split(std::get<std::string>(response.body), '\n')) {
        if (!line.empty()) events.push_back(json::parse(line).as_object());
      }
      if (events.empty()) continue;
      const auto& type = events.back().at("type").as_string();
      if (type == "result" || type == "error") return events;
    }
  }
  std::vector<json::object> run(const std::string& target, const std::string& body,
                                const std::string& secret = "") {
    const auto response = call("POST", target, body, secret);
    EXPECT_EQ(response.status, 202) << std::get<std::string>(response.body);
    return follow(std::string(parsed(response).at("id").as_string()));
  }

  std::unique_ptr<Bootstrap> bootstrap_;
  std::unique_ptr<HttpApi> api_;
};

TEST_F(HttpApiTest, BuildsAnUploadedContextAndTellsItsEvents) {
  file("Dockerfile",
       "FROM base\nARG A\nRUN --mount=type=secret,id=s echo $A; cat /run/secrets/s\nEXPOSE 80\n");
  const auto events =
      run("/sampan/v1/build?t=app:1&t=app:2&arg=A%3Dx%3Dy", context_tar(), "s:" + core::to_base64("shh\xff"));
  std::string log;
  int steps = 0;
  for (const json::object& event : events) {
    if (event.at("type").as_string() == "log") log += std::string(event.at("text").as_string());
    if (event.at("type").as_string() == "step") ++steps;
  }
  EXPECT_EQ(log, "x=y\nshh\xEF\xBF\xBD");
  EXPECT_EQ(steps, 4);
  EXPECT_EQ(json::serialize(events.back().at("tags")), R"(["app:1","app:2"])");
  EXPECT_EQ(json::serialize(events.back().at("exposed_ports")), "[80]");
  EXPECT_EQ(catalog_.resolve({}, *image::Reference::parse("app:2"))->str(),
            events.back().at("digest").as_string());
  EXPECT_TRUE(fs::is_empty(work_.path() / "build/uploads"));
}

TEST_F(HttpApiTest, AFailedBuildEndsWithItsError) {
  file("sub/My.Dockerfile", "FROM base\nRUN exit 9\n");
  const auto events = run("/sampan/v1/build?t=app&dockerfile=sub/My.Dockerfile", context_tar());
  EXPECT_EQ(events.back().at("type").as_string(), "error");
  EXPECT_EQ(events.back().at("text").as_string(), "sub/My.Dockerfile:2: RUN exit 9: exit code 9");
  EXPECT_FALSE(catalog_.resolve({}, *image::Reference::parse("app")));
}

TEST_F(HttpApiTest, AHostileContextChangesNothingOutside) {
  file("Dockerfile", "FROM base\nCOPY . /\n");
  const fs::path outside = work_.path() / "victim";
  io::replace_file(outside, "whole", io::Durability::kProcessCrash);
  // "../../../victim" beside the context, by a name and through a link.
  const std::string by_name =
      context_tar({"-P", "--transform=s,^\\./Dockerfile$,../../../victim,", "./Dockerfile"});
  EXPECT_EQ(run("/sampan/v1/build", by_name).back().at("type").as_string(), "error");
  EXPECT_EQ(run("/sampan/v1/build", "this is no archive").back().at("type").as_string(), "error");
  EXPECT_EQ(run("/sampan/v1/build", "").back().at("type").as_string(), "error");
  EXPECT_EQ(run("/sampan/v1/build", context_tar().substr(0, 700)).back().at("type").as_string(), "error");
  EXPECT_EQ(io::read_file(outside), "whole");
  EXPECT_TRUE(fs::is_empty(work_.path() / "build/uploads"));
}

TEST_F(HttpApiTest, CancelsABuild) {
  file("Dockerfile", "FROM base\nRUN echo up; sleep 60\n");
  const auto started = call("POST", "/sampan/v1/build", context_tar());
  const std::string id(parsed(started).at("id").as_string());
  std::string seen;
  while (seen.find("\"log\"") == std::string::npos) {
    seen += std::get<std::string>(call("GET", "/sampan/v1/build/" + id + "?from=" +
                                                  std::to_string(std::count(seen.begin(), seen.end(), '\n')))
                                      .body);
  }
  EXPECT_EQ(call("DELETE", "/sampan/v1/build/" + id).status, 200);
  EXPECT_EQ(follow(id).back().at("text").as_string(), "Dockerfile:2: RUN echo up; sleep 60: cancelled");
}

TEST_F(HttpApiTest, RefusesWhatIsNoOrder) {
  EXPECT_EQ(call("GET", "/sampan/v1/build/0123").status, 404);
  EXPECT_EQ(call("DELETE", "/sampan/v1/build/0123").status, 404);
  EXPECT_EQ(call("PUT", "/sampan/v1/build/0123").status, 405);
  EXPECT_EQ(call("GET", "/sampan/v1/build").status, 405);
  EXPECT_EQ(call("POST", "/sampan/v1/images/nothing").status, 404);
  EXPECT_EQ(call("POST", "/sampan/v1/images/pull?name=%20").status, 400);
  EXPECT_EQ(call("POST", "/sampan/v1/build", "", "no-colon").status, 400);
  EXPECT_EQ(run("/sampan/v1/images/bootstrap?name=alpine:3", "").back().at("type").as_string(), "error");
  EXPECT_EQ(run("/sampan/v1/images/bootstrap?name=debian:-x", "").back().at("type").as_string(), "error");
  EXPECT_EQ(run("/sampan/v1/images/import?t=x:1", "no archive").back().at("type").as_string(), "error");
  EXPECT_TRUE(HttpApi::serves("/sampan/v1/images/import"));
  EXPECT_FALSE(HttpApi::serves("/sampan/v1/images"));
  EXPECT_FALSE(HttpApi::serves("/sampan/v1/buildx"));
}

TEST_F(HttpApiTest, BootstrapsDebian) {
  if (std::getenv("SAMPAN_SLOW_TESTS") == nullptr)
    GTEST_SKIP() << "takes a minute and the network: SAMPAN_SLOW_TESTS=1";
  const auto events = run("/sampan/v1/images/bootstrap?name=debian:bookworm", "");
  ASSERT_EQ(events.back().at("type").as_string(), "result") << json::serialize(events.back());
  build(
      "FROM debian:bookworm\nRUN cat /etc/debian_version && apt-get update -q && apt-get install -y -q hello "
      "&& hello\n");
  EXPECT_NE(log().find("Hello, world!"), std::string::npos);
}

}  // namespace
}  // namespace sampan::build
