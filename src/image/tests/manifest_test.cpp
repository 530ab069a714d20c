#include "image/manifest.h"

#include <gtest/gtest.h>

#include <random>

#include "image/challenge.h"
#include "image/image_config.h"

namespace sampan::image {
namespace {

const std::string kA = "sha256:" + std::string(64, 'a');
const std::string kB = "sha256:" + std::string(64, 'b');

std::string descriptor(const std::string& digest, const std::string& more = {}) {
  return R"({"mediaType":"application/octet-stream","size":3,"digest":")" + digest + "\"" + more + "}";
}
std::string image_with(const std::string& more) {
  return R"({"schemaVersion":2,"config":)" + descriptor(kA) + R"(,"layers":[)" + descriptor(kB) + "]" + more +
         "}";
}

TEST(ManifestParser, ReadsImages) {
  const auto manifest =
      parse_manifest(image_with(R"(,"subject":)" + descriptor(kB) + R"(,"annotations":{"k":"v"})"));
  EXPECT_EQ(manifest.media_type, kOciManifest);
  EXPECT_FALSE(manifest.is_index());
  EXPECT_EQ(manifest.config->digest.str(), kA);
  ASSERT_EQ(manifest.layers.size(), 1u);
  EXPECT_EQ(manifest.content_size(), 6u);
  EXPECT_EQ(manifest.subject->digest.str(), kB);
  EXPECT_EQ(manifest.effective_artifact_type(), "application/octet-stream");
  EXPECT_EQ(parse_manifest(render_manifest(manifest)).annotations, manifest.annotations);
  EXPECT_EQ(parse_manifest(image_with(""), kDockerManifest).media_type, kDockerManifest);
  EXPECT_EQ(parse_manifest(image_with(""), std::string(kDockerManifest) + "; charset=utf-8").media_type,
            kDockerManifest);
}

TEST(ManifestParser, ReadsIndexesAndChoosesAPlatform) {
  const std::string text =
      R"({"schemaVersion":2,"manifests":[)" +
      descriptor(kA, R"(,"platform":{"os":"linux","architecture":"arm64","variant":"v8"})") + ',' +
      descriptor(kB, R"(,"platform":{"os":"linux","architecture":"amd64"})") + "]}";
  const auto index = parse_manifest(text);
  EXPECT_TRUE(index.is_index());
  EXPECT_EQ(choose_platform(index, {"linux", "amd64", ""})->digest.str(), kB);
  EXPECT_EQ(choose_platform(index, {"linux", "arm64", ""})->digest.str(), kA);
  EXPECT_EQ(choose_platform(index, {"windows", "amd64", ""}), nullptr);
}

TEST(ManifestParser, RefusesWhatIsNoManifest) {
  const std::string bad[] = {
      "",
      "[]",
      "null",
      "{",
      "{}",
      R"({"schemaVersion":1})",
      R"({"schemaVersion":"2"})",
      R"({"schemaVersion":2})",
      R"({"schemaVersion":2,"config":1,"layers":[]})",
      R"({"schemaVersion":2,"config":{},"layers":[]})",
      R"({"schemaVersion":2,"layers":[]})",
      R"({"schemaVersion":2,"config":)" + descriptor("sha256:zz") + R"(,"layers":[]})",
      R"({"schemaVersion":2,"config":)" + descriptor(kA) + "}",
      R"({"schemaVersion":2,"config":)" + descriptor(kA) + R"(,"layers":{}})",
      R"({"schemaVersion":2,"config":)" + descriptor(kA) + R"(,"layers":[1]})",
      R"({"schemaVersion":2,"config":{"digest":")" + kA + R"(","size":-1},"layers":[]})",
      R"({"schemaVersion":2,"config":{"digest":")" + kA + R"("},"layers":[]})",
      image_with(R"(,"manifests":[])"),
      image_with(R"(,"mediaType":"text/plain")"),
      image_with(R"(,"mediaType":"application/vnd.oci.image.index.v1+json")"),
      image_with(R"(,"annotations":{"k":1})"),
      image_with(R"(,"subject":{})"),
      R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v1+json"})",
      std::string(kLargestManifest + 1, ' '),
      std::string(100, '[') + std::string(100, ']'),
  };
  for (const auto& text : bad) EXPECT_THROW(parse_manifest(text), BadDocument) << text.substr(0, 200);
  EXPECT_THROW(
      parse_manifest(image_with(R"(,"mediaType":")" + std::string(kOciManifest) + '"'), kDockerManifest),
      BadDocument);
}

TEST(ManifestParser, HoldsItsLimitOfDescriptors) {
  const auto with_layers = [](std::size_t count) {
    std::string layers = descriptor(kB);
    for (std::size_t i = 1; i < count; ++i) layers += ',' + descriptor(kB);
    return R"({"schemaVersion":2,"config":)" + descriptor(kA) + R"(,"layers":[)" + layers + "]}";
  };
  EXPECT_EQ(parse_manifest(with_layers(kMostDescriptors)).layers.size(), kMostDescriptors);
  EXPECT_THROW(parse_manifest(with_layers(kMostDescriptors + 1)), BadDocument);
}

// Flipped, cut and doubled bytes of good documents: refused or read, never worse.
TEST(ManifestParser, SurvivesDamage) {
  std::mt19937 random(42);
  const std::string good[] = {
      image_with(R"(,"annotations":{"k":"v"})"),
      R"({"schemaVersion":2,"manifests":[)" + descriptor(kA) + "]}",
      R"({"os":"linux","config":{"Env":["A=b"],"Healthcheck":{"Test":["NONE"]}},"rootfs":{"diff_ids":[")" +
          kA + R"("]},"history":[{"empty_layer":true}]})"};
  for (int i = 0; i < 20000; ++i) {
    auto text = good[random() % 3];
    for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
      const auto at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, random() % 10);
      else if (random() % 2 == 0)
        text[at] = static_cast<char>(random());
      else
        text.insert(at, text.substr(random() % text.size(), random() % 20));
      if (text.empty()) text = "{";
    }
    try {
      parse_manifest(text);
    } catch (const BadDocument&) {
    }
    try {
      parse_config(text);
    } catch (const BadDocument&) {
    }
  }
}

TEST(ImageConfigParser, RoundTrips) {
  ImageConfig config;
  config.platform = {"linux", "arm64", "v8"};
  config.created = "2026-11-22T00:00:00Z";
  config.env = {"A=1", "B=hai ba"};
  config.entrypoint = {"/run"};
  config.cmd = {"a", "b"};
  config.user = "1000:1000";
  config.working_dir = "/srv";
  config.exposed_ports = {"80/tcp"};
  config.volumes = {"/data"};
  config.labels = {{"k", "v"}};
  config.stop_signal = "SIGINT";
  config.shell = {"/bin/bash", "-c"};
  config.on_build = {"RUN x"};
  config.health_check =
      HealthCheck{{"CMD-SHELL", "true"}, std::chrono::seconds(5), std::chrono::seconds(3), {}, {}, 4};
  config.diff_ids = {*Digest::parse(kA), *Digest::parse(kB)};
  config.history = {{"2026-11-22T00:00:00Z", "RUN x", "c", "me", true}};
  EXPECT_EQ(parse_config(render_config(config)), config);
  ImageConfig empty;
  empty.platform = {"", "", ""};
  EXPECT_EQ(parse_config("{}"), empty);
  EXPECT_THROW(parse_config(R"({"config":{"Env":"A=b"}})"), BadDocument);
  EXPECT_THROW(parse_config(R"({"rootfs":{"diff_ids":["x"]}})"), BadDocument);
}

TEST(Challenge, ReadsWhatRegistriesSend) {
  const auto bearer = parse_challenge(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push")");
  ASSERT_TRUE(bearer);
  EXPECT_EQ(bearer->scheme, "bearer");
  EXPECT_EQ(bearer->parameters.at("realm"), "https://auth.docker.io/token");
  EXPECT_EQ(bearer->parameters.at("scope"), "repository:a/b:pull,push");
  EXPECT_EQ(parse_challenge("Basic realm=x")->parameters.at("realm"), "x");
  EXPECT_EQ(parse_challenge(R"(Basic realm="a\"b")")->parameters.at("realm"), "a\"b");
  EXPECT_FALSE(parse_challenge(""));
  EXPECT_FALSE(parse_challenge(R"(Bearer realm="unclosed)"));
  EXPECT_FALSE(parse_challenge("Bearer nonsense"));
}

}  // namespace
}  // namespace sampan::image
