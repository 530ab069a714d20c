// Tokens of /v2/token: what they open, how long, and how a client is asked for one.
#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "core/text.h"
#include "ecr/tests/world.h"

namespace sampan::ecr {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Header = std::pair<std::string, std::string>;

struct RegistryTokens : ::testing::Test {
  void SetUp() override { world.create("team/app"); }

  static Header basic(const std::string& user, const std::string& password) {
    return {"Authorization", "Basic " + core::to_base64(user + ':' + password)};
  }
  boost::json::object ask(const std::string& scope, const Header& with) {
    const auto answer = world.call("GET", "/v2/token?service=x&scope=" + scope, {}, {with});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return boost::json::parse(answer.body).as_object();
  }
  Header token(const std::string& scope, const Header& with) {
    return {"Authorization", "Bearer " + std::string(ask(scope, with).at("token").as_string())};
  }
  std::string long_token() {
    return world.wait(world.tokens.sign({.account = "000000000000",
                                         .region = "us-east-1",
                                         .access_key = "AKIATEST",
                                         .expires = world.clock.now() + kTokenLife}));
  }
  int tags(const Header& with) { return world.call("GET", "/v2/team/app/tags/list", {}, {with}).status; }

  World world{true};
  const Header key = basic("AKIATEST", "secret");
};

TEST_F(RegistryTokens, AreAskedForBesideBasicInAHeaderOfTheirOwn) {
  const auto answer = world.call("GET", "/v2/team/app/manifests/1", {}, {{"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(answer.status, 401);
  std::vector<std::string> challenges;
  for (const auto& [name, value] : answer.headers) {
    if (core::equal_ignoring_case(name, "WWW-Authenticate")) challenges.push_back(value);
  }
  EXPECT_THAT(
      challenges,
      ElementsAre(StartsWith("Basic realm=\"https://" + world.host),
                  "Bearer realm=\"https://" + world.host +
                      "/v2/token\",service=\"ecr.amazonaws.com\",scope=\"repository:team/app:pull\""));
}

TEST_F(RegistryTokens, OpenTheirScopeForAnHour) {
  const auto pull = token("repository:team/app:pull", key);
  EXPECT_EQ(tags(pull), 200);
  const auto refused = world.call("POST", "/v2/team/app/blobs/uploads/", {}, {pull});
  EXPECT_EQ(refused.status, 401);
  world.clock.advance(std::chrono::minutes(59));
  EXPECT_EQ(tags(pull), 200);
  world.clock.advance(std::chrono::minutes(1));
  // 401, not 403: its client gets itself the next one.
  const auto over = world.call("GET", "/v2/team/app/tags/list", {}, {pull});
  EXPECT_EQ(over.status, 401);
  EXPECT_THAT(over.body, HasSubstr("Your authorization token has expired. Reauthenticate and try again."));
}

TEST_F(RegistryTokens, DoNotOutliveWhatTheyWereGotWith) {
  const auto aws = basic("AWS", long_token());
  world.clock.advance(kTokenLife - std::chrono::minutes(10));
  const auto given = ask("repository:team/app:pull", aws);
  EXPECT_EQ(given.at("expires_in").to_number<int>(), 600);
  const Header bearer{"Authorization", "Bearer " + std::string(given.at("token").as_string())};
  // Nor by asking for a token with the token.
  EXPECT_EQ(ask("repository:team/app:pull", bearer).at("expires_in").to_number<int>(), 600);
  EXPECT_EQ(world.call("GET", "/v2/token?scope=repository:team/app:push", {}, {bearer}).status, 401);
  world.clock.advance(std::chrono::minutes(10));
  EXPECT_EQ(tags(bearer), 401);
  const auto expired = world.call("GET", "/v2/token", {}, {aws});
  EXPECT_EQ(expired.status, 403);
  EXPECT_THAT(expired.body, HasSubstr("DENIED"));
}

TEST_F(RegistryTokens, AreGivenToFormsToo) {
  const auto post = [this](const std::string& form) { return world.call("POST", "/v2/token", form); };
  const auto answer =
      post("grant_type=password&username=AKIATEST&password=secret&scope=repository%3Ateam%2Fapp%3Apull");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto given = boost::json::parse(answer.body).as_object();
  EXPECT_EQ(given.at("scope").as_string(), "repository:team/app:pull");
  EXPECT_EQ(tags({"Authorization", "Bearer " + std::string(given.at("access_token").as_string())}), 200);
  EXPECT_EQ(post("grant_type=password&username=AKIATEST&password=wrong").status, 401);
  EXPECT_EQ(post("grant_type=refresh_token&refresh_token=forged").status, 401);
  EXPECT_EQ(post("username=AKIATEST&password=secret").status, 400);
  EXPECT_EQ(post(std::string(65 * 1024, 'x')).status, 413);
  EXPECT_EQ(world.call("PUT", "/v2/token", {}, {key}).status, 405);
}

TEST_F(RegistryTokens, OfNoScopeOpenNothingButTheDoor) {
  const auto none = token("", key);
  EXPECT_EQ(world.call("GET", "/v2/", {}, {none}).status, 200);
  EXPECT_EQ(tags(none), 401);
  EXPECT_EQ(world.call("GET", "/v2/_catalog", {}, {none}).status, 401);
  EXPECT_EQ(world.call("GET", "/v2/_catalog", {}, {token("registry:catalog:*", key)}).status, 200);
}

}  // namespace
}  // namespace sampan::ecr
