// The pull-through cache against an upstream that moves, fails and lies.
#include <gmock/gmock.h>

#include "ecr/template_rules.h"
#include "ecr/tests/fake_upstream.h"

namespace sampan::ecr {
namespace {

namespace api = sampan::api::ecr;
using testing::HasSubstr;

class PullThroughTest : public testing::Test {
 protected:
  void SetUp() override { add_rule("up"); }

  void add_rule(const std::string& prefix, const std::string& credential = {},
                const std::string& below = {}) {
    api::CreatePullThroughCacheRuleInput in;
    in.ecrRepositoryPrefix = prefix;
    in.upstreamRegistryUrl = upstream.host;
    if (!credential.empty()) in.credentialArn = credential;
    if (!below.empty()) in.upstreamRepositoryPrefix = below;
    world.wait(world.api->CreatePullThroughCacheRule(world.caller(), in));
  }
  http::ClientResponse get(const std::string& repository, const std::string& reference, bool now = false) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (now) headers.emplace_back("Cache-Control", "no-cache");
    return world.call("GET", "/v2/" + repository + "/manifests/" + reference, {}, headers);
  }
  http::ClientResponse get_blob(const std::string& repository, const std::string& digest) {
    return world.call("GET", "/v2/" + repository + "/blobs/" + digest);
  }
  // Waits until the image is whole here.
  void settle(const std::string& repository, const std::string& reference) {
    world.wait(world.cache.image(World::id(repository), reference, std::nullopt));
  }
  std::optional<image::Digest> tag(const std::string& repository, const std::string& name) {
    return world.wait(io::on_control(
        world.executors, [&] { return world.repositories.find_tag(World::id(repository), name); }));
  }
  bool has_image(const std::string& repository, const std::string& digest) {
    return world.wait(io::on_control(world.executors, [&] {
      return world.repositories.find_image(World::id(repository), *image::Digest::parse(digest)) != nullptr;
    }));
  }

  World world;
  FakeUpstream upstream{world.executors};
};

TEST_F(PullThroughTest, FetchesWhatIsNotHereAndKeepsIt) {
  const auto made = upstream.add_image("team/app", "1", "layer one");
  const auto answer = get("up/team/app", "1");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body, made.manifest);
  EXPECT_EQ(answer.headers.get("Docker-Content-Digest"), made.digest);
  EXPECT_EQ(answer.headers.get("Content-Type"), image::kOciManifest);
  EXPECT_EQ(get_blob("up/team/app", made.layer_digest).body, "layer one");
  settle("up/team/app", "1");
  EXPECT_EQ(tag("up/team/app", "1")->str(), made.digest);
  upstream.stop();
  EXPECT_EQ(get("up/team/app", "1").body, made.manifest);
  EXPECT_EQ(get("up/team/app", made.digest).status, 200);
  EXPECT_EQ(get_blob("up/team/app", made.layer_digest).status, 200);
  EXPECT_EQ(upstream.asked("GET manifests"), 1);
  EXPECT_EQ(upstream.asked("GET blobs"), 2);
}

TEST_F(PullThroughTest, AsksUpstreamOnceADayByItsDigest) {
  const auto first = upstream.add_image("app", "latest", "one");
  get("up/app", "latest");
  settle("up/app", "latest");
  const auto second = upstream.add_image("app", "latest", "two");
  world.clock.advance(std::chrono::hours(23));
  EXPECT_EQ(get("up/app", "latest").body, first.manifest);
  EXPECT_EQ(upstream.asked("HEAD manifests"), 0);
  world.clock.advance(std::chrono::hours(2));
  EXPECT_EQ(get("up/app", "latest").body, second.manifest);
  settle("up/app", "latest");
  EXPECT_EQ(tag("up/app", "latest")->str(), second.digest);
  EXPECT_EQ(upstream.asked("HEAD manifests"), 1);
  EXPECT_TRUE(has_image("up/app", first.digest));  // untagged, not gone
  world.clock.advance(std::chrono::hours(25));
  EXPECT_EQ(get("up/app", "latest").body, second.manifest);
  EXPECT_EQ(upstream.asked("HEAD manifests"), 2);
  EXPECT_EQ(upstream.asked("GET manifests"), 2);  // the same digest: nothing to fetch
  EXPECT_EQ(get("up/app", "latest").body, second.manifest);
  EXPECT_EQ(upstream.asked("HEAD manifests"), 2);
}

TEST_F(PullThroughTest, ComparesAtOnceWhenToldTo) {
  upstream.add_image("app", "1", "one");
  get("up/app", "1");
  settle("up/app", "1");
  const auto second = upstream.add_image("app", "1", "two");
  EXPECT_EQ(get("up/app", "1", true).body, second.manifest);
}

TEST_F(PullThroughTest, ServesWhatIsHereWhileUpstreamIsDown) {
  const auto made = upstream.add_image("app", "1", "one");
  get("up/app", "1");
  settle("up/app", "1");
  upstream.stop();
  world.clock.advance(std::chrono::hours(30));
  EXPECT_EQ(get("up/app", "1").body, made.manifest);
  EXPECT_EQ(upstream.asked("HEAD manifests"), 1);
  EXPECT_EQ(get("up/app", "1").body, made.manifest);  // and does not wait for it at each pull
  EXPECT_EQ(upstream.asked("HEAD manifests"), 1);
  EXPECT_EQ(get("up/app", "1", true).status, 503);
  const auto absent = get("up/other", "1");
  EXPECT_EQ(absent.status, 503);
  EXPECT_THAT(absent.body, HasSubstr("UNAVAILABLE"));
  EXPECT_THAT(absent.body, HasSubstr(upstream.host));
}

TEST_F(PullThroughTest, TellsWhatNeitherSideHas) {
  auto answer = get("up/none", "1");
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, HasSubstr("NAME_UNKNOWN"));
  EXPECT_THAT(answer.body, HasSubstr("there is no '1' of 'none' in the upstream registry " + upstream.host));
  EXPECT_EQ(get("up/none", "1").status, 404);
  EXPECT_EQ(upstream.asked("GET manifests"), 1);  // not asked twice in a moment
  upstream.add_image("none", "1", "late");
  world.clock.advance(std::chrono::seconds(11));
  EXPECT_EQ(get("up/none", "1").status, 200);
  answer = get("up/none", "2");
  EXPECT_THAT(answer.body, HasSubstr("MANIFEST_UNKNOWN"));
  EXPECT_EQ(get_blob("up/none", image::Digest::of("x").str()).status, 404);
  EXPECT_EQ(get("elsewhere/none", "1").status, 404);
}

TEST_F(PullThroughTest, KeepsATagThatUpstreamNoLongerHas) {
  const auto made = upstream.add_image("app", "1", "one");
  get("up/app", "1");
  settle("up/app", "1");
  upstream.tags.clear();
  world.clock.advance(std::chrono::hours(25));
  EXPECT_EQ(get("up/app", "1").body, made.manifest);
}

TEST_F(PullThroughTest, FetchesOfAnIndexWhatIsAskedFor) {
  const auto amd = upstream.add_image("app", "", "amd64 layer");
  const auto arm = upstream.add_image("app", "", "arm64 layer");
  const auto entry = [](const std::string& manifest, const std::string& architecture) {
    auto text = World::descriptor(manifest, image::kOciManifest);
    text.pop_back();
    return text + R"(,"platform":{"os":"linux","architecture":")" + architecture + "\"}}";
  };
  const auto index =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)" +
      entry(amd.manifest, "amd64") + "," + entry(arm.manifest, "arm64") + "]}";
  const auto digest = upstream.add_manifest("app", "multi", index, image::kOciIndex);
  EXPECT_EQ(get("up/app", "multi").body, index);
  EXPECT_EQ(tag("up/app", "multi")->str(), digest);
  EXPECT_EQ(upstream.asked("GET blobs"), 0);
  EXPECT_EQ(get("up/app", amd.digest).body, amd.manifest);
  settle("up/app", amd.digest);
  EXPECT_TRUE(has_image("up/app", amd.digest));
  EXPECT_FALSE(has_image("up/app", arm.digest));
  upstream.stop();
  EXPECT_EQ(get("up/app", "multi").status, 200);
  EXPECT_EQ(get("up/app", amd.digest).status, 200);
  EXPECT_EQ(get("up/app", arm.digest).status, 503);
}

TEST_F(PullThroughTest, BringsAnIndexWithItsPlatformForARun) {
  const auto amd = upstream.add_image("app", "", "amd64 layer");
  auto descriptor = World::descriptor(amd.manifest, image::kOciManifest);
  descriptor.insert(descriptor.size() - 1, R"(,"platform":{"os":"linux","architecture":"amd64"})");
  const auto index =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)" +
      descriptor + "]}";
  upstream.add_manifest("app", "multi", index, image::kOciIndex);
  const image::Registry registry{"000000000000", "us-east-1"};
  const auto reference = *image::Reference::parse(world.host + "/up/app:multi");
  world.wait(world.catalog->obtain(registry, reference, image::Platform()));
  EXPECT_TRUE(has_image("up/app", amd.digest));
  EXPECT_TRUE(world.content.has(*image::Digest::parse(amd.layer_digest)));
  upstream.stop();
  world.wait(world.catalog->obtain(registry, reference, image::Platform()));
  const auto absent = *image::Reference::parse(world.host + "/up/absent:1");
  EXPECT_THROW(world.wait(world.catalog->obtain(registry, absent, image::Platform())), core::Error);
}

TEST_F(PullThroughTest, AHeadFetchesNothing) {
  const auto made = upstream.add_image("app", "1", "one");
  const auto head = world.call("HEAD", "/v2/up/app/manifests/1");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.get("Docker-Content-Digest"), made.digest);
  EXPECT_EQ(head.headers.get("Content-Length"), std::to_string(made.manifest.size()));
  EXPECT_EQ(upstream.asked("GET manifests"), 0);
  EXPECT_FALSE(tag("up/app", "1"));
}

TEST_F(PullThroughTest, ManyWhoAskAtOnceShareOneTransfer) {
  const auto made = upstream.add_image("app", "1", std::string(300000, 'x'));
  upstream.delay_ms = 100;
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int i = 0; i < 12; ++i) {
    clients.emplace_back([&] {
      const bool manifest = get("up/app", "1").status == 200;
      const bool blob = get_blob("up/app", made.layer_digest).body == made.layer;
      if (manifest && blob) ++good;
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(good, 12);
  settle("up/app", "1");
  EXPECT_EQ(upstream.asked("GET manifests"), 1);
  EXPECT_EQ(upstream.asked("GET blobs"), 2);
}

TEST_F(PullThroughTest, ALayerOfTwoRepositoriesOfOneUpstreamIsFetchedOnce) {
  upstream.add_image("one", "1", "shared layer");
  upstream.add_image("two", "1", "shared layer");
  get("up/one", "1");
  settle("up/one", "1");
  get("up/two", "1");
  settle("up/two", "1");
  EXPECT_TRUE(tag("up/two", "1"));
  EXPECT_EQ(upstream.asked("GET blobs"), 2);
  EXPECT_EQ(upstream.asked("HEAD blobs"), 2);  // that the other repository has them is upstream's to say
}

TEST_F(PullThroughTest, WhatWasPushedIsNeverReplaced) {
  world.create("up/mine");
  const auto manifest = world.make_image("up/mine", "my own");
  ASSERT_EQ(world.put_manifest("up/mine", "1", manifest).status, 201);
  upstream.add_image("mine", "1", "another's");
  world.clock.advance(std::chrono::hours(100));
  EXPECT_EQ(get("up/mine", "1").body, manifest);
  EXPECT_EQ(get("up/mine", "1", true).body, manifest);
  EXPECT_EQ(upstream.asked("HEAD manifests"), 0);
  // A push over a cached tag makes it the pusher's.
  upstream.add_image("mine", "2", "cached");
  get("up/mine", "2");
  settle("up/mine", "2");
  ASSERT_EQ(world.put_manifest("up/mine", "2", manifest).status, 201);
  world.clock.advance(std::chrono::hours(100));
  EXPECT_EQ(get("up/mine", "2").body, manifest);
}

TEST_F(PullThroughTest, AnImmutableTagStaysWhenUpstreamMovesIt) {
  world.create("up/fixed", "IMMUTABLE");
  const auto first = upstream.add_image("fixed", "1", "one");
  get("up/fixed", "1");
  settle("up/fixed", "1");
  upstream.add_image("fixed", "1", "two");
  world.clock.advance(std::chrono::hours(25));
  EXPECT_EQ(get("up/fixed", "1").body, first.manifest);
  EXPECT_EQ(upstream.asked("GET manifests"), 1);
}

TEST_F(PullThroughTest, RefusesWhatIsNotWhatItSays) {
  const auto made = upstream.add_image("app", "1", "some layer");
  upstream.lies = true;
  EXPECT_EQ(get("up/app", "1").status, 200);
  EXPECT_EQ(get_blob("up/app", made.layer_digest).status, 503);
  EXPECT_THROW(settle("up/app", "1"), UpstreamError);
  EXPECT_FALSE(tag("up/app", "1"));
  upstream.lies = false;
  upstream.is_long = true;
  EXPECT_EQ(get_blob("up/app", made.layer_digest).status, 503);
  upstream.is_long = false;
  upstream.wrong_name = true;
  EXPECT_EQ(get("up/app", made.digest).status, 200);  // by its digest the registry's word is not needed
  upstream.add_image("app", "2", "x");
  EXPECT_EQ(get("up/app", "2").status, 503);
  upstream.wrong_name = false;
  EXPECT_EQ(get("up/app", "2").status, 200);
  upstream.add_manifest("app", "bad", "{\"schemaVersion\":1}",
                        "application/vnd.docker.distribution.manifest.v1+json");
  EXPECT_EQ(get("up/app", "bad").status, 503);
}

TEST_F(PullThroughTest, TakesUpABlobWhereItBroke) {
  upstream.add_image("app", "1", std::string(100000, 'a') + std::string(100000, 'b'));
  upstream.cuts = 3;
  EXPECT_EQ(get("up/app", "1").status, 200);
  settle("up/app", "1");
  EXPECT_TRUE(tag("up/app", "1"));
}

TEST_F(PullThroughTest, TellsARateLimitWithItsWait) {
  upstream.failing = 429;
  upstream.retry_after = "3600";
  const auto answer = get("up/app", "1");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.headers.get("Retry-After"), "3600");
  EXPECT_THAT(answer.body, HasSubstr("rate limit"));
  EXPECT_EQ(upstream.asked("GET manifests"), 1);  // no further try before that
}

TEST_F(PullThroughTest, DoesNotFollowARedirectIntoTheMetadataService) {
  const auto made = upstream.add_image("app", "1", "layer");
  upstream.redirect_to = "http://169.254.169.254/latest/meta-data/";
  get("up/app", "1");
  const auto answer = get_blob("up/app", made.layer_digest);
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("169.254.169.254"));
}

TEST_F(PullThroughTest, DoesNotAskOnWhatCameFromItself) {
  upstream.add_image("app", "1", "layer");
  const auto answer = world.call("GET", "/v2/up/app/manifests/1", {},
                                 {{"Via", "1.1 proxy, 1.1 sampan-" + world.network.name()}});
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(upstream.asked("GET manifests"), 0);
  get("up/app", "1");
  EXPECT_THAT(upstream.via.back(), HasSubstr("sampan-" + world.network.name()));
}

TEST_F(PullThroughTest, LogsInWithTheRulesSecret) {
  upstream.user = "robot";
  upstream.password = "pass";
  upstream.add_image("app", "1", "layer");
  const std::string arn =
      "arn:aws:secretsmanager:us-east-1:000000000000:secret:ecr-pullthroughcache/up-AbCdEf";
  std::string secret = R"({"username":"robot","accessToken":"pass"})";
  world.cache_rules.look_up_secrets(
      [&](const std::string&, const std::string&, const std::string& name) -> SecretAnswer {
        if (name != arn) return NoSecret{NoSecret::Why::kNotFound, "no such secret"};
        return SecretText{secret};
      });
  EXPECT_EQ(get("up/app", "1").status, 403);  // the rule without one
  add_rule("private", arn);
  EXPECT_EQ(get("private/app", "1").status, 200);
  settle("private/app", "1");
  EXPECT_EQ(upstream.asked("GET token"), 2);  // one a repository (and one refused), however many blobs
  api::ValidatePullThroughCacheRuleInput validate;
  validate.ecrRepositoryPrefix = "private";
  auto out = world.wait(world.api->ValidatePullThroughCacheRule(world.caller(), validate));
  EXPECT_TRUE(*out.isValid);
  secret = R"({"username":"robot","accessToken":"changed"})";
  out = world.wait(world.api->ValidatePullThroughCacheRule(world.caller(), validate));
  EXPECT_FALSE(*out.isValid);
  EXPECT_THAT(*out.failure, HasSubstr("The authentication to the upstream registry failed"));
  EXPECT_EQ(get("private/other", "1").status, 403);
}

TEST_F(PullThroughTest, RootIsForAllNamesThatNoOtherRuleTakes) {
  add_rule("ROOT");
  add_rule("deep", {}, "team/x");
  upstream.add_image("any/name", "1", "root");
  upstream.add_image("team/x/app", "1", "deep");
  EXPECT_EQ(get("any/name", "1").status, 200);
  EXPECT_EQ(get("deep/app", "1").status, 200);
  EXPECT_EQ(get("up/any/name", "1").status, 200);
}

TEST_F(PullThroughTest, WhatGoesTakesItsNotesAlong) {
  upstream.add_image("app", "1", "one");
  get("up/app", "1");
  settle("up/app", "1");
  EXPECT_EQ(world.store->range("/ecr/cached/").size(), 1u);
  world.wait(world.repositories.remove(World::id("up/app"), true));
  EXPECT_EQ(world.store->range("/ecr/cached/").size(), 0u);
  EXPECT_EQ(get("up/app", "1").status, 200);
}

TEST_F(PullThroughTest, BatchGetImageGoesThroughToo) {
  const auto made = upstream.add_image("app", "1", "one");
  api::BatchGetImageInput in;
  in.repositoryName = "up/app";
  in.imageIds.emplace_back().imageTag = "1";
  auto out = world.wait(world.api->BatchGetImage(world.caller(), in));
  ASSERT_EQ(out.images->size(), 1u);
  EXPECT_EQ(*out.images->at(0).imageManifest, made.manifest);
  EXPECT_EQ(*out.images->at(0).imageId->imageDigest, made.digest);
  settle("up/app", "1");
  in.imageIds[0].imageTag = "2";
  upstream.failing = 403;
  out = world.wait(world.api->BatchGetImage(world.caller(), in));
  EXPECT_EQ(*out.failures->at(0).failureCode, "UpstreamAccessDenied");
  in.repositoryName = "up/never";
  EXPECT_THROW(world.wait(world.api->BatchGetImage(world.caller(), in)),
               api::UnableToGetUpstreamImageException);
  upstream.failing = 0;
  EXPECT_THROW(world.wait(world.api->BatchGetImage(world.caller(), in)), api::RepositoryNotFoundException);
}

}  // namespace
}  // namespace sampan::ecr
