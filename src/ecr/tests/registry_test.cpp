// The OCI registry over HTTP: pull, push, discovery, management and what it refuses.
#include "ecr/registry.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ecr/tests/world.h"

namespace sampan::ecr {
namespace {

using ::testing::HasSubstr;

const std::string kAbsent = "sha256:" + std::string(64, '0');

struct RegistryTest : ::testing::Test {
  void SetUp() override { world.create("team/app"); }
  World world;
};

TEST_F(RegistryTest, SaysThatItIsOne) {
  const auto answer = world.call("GET", "/v2/");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("Docker-Distribution-Api-Version"), "registry/2.0");
  EXPECT_EQ(world.call("DELETE", "/v2/").status, 405);
  EXPECT_EQ(world.call("GET", "/v2/nonsense").status, 404);
}

TEST_F(RegistryTest, TakesABlobInOneRequestAndShowsItOnlyInItsRepository) {
  world.create("other");
  const auto digest = world.push_blob("team/app", "hello world");
  const auto got = world.call("GET", "/v2/team/app/blobs/" + digest);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "hello world");
  EXPECT_EQ(got.headers.get("Docker-Content-Digest"), digest);
  const auto head = world.call("HEAD", "/v2/team/app/blobs/" + digest);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.get("Content-Length"), "11");
  const auto elsewhere = world.call("GET", "/v2/other/blobs/" + digest);
  EXPECT_EQ(elsewhere.status, 404);
  EXPECT_THAT(elsewhere.body, HasSubstr("BLOB_UNKNOWN"));
}

TEST_F(RegistryTest, SendsRanges) {
  const auto path = "/v2/team/app/blobs/" + world.push_blob("team/app", "0123456789");
  const auto part = world.call("GET", path, {}, {{"Range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.headers.get("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(world.call("GET", path, {}, {{"Range", "bytes=-3"}}).body, "789");
  const auto beyond = world.call("GET", path, {}, {{"Range", "bytes=10-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.headers.get("Content-Range"), "bytes */10");
}

TEST_F(RegistryTest, TakesChunksInOrder) {
  const std::string bytes(1'200'000, 'c');
  const auto digest = image::Digest::of(bytes).str();
  auto answer = world.call("POST", "/v2/team/app/blobs/uploads/");
  ASSERT_EQ(answer.status, 202);
  const std::string location(answer.headers.get("Location"));
  EXPECT_EQ(answer.headers.get("Range"), "0-0");
  answer = world.call("PATCH", location, bytes.substr(0, 700'000), {{"Content-Range", "0-699999"}});
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.headers.get("Range"), "0-699999");
  for (const char* wrong : {"0-9", "700001-700010", "nonsense"}) {
    answer = world.call("PATCH", location, "0123456789", {{"Content-Range", wrong}});
    EXPECT_EQ(answer.status, 416) << wrong;
  }
  EXPECT_EQ(world.call("PATCH", location, "x", {{"Content-Range", "700000-700010"}}).status, 400);
  answer = world.call("GET", location);
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.get("Range"), "0-699999");
  EXPECT_EQ(world.call("HEAD", "/v2/team/app/blobs/" + digest).status, 404);
  answer = world.call("PUT", location + "?digest=" + digest, bytes.substr(700'000));
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.headers.get("Location"), "/v2/team/app/blobs/" + digest);
  EXPECT_EQ(world.call("GET", "/v2/team/app/blobs/" + digest).body, bytes);
  EXPECT_EQ(world.call("GET", location).status, 404);
  EXPECT_EQ(world.uploads.size(), 0u);
}

TEST_F(RegistryTest, EndsUploadsThatGoWrong) {
  const auto begin = [this] {
    return std::string(world.call("POST", "/v2/team/app/blobs/uploads/").headers.get("Location"));
  };
  auto location = begin();
  auto answer = world.call("PUT", location + "?digest=" + kAbsent, "abc");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("DIGEST_INVALID"));
  EXPECT_EQ(world.call("GET", location).status, 404);
  location = begin();
  EXPECT_EQ(world.call("PUT", location, "abc").status, 400);
  EXPECT_EQ(world.call("PUT", location + "?digest=sha256:12", "abc").status, 400);
  EXPECT_EQ(world.call("GET", location).status, 204);
  EXPECT_EQ(world.call("DELETE", location).status, 204);
  EXPECT_EQ(world.call("DELETE", location).status, 404);
  EXPECT_EQ(world.call("PATCH", "/v2/team/app/blobs/uploads/unknown", "abc").status, 404);
  world.create("other");
  location = begin();
  EXPECT_EQ(world.call("GET", "/v2/other" + location.substr(std::string("/v2/team/app").size())).status, 404);
  EXPECT_EQ(world.call("POST", "/v2/team/app/blobs/uploads/?digest=nonsense", "abc").status, 400);
  EXPECT_EQ(world.call("DELETE", location).status, 204);
  EXPECT_EQ(world.uploads.size(), 0u);
  EXPECT_TRUE(std::filesystem::is_empty(world.content.incoming()));
}

TEST_F(RegistryTest, KeepsNothingVisibleOfATruncatedUpload) {
  const std::string location(world.call("POST", "/v2/team/app/blobs/uploads/").headers.get("Location"));
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(world.server.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const auto request = "PATCH " + location + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n0123456789";
  io::write_all(fd, request);
  ::close(fd);
  http::ClientResponse status;
  do {  // until the server has seen the end of it
    status = world.call("GET", location);
  } while (status.status == 409 || status.headers.get("Range") == "0-0");
  EXPECT_EQ(status.headers.get("Range"), "0-9");
  const auto digest = image::Digest::of("0123456789abc").str();
  EXPECT_EQ(world.call("HEAD", "/v2/team/app/blobs/" + digest).status, 404);
  EXPECT_EQ(world.call("PUT", location + "?digest=" + digest, "abc", {{"Content-Range", "10-12"}}).status,
            201);
}

TEST_F(RegistryTest, MountsFromAnotherRepository) {
  world.create("other");
  const auto digest = world.push_blob("team/app", "shared");
  auto answer = world.call("POST", "/v2/other/blobs/uploads/?mount=" + digest + "&from=team/app");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(world.call("GET", "/v2/other/blobs/" + digest).body, "shared");
  answer = world.call("POST", "/v2/other/blobs/uploads/?mount=" + kAbsent + "&from=team/app");
  EXPECT_EQ(answer.status, 202);
  answer = world.call("POST", "/v2/other/blobs/uploads/?mount=" + digest + "&from=no/such");
  EXPECT_EQ(answer.status, 202);
}

TEST_F(RegistryTest, PutsAndGetsManifests) {
  const auto manifest = world.make_image("team/app", "layer");
  const auto digest = image::Digest::of(manifest).str();
  auto answer = world.put_manifest("team/app", "1.0", manifest);
  EXPECT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(answer.headers.get("Docker-Content-Digest"), digest);
  for (const std::string& reference : {std::string("1.0"), digest}) {
    answer = world.call("GET", "/v2/team/app/manifests/" + reference);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, manifest);
    EXPECT_EQ(answer.headers.get("Content-Type"), image::kOciManifest);
    answer = world.call("HEAD", "/v2/team/app/manifests/" + reference);
    EXPECT_EQ(answer.headers.get("Content-Length"), std::to_string(manifest.size()));
  }
  EXPECT_EQ(world.put_manifest("team/app", digest, manifest).status, 201);
  EXPECT_EQ(world.call("GET", "/v2/team/app/manifests/1.0", {}, {{"Accept", image::kDockerManifest}}).status,
            404);
  EXPECT_EQ(world.call("GET", "/v2/team/app/manifests/1.0", {}, {{"Accept", "*/*"}}).status, 200);
  answer = world.call("GET", "/v2/team/app/manifests/2.0");
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, HasSubstr("MANIFEST_UNKNOWN"));
}

TEST_F(RegistryTest, RefusesManifests) {
  const auto manifest = world.make_image("team/app", "layer");
  EXPECT_EQ(world.put_manifest("team/app", kAbsent, manifest).status, 400);
  EXPECT_EQ(world.put_manifest("team/app", "bad%20tag", manifest).status, 400);
  EXPECT_EQ(world.put_manifest("team/app", "1", "{").status, 400);
  EXPECT_EQ(world.put_manifest("team/app", "1", std::string(image::kLargestManifest + 1, ' ')).status, 413);
  world.create("other");
  auto answer = world.put_manifest("other", "1", manifest);
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("MANIFEST_BLOB_UNKNOWN"));
  EXPECT_THAT(answer.body, HasSubstr(image::Digest::of("layer").str()));
  const auto index =
      R"({"schemaVersion":2,"manifests":[)" + World::descriptor("absent", image::kOciManifest) + "]}";
  EXPECT_EQ(world.put_manifest("team/app", "1", index, image::kOciIndex).status, 400);
  EXPECT_EQ(world.call("GET", "/v2/team/app/tags/list").body, R"({"name":"team/app","tags":[]})");
  answer = world.call("GET", "/v2/no/such/manifests/1");
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, HasSubstr("NAME_UNKNOWN"));
  EXPECT_THAT(
      answer.body,
      HasSubstr("The repository with name 'no/such' does not exist in the registry with id '000000000000'"));
  EXPECT_EQ(world.call("GET", "/v2/No/manifests/1").status, 400);
}

TEST_F(RegistryTest, HoldsImmutableTags) {
  world.create("fixed", "IMMUTABLE_WITH_EXCLUSION", {"dev*"});
  const auto first = world.make_image("fixed", "one");
  const auto second = world.make_image("fixed", "two");
  EXPECT_EQ(world.put_manifest("fixed", "1", first).status, 201);
  EXPECT_EQ(world.put_manifest("fixed", "1", first).status, 201);
  const auto answer = world.put_manifest("fixed", "1", second);
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("TAG_INVALID"));
  EXPECT_THAT(answer.body,
              HasSubstr("The image tag '1' already exists in the 'fixed' repository and cannot be "
                        "overwritten because the tag is immutable."));
  EXPECT_EQ(world.put_manifest("fixed", "dev1", first).status, 201);
  EXPECT_EQ(world.put_manifest("fixed", "dev1", second).status, 201);
  EXPECT_EQ(world.call("GET", "/v2/fixed/manifests/dev1").body, second);
}

TEST_F(RegistryTest, ListsTagsAndRepositoriesInPages) {
  const auto manifest = world.make_image("team/app", "layer");
  for (const char* tag : {"b", "a", "d", "c", "e"}) world.put_manifest("team/app", tag, manifest);
  EXPECT_EQ(world.call("GET", "/v2/team/app/tags/list").body,
            R"({"name":"team/app","tags":["a","b","c","d","e"]})");
  const auto page = world.call("GET", "/v2/team/app/tags/list?n=2&last=a");
  EXPECT_EQ(page.body, R"({"name":"team/app","tags":["b","c"]})");
  EXPECT_EQ(page.headers.get("Link"), R"(</v2/team/app/tags/list?n=2&last=c>; rel="next")");
  EXPECT_EQ(world.call("GET", "/v2/team/app/tags/list?n=2&last=d").headers.get("Link"), "");
  EXPECT_EQ(world.call("GET", "/v2/team/app/tags/list?n=x").status, 400);
  EXPECT_EQ(world.call("GET", "/v2/team/app/tags/list?n=0").body, R"({"name":"team/app","tags":[]})");
  world.create("another");
  EXPECT_EQ(world.call("GET", "/v2/_catalog").body, R"({"repositories":["another","team/app"]})");
  EXPECT_EQ(world.call("GET", "/v2/_catalog?n=1").headers.get("Link"),
            R"(</v2/_catalog?n=1&last=another>; rel="next")");
  EXPECT_EQ(world.call("GET", "/v2/_catalog?n=1&last=another").body, R"({"repositories":["team/app"]})");
}

TEST_F(RegistryTest, DeletesManifestsTagsAndBlobs) {
  const auto manifest = world.make_image("team/app", "layer");
  const auto digest = image::Digest::of(manifest).str();
  const auto layer = image::Digest::of("layer").str();
  world.put_manifest("team/app", "1", manifest);
  EXPECT_EQ(world.call("DELETE", "/v2/team/app/blobs/" + layer).status, 405);
  EXPECT_EQ(world.call("DELETE", "/v2/team/app/manifests/1").status, 202);
  EXPECT_EQ(world.call("GET", "/v2/team/app/manifests/1").status, 404);
  EXPECT_EQ(world.call("GET", "/v2/team/app/manifests/" + digest).status, 200);
  EXPECT_EQ(world.call("DELETE", "/v2/team/app/manifests/" + digest).status, 202);
  EXPECT_EQ(world.call("DELETE", "/v2/team/app/manifests/" + digest).status, 404);
  EXPECT_EQ(world.call("DELETE", "/v2/team/app/blobs/" + layer).status, 202);
  EXPECT_EQ(world.call("GET", "/v2/team/app/blobs/" + layer).status, 404);
}

TEST_F(RegistryTest, TakesIndexesAndHoldsTheirImages) {
  const auto manifest = world.make_image("team/app", "layer");
  const auto digest = image::Digest::of(manifest).str();
  EXPECT_EQ(world.put_manifest("team/app", digest, manifest).status, 201);
  const auto index =
      R"({"schemaVersion":2,"manifests":[)" + World::descriptor(manifest, image::kOciManifest) + "]}";
  EXPECT_EQ(world.put_manifest("team/app", "multi", index, image::kOciIndex).status, 201);
  EXPECT_EQ(world.call("GET", "/v2/team/app/manifests/multi").headers.get("Content-Type"), image::kOciIndex);
  EXPECT_EQ(world.call("DELETE", "/v2/team/app/manifests/" + digest).status, 405);
  EXPECT_EQ(world.call("DELETE", "/v2/team/app/manifests/" + image::Digest::of(index).str()).status, 202);
  EXPECT_EQ(world.call("DELETE", "/v2/team/app/manifests/" + digest).status, 202);
}

TEST_F(RegistryTest, TellsReferrers) {
  const auto manifest = world.make_image("team/app", "layer");
  world.put_manifest("team/app", "1", manifest);
  const auto subject = image::Digest::of(manifest).str();
  const auto signature =
      world.make_image("team/app", "signature",
                       R"(,"artifactType":"application/x-signature","annotations":{"by":"me"},"subject":)" +
                           World::descriptor(manifest, image::kOciManifest));
  const auto put = world.put_manifest("team/app", image::Digest::of(signature).str(), signature);
  EXPECT_EQ(put.status, 201);
  EXPECT_EQ(put.headers.get("OCI-Subject"), subject);
  auto answer = world.call("GET", "/v2/team/app/referrers/" + subject);
  EXPECT_EQ(answer.headers.get("Content-Type"), image::kOciIndex);
  EXPECT_THAT(answer.body, HasSubstr(image::Digest::of(signature).str()));
  EXPECT_THAT(answer.body, HasSubstr(R"("annotations":{"by":"me"})"));
  answer = world.call("GET", "/v2/team/app/referrers/" + subject + "?artifactType=other");
  EXPECT_EQ(answer.headers.get("OCI-Filters-Applied"), "artifactType");
  EXPECT_THAT(answer.body, HasSubstr(R"("manifests":[])"));
  EXPECT_THAT(world.call("GET", "/v2/team/app/referrers/" + kAbsent).body, HasSubstr(R"("manifests":[])"));
}

struct VerifiedRegistryTest : ::testing::Test {
  static std::pair<std::string, std::string> basic(const std::string& user, const std::string& password) {
    return {"Authorization", "Basic " + core::to_base64(user + ':' + password)};
  }
  std::string token() {
    return world.wait(
        world.tokens.sign({"000000000000", "us-east-1", "AKIATEST", {}, world.clock.now() + kTokenLife}));
  }
  World world{true};
};

TEST_F(VerifiedRegistryTest, AsksForALogin) {
  const auto answer = world.call("GET", "/v2/");
  EXPECT_EQ(answer.status, 401);
  EXPECT_THAT(std::string(answer.headers.get("WWW-Authenticate")),
              HasSubstr("Basic realm=\"http://" + world.host));
  EXPECT_THAT(answer.body, HasSubstr("no basic auth credentials"));
  EXPECT_EQ(world.call("GET", "/v2/", {}, {basic("AWS", "forged")}).status, 401);
  EXPECT_EQ(world.call("GET", "/v2/", {}, {basic("AKIATEST", "wrong")}).status, 401);
  EXPECT_EQ(world.call("GET", "/v2/", {}, {basic("AKIAOTHER", "secret")}).status, 401);
  EXPECT_EQ(world.call("GET", "/v2/", {}, {{"Authorization", "Basic !"}}).status, 401);
  EXPECT_EQ(world.call("GET", "/v2/", {}, {{"Authorization", "Digest x"}}).status, 401);
}

TEST_F(VerifiedRegistryTest, TakesTokensAndKeys) {
  EXPECT_EQ(world.call("GET", "/v2/", {}, {basic("AWS", token())}).status, 200);
  EXPECT_EQ(world.call("GET", "/v2/", {}, {{"Authorization", "Bearer " + token()}}).status, 200);
  EXPECT_EQ(world.call("GET", "/v2/", {}, {basic("AKIATEST", "secret")}).status, 200);
  const auto old = token();
  world.clock.advance(std::chrono::hours(12));
  const auto answer = world.call("GET", "/v2/", {}, {basic("AWS", old)});
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("Your authorization token has expired. Reauthenticate and try again."));
  EXPECT_THAT(answer.body, HasSubstr("DENIED"));
}

TEST_F(VerifiedRegistryTest, DownloadUrlOpensOneBlob) {
  world.create("team/app");
  const auto allowed = basic("AKIATEST", "secret");
  const auto digest = image::Digest::of("hello").str();
  world.call("POST", "/v2/team/app/blobs/uploads/?digest=" + digest, "hello", {allowed});
  api::ecr::GetDownloadUrlForLayerInput in;
  in.repositoryName = "team/app";
  in.layerDigest = digest;
  const auto url = *world.wait(world.api->GetDownloadUrlForLayer(world.caller(), in)).downloadUrl;
  EXPECT_EQ(world.call("GET", url).body, "hello");
  const auto query = url.substr(url.find('?'));
  EXPECT_EQ(world.call("GET", "/v2/team/app/tags/list" + query).status, 403);
  EXPECT_EQ(world.call("DELETE", url).status, 403);
  EXPECT_EQ(world.call("GET", url + "x").status, 401);
  world.clock.advance(std::chrono::hours(2));
  EXPECT_EQ(world.call("GET", url).status, 403);
}

}  // namespace
}  // namespace sampan::ecr
