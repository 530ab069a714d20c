// The ECR API's answers and refusals.
#include <gmock/gmock.h>

#include "ecr/tests/world.h"

namespace sampan::ecr {
namespace {

namespace api = sampan::api::ecr;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct ApiTest : ::testing::Test {
  template <class Out, class In>
  Out run(boost::asio::awaitable<Out> (EcrApi::*operation)(const aws::Call&, In), In in) {
    call = world.caller();
    return world.wait(((*world.api).*operation)(call, std::move(in)));
  }
  template <class Fault, class Out, class In>
  std::string fault(boost::asio::awaitable<Out> (EcrApi::*operation)(const aws::Call&, In), In in) {
    try {
      run(operation, std::move(in));
    } catch (const Fault& thrown) {
      return thrown.what();
    } catch (const std::exception& other) {
      return std::string("another exception: ") + other.what();
    }
    return "no exception";
  }
  static api::ImageIdentifier by_tag(const std::string& tag) {
    api::ImageIdentifier id;
    id.imageTag = tag;
    return id;
  }
  static api::ImageIdentifier by_digest(const std::string& digest) {
    api::ImageIdentifier id;
    id.imageDigest = digest;
    return id;
  }
  api::PutImageOutput put(const std::string& repository, const std::string& manifest,
                          const std::string& tag) {
    api::PutImageInput in;
    in.repositoryName = repository;
    in.imageManifest = manifest;
    if (!tag.empty()) in.imageTag = tag;
    return run(&EcrApi::PutImage, in);
  }
  World world;
  aws::Call call;
};

TEST_F(ApiTest, CreatesDescribesAndDeletesRepositories) {
  api::CreateRepositoryInput in;
  in.repositoryName = "team/app";
  const auto made = run(&EcrApi::CreateRepository, in);
  EXPECT_EQ(made.repository->repositoryUri, world.host + "/team/app");
  EXPECT_EQ(made.repository->repositoryArn, "arn:aws:ecr:us-east-1:000000000000:repository/team/app");
  EXPECT_EQ(made.repository->imageTagMutability, "MUTABLE");
  EXPECT_EQ(made.repository->encryptionConfiguration->encryptionType, "AES256");
  EXPECT_EQ(fault<api::RepositoryAlreadyExistsException>(&EcrApi::CreateRepository, in),
            "The repository with name 'team/app' already exists in the registry with id '000000000000'");
  api::DescribeRepositoriesInput describe;
  describe.repositoryNames = {"no/such"};
  EXPECT_EQ(fault<api::RepositoryNotFoundException>(&EcrApi::DescribeRepositories, describe),
            "The repository with name 'no/such' does not exist in the registry with id '000000000000'");
  put("team/app", world.make_image("team/app", "x"), "1");
  api::DeleteRepositoryInput remove;
  remove.repositoryName = "team/app";
  EXPECT_EQ(fault<api::RepositoryNotEmptyException>(&EcrApi::DeleteRepository, remove),
            "The repository with name 'team/app' in registry with id '000000000000' cannot be deleted "
            "because it still "
            "contains images");
  remove.force = true;
  EXPECT_EQ(run(&EcrApi::DeleteRepository, remove).repository->repositoryName, "team/app");
  EXPECT_EQ(world.repositories.images().size(), 0u);
  run(&EcrApi::CreateRepository, in);
  EXPECT_FALSE(world.repositories.has_blob(World::id("team/app"), image::Digest::of("x")));
}

TEST_F(ApiTest, PagesRepositories) {
  for (int i = 0; i < 25; ++i) world.create("repo" + std::to_string(100 + i));
  api::DescribeRepositoriesInput in;
  in.maxResults = 10;
  std::vector<std::string> names;
  while (true) {
    const auto page = run(&EcrApi::DescribeRepositories, in);
    for (const auto& repository : *page.repositories) names.push_back(*repository.repositoryName);
    if (!page.nextToken) break;
    in.nextToken = page.nextToken;
  }
  EXPECT_EQ(names.size(), 25u);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  in.nextToken = "nonsense";
  EXPECT_THAT(fault<api::InvalidParameterException>(&EcrApi::DescribeRepositories, in),
              HasSubstr("Invalid token"));
}

TEST_F(ApiTest, ChecksMutability) {
  api::CreateRepositoryInput in;
  in.repositoryName = "team/app";
  in.imageTagMutability = "IMMUTABLE_WITH_EXCLUSION";
  EXPECT_THAT(fault<api::InvalidParameterException>(&EcrApi::CreateRepository, in),
              HasSubstr("exclusion filters"));
  in.imageTagMutabilityExclusionFilters.emplace().emplace_back();
  in.imageTagMutabilityExclusionFilters->front().filterType = "WILDCARD";
  in.imageTagMutabilityExclusionFilters->front().filter = "dev-*";
  EXPECT_EQ(run(&EcrApi::CreateRepository, in).repository->imageTagMutabilityExclusionFilters->front().filter,
            "dev-*");
  api::PutImageTagMutabilityInput change;
  change.repositoryName = "team/app";
  change.imageTagMutability = "IMMUTABLE";
  EXPECT_EQ(run(&EcrApi::PutImageTagMutability, change).imageTagMutability, "IMMUTABLE");
  const auto first = world.make_image("team/app", "one");
  const auto second = world.make_image("team/app", "two");
  put("team/app", first, "1");
  api::PutImageInput again;
  again.repositoryName = "team/app";
  again.imageManifest = second;
  again.imageTag = "1";
  EXPECT_EQ(fault<api::ImageTagAlreadyExistsException>(&EcrApi::PutImage, again),
            "The image tag '1' already exists in the 'team/app' repository and cannot be overwritten because "
            "the tag is "
            "immutable.");
}

TEST_F(ApiTest, PutsListsAndDescribesImages) {
  world.create("team/app");
  const auto first = world.make_image("team/app", "one");
  const auto second = world.make_image("team/app", "layer two");
  EXPECT_EQ(put("team/app", first, "1").image->imageId->imageDigest, image::Digest::of(first).str());
  put("team/app", first, "latest");
  put("team/app", second, "latest");
  put("team/app", second, "2");
  api::PutImageInput same;
  same.repositoryName = "team/app";
  same.imageManifest = second;
  same.imageTag = "2";
  EXPECT_THAT(fault<api::ImageAlreadyExistsException>(&EcrApi::PutImage, same), HasSubstr("already exists"));
  same.imageDigest = image::Digest::of("x").str();
  EXPECT_THAT(fault<api::ImageDigestDoesNotMatchException>(&EcrApi::PutImage, same),
              HasSubstr("does not match"));

  api::ListImagesInput list;
  list.repositoryName = "team/app";
  list.maxResults = 1;
  std::vector<std::string> tags;
  while (true) {
    const auto page = run(&EcrApi::ListImages, list);
    for (const auto& id : *page.imageIds) tags.push_back(*id.imageTag);
    if (!page.nextToken) break;
    list.nextToken = page.nextToken;
  }
  EXPECT_THAT(tags, ::testing::UnorderedElementsAre("1", "2", "latest"));

  api::DescribeImagesInput describe;
  describe.repositoryName = "team/app";
  describe.imageIds = {by_tag("latest")};
  const auto detail = run(&EcrApi::DescribeImages, describe).imageDetails->at(0);
  EXPECT_THAT(*detail.imageTags, ElementsAre("2", "latest"));
  EXPECT_EQ(detail.imageDigest, image::Digest::of(second).str());
  EXPECT_EQ(detail.imageManifestMediaType, image::kOciManifest);
  EXPECT_GT(*detail.imageSizeInBytes, 9);
  EXPECT_EQ(detail.imageStatus, "ACTIVE");
  describe.imageIds = {by_tag("none")};
  EXPECT_EQ(fault<api::ImageNotFoundException>(&EcrApi::DescribeImages, describe),
            "The image with imageId {imageDigest:'null', imageTag:'none'} does not exist within the "
            "repository with name "
            "'team/app' in the registry with id '000000000000'");
  describe.imageIds.reset();
  EXPECT_EQ(run(&EcrApi::DescribeImages, describe).imageDetails->size(), 2u);
  describe.filter.emplace().tagStatus = "UNTAGGED";
  EXPECT_TRUE(run(&EcrApi::DescribeImages, describe).imageDetails->empty());
}

TEST_F(ApiTest, RefusesImagesOfAbsentLayers) {
  world.create("team/app");
  world.create("other");
  api::PutImageInput in;
  in.repositoryName = "other";
  in.imageManifest = world.make_image("team/app", "one");
  EXPECT_THAT(fault<api::LayersNotFoundException>(&EcrApi::PutImage, in),
              HasSubstr(image::Digest::of("one").str()));
  in.imageManifest =
      R"({"schemaVersion":2,"manifests":[)" + World::descriptor("absent", image::kOciManifest) + "]}";
  EXPECT_THAT(fault<api::ReferencedImagesNotFoundException>(&EcrApi::PutImage, in),
              HasSubstr(image::Digest::of("absent").str()));
  in.imageManifest = "{";
  EXPECT_THAT(fault<api::InvalidParameterException>(&EcrApi::PutImage, in), HasSubstr("ImageManifest"));
}

TEST_F(ApiTest, GetsAndDeletesImagesInBatches) {
  world.create("team/app");
  const auto first = world.make_image("team/app", "one");
  const auto second = world.make_image("team/app", "two");
  put("team/app", first, "1");
  put("team/app", first, "uno");
  put("team/app", second, "2");
  api::BatchGetImageInput get;
  get.repositoryName = "team/app";
  get.imageIds = {by_tag("1"), by_tag("none"), {}, by_digest("nonsense")};
  const auto got = run(&EcrApi::BatchGetImage, get);
  ASSERT_EQ(got.images->size(), 1u);
  EXPECT_EQ(got.images->front().imageManifest, first);
  ASSERT_EQ(got.failures->size(), 3u);
  EXPECT_EQ(got.failures->at(0).failureCode, "ImageNotFound");
  EXPECT_EQ(got.failures->at(1).failureCode, "MissingDigestAndTag");
  EXPECT_EQ(got.failures->at(2).failureCode, "InvalidImageDigest");

  api::BatchDeleteImageInput remove;
  remove.repositoryName = "team/app";
  remove.imageIds = {by_tag("uno")};
  EXPECT_EQ(run(&EcrApi::BatchDeleteImage, remove).imageIds->at(0).imageTag, "uno");
  EXPECT_TRUE(world.repositories.find_tag(World::id("team/app"), "1"));
  remove.imageIds = {by_tag("1")};
  run(&EcrApi::BatchDeleteImage, remove);
  EXPECT_FALSE(world.repositories.find_image(World::id("team/app"), image::Digest::of(first)));
  remove.imageIds = {by_digest(image::Digest::of(second).str())};
  EXPECT_EQ(run(&EcrApi::BatchDeleteImage, remove).imageIds->at(0).imageTag, "2");
  EXPECT_EQ(run(&EcrApi::BatchDeleteImage, remove).failures->at(0).failureCode, "ImageNotFound");
}

TEST_F(ApiTest, IndexHoldsItsImages) {
  world.create("team/app");
  const auto child = world.make_image("team/app", "one");
  put("team/app", child, "");
  const auto index =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)" +
      World::descriptor(child, image::kOciManifest) + "]}";
  put("team/app", index, "multi");
  api::BatchDeleteImageInput remove;
  remove.repositoryName = "team/app";
  remove.imageIds = {by_digest(image::Digest::of(child).str())};
  const auto failure = run(&EcrApi::BatchDeleteImage, remove).failures->at(0);
  EXPECT_EQ(failure.failureCode, "ImageReferencedByManifestList");
  EXPECT_THAT(*failure.failureReason, HasSubstr(image::Digest::of(index).str()));
  // Together they go, however deep and in whatever order.
  const auto outer =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)" +
      World::descriptor(index, image::kOciIndex) + "]}";
  put("team/app", outer, "outer");
  remove.imageIds.push_back(by_digest(image::Digest::of(index).str()));
  EXPECT_EQ(run(&EcrApi::BatchDeleteImage, remove).failures->size(), 2u);
  remove.imageIds.push_back(by_tag("outer"));
  EXPECT_TRUE(run(&EcrApi::BatchDeleteImage, remove).failures->empty());
  EXPECT_EQ(world.repositories.images().size(), 0u);
}

TEST_F(ApiTest, NamesTheManagedKeyWhereNoneIsGiven) {
  api::CreateRepositoryInput in;
  in.repositoryName = "sealed";
  in.encryptionConfiguration.emplace().encryptionType = "KMS";
  const auto key = *run(&EcrApi::CreateRepository, in).repository->encryptionConfiguration->kmsKey;
  EXPECT_THAT(key, ::testing::StartsWith("arn:aws:kms:us-east-1:000000000000:key/"));
  in.repositoryName = "sealed-too";
  EXPECT_EQ(*run(&EcrApi::CreateRepository, in).repository->encryptionConfiguration->kmsKey, key);
  in.repositoryName = "open";
  in.encryptionConfiguration->encryptionType = "AES256";
  EXPECT_FALSE(run(&EcrApi::CreateRepository, in).repository->encryptionConfiguration->kmsKey);
}

TEST_F(ApiTest, RefusesASmallPartThatWasNotTheLastOne) {
  world.create("team/app");
  api::InitiateLayerUploadInput begin;
  begin.repositoryName = "team/app";
  api::UploadLayerPartInput part;
  part.repositoryName = "team/app";
  part.uploadId = *run(&EcrApi::InitiateLayerUpload, begin).uploadId;
  for (const int first : {0, 5}) {
    part.partFirstByte = first;
    part.partLastByte = first + 4;
    part.layerPartBlob = "01234";
    run(&EcrApi::UploadLayerPart, part);
  }
  api::CompleteLayerUploadInput end;
  end.repositoryName = "team/app";
  end.uploadId = part.uploadId;
  end.layerDigests = {image::Digest::of("0123401234").str()};
  EXPECT_THAT(fault<api::LayerPartTooSmallException>(&EcrApi::CompleteLayerUpload, end), HasSubstr("5 MiB"));
}

TEST_F(ApiTest, UploadsLayersInParts) {
  world.create("team/app");
  api::InitiateLayerUploadInput begin;
  begin.repositoryName = "team/app";
  const auto upload = *run(&EcrApi::InitiateLayerUpload, begin).uploadId;
  api::UploadLayerPartInput part;
  part.repositoryName = "team/app";
  part.uploadId = upload;
  part.partFirstByte = 5;
  part.partLastByte = 9;
  part.layerPartBlob = "01234";
  EXPECT_THAT(fault<api::InvalidLayerPartException>(&EcrApi::UploadLayerPart, part),
              HasSubstr("must begin at byte 0"));
  part.partFirstByte = 0;
  part.partLastByte = 4;
  EXPECT_EQ(run(&EcrApi::UploadLayerPart, part).lastByteReceived, 4);
  part.partFirstByte = 5;
  part.partLastByte = 9;
  api::CompleteLayerUploadInput end;
  end.repositoryName = "team/app";
  end.uploadId = upload;
  end.layerDigests = {image::Digest::of("01234").str()};
  EXPECT_EQ(run(&EcrApi::CompleteLayerUpload, end).layerDigest, image::Digest::of("01234").str());
  EXPECT_THAT(fault<api::UploadNotFoundException>(&EcrApi::CompleteLayerUpload, end), HasSubstr(upload));
  end.uploadId = *run(&EcrApi::InitiateLayerUpload, begin).uploadId;
  EXPECT_THAT(fault<api::EmptyUploadException>(&EcrApi::CompleteLayerUpload, end), HasSubstr("no parts"));
  part.uploadId = end.uploadId;
  part.partFirstByte = 0;
  part.partLastByte = 4;
  run(&EcrApi::UploadLayerPart, part);
  EXPECT_THAT(fault<api::LayerAlreadyExistsException>(&EcrApi::CompleteLayerUpload, end),
              HasSubstr("already exists"));
  end.layerDigests = {image::Digest::of("other").str()};
  EXPECT_THAT(fault<api::InvalidLayerException>(&EcrApi::CompleteLayerUpload, end),
              HasSubstr("its digest is"));

  api::BatchCheckLayerAvailabilityInput check;
  check.repositoryName = "team/app";
  check.layerDigests = {image::Digest::of("01234").str(), image::Digest::of("other").str(), "nonsense"};
  const auto checked = run(&EcrApi::BatchCheckLayerAvailability, check);
  EXPECT_EQ(checked.layers->at(0).layerAvailability, "AVAILABLE");
  EXPECT_EQ(checked.layers->at(0).layerSize, 5);
  EXPECT_EQ(checked.layers->at(1).layerAvailability, "UNAVAILABLE");
  EXPECT_EQ(checked.failures->at(0).failureCode, "InvalidLayerDigest");
}

TEST_F(ApiTest, TagsRepositories) {
  world.create("team/app");
  const auto arn = World::id("team/app").arn();
  api::TagResourceInput tag;
  tag.resourceArn = arn;
  tag.tags.resize(2);
  tag.tags[0].Key = "a";
  tag.tags[0].Value = "1";
  tag.tags[1].Key = "b";
  run(&EcrApi::TagResource, tag);
  api::UntagResourceInput untag;
  untag.resourceArn = arn;
  untag.tagKeys = {"b"};
  run(&EcrApi::UntagResource, untag);
  api::ListTagsForResourceInput list;
  list.resourceArn = arn;
  const auto tags = run(&EcrApi::ListTagsForResource, list);
  ASSERT_EQ(tags.tags->size(), 1u);
  EXPECT_EQ(tags.tags->front().Value, "1");
  tag.tags[0].Key = "aws:x";
  EXPECT_NE(fault<api::InvalidTagParameterException>(&EcrApi::TagResource, tag), "no exception");
  list.resourceArn = "nonsense";
  EXPECT_THAT(fault<api::InvalidParameterException>(&EcrApi::ListTagsForResource, list),
              HasSubstr("Invalid ARN"));
}

TEST_F(ApiTest, GivesTokensThatTheRegistryTakes) {
  const auto data =
      run(&EcrApi::GetAuthorizationToken, api::GetAuthorizationTokenInput()).authorizationData->at(0);
  EXPECT_EQ(data.expiresAt, world.clock.now() + std::chrono::hours(12));
  EXPECT_EQ(data.proxyEndpoint, "http://" + world.host);
  const auto text = *core::from_base64(*data.authorizationToken);
  EXPECT_EQ(text.substr(0, 4), "AWS:");
  EXPECT_EQ(world.tokens.read(text.substr(4))->access_key, "AKIATEST");
}

TEST_F(ApiTest, CatalogNamesAndPublishesImages) {
  const image::Registry home{"000000000000", "us-east-1"};
  std::vector<image::LayerDescriptor> none;
  const auto image = image::store_image(world.content, {}, none);
  world.wait(world.catalog->tag(home, "built/app", "1", image.manifest));
  EXPECT_EQ(world.call("GET", "/v2/built/app/manifests/1").status, 200);
  EXPECT_EQ(world.call("GET", "/v2/built/app/blobs/" + image.config_digest.str()).status, 200);
  const auto resolve = [&](const std::string& text) {
    auto reference = *image::Reference::parse(text);
    return world.wait(
        [](World& w, image::Registry h, image::Reference r) -> io::Awaitable<std::optional<image::Digest>> {
          co_return w.catalog->resolve(h, r);
        }(world, home, reference));
  };
  EXPECT_EQ(resolve("built/app:1"), image.manifest);
  EXPECT_EQ(resolve("built/app@" + image.manifest.str()), image.manifest);
  EXPECT_EQ(resolve("000000000000.dkr.ecr.us-east-1.amazonaws.com/built/app:1"), image.manifest);
  EXPECT_FALSE(resolve("000000000000.dkr.ecr.eu-west-1.amazonaws.com/built/app:1"));
  EXPECT_FALSE(resolve("built/app:2"));
  EXPECT_TRUE(world.catalog->owns(""));
  EXPECT_TRUE(world.catalog->owns(world.host));
  EXPECT_FALSE(world.catalog->owns("docker.io"));
  world.create("fixed", "IMMUTABLE");
  world.wait(world.catalog->tag(home, "fixed", "1", image.manifest));
  image::ImageConfig other;
  other.user = "x";
  const auto second = image::store_image(world.content, other, none);
  EXPECT_THROW(world.wait(world.catalog->tag(home, "fixed", "1", second.manifest)), core::Error);
  EXPECT_THROW(world.wait(world.catalog->tag(home, "Bad Name", "1", second.manifest)), core::Error);
}

}  // namespace
}  // namespace sampan::ecr
