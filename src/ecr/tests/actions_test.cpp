#include "ecr/actions.h"

#include <gmock/gmock.h>

namespace sampan::ecr {
namespace {

using ::testing::ElementsAre;
using Kind = Route::Kind;

std::vector<ActionOn> ask(Kind kind, std::string_view method, const Query& query = {}) {
  return actions_of({kind, "team/app", "x"}, method, query);
}

TEST(Actions, NameWhatEachRequestNeeds) {
  const std::string app = "team/app";
  EXPECT_THAT(ask(Kind::kManifest, "GET"), ElementsAre(ActionOn{"ecr:BatchGetImage", app}));
  EXPECT_THAT(ask(Kind::kManifest, "HEAD"), ElementsAre(ActionOn{"ecr:BatchGetImage", app}));
  EXPECT_THAT(ask(Kind::kManifest, "PUT"), ElementsAre(ActionOn{"ecr:PutImage", app}));
  EXPECT_THAT(ask(Kind::kManifest, "DELETE"), ElementsAre(ActionOn{"ecr:BatchDeleteImage", app}));
  EXPECT_THAT(ask(Kind::kBlob, "HEAD"), ElementsAre(ActionOn{"ecr:BatchCheckLayerAvailability", app}));
  EXPECT_THAT(ask(Kind::kBlob, "GET"), ElementsAre(ActionOn{"ecr:GetDownloadUrlForLayer", app}));
  EXPECT_THAT(ask(Kind::kUploads, "POST"), ElementsAre(ActionOn{"ecr:InitiateLayerUpload", app}));
  EXPECT_THAT(ask(Kind::kUpload, "PATCH"), ElementsAre(ActionOn{"ecr:UploadLayerPart", app}));
  EXPECT_THAT(ask(Kind::kUpload, "PUT"), ElementsAre(ActionOn{"ecr:CompleteLayerUpload", app}));
  EXPECT_THAT(ask(Kind::kTags, "GET"), ElementsAre(ActionOn{"ecr:ListImages", app}));
  EXPECT_THAT(ask(Kind::kReferrers, "GET"), ElementsAre(ActionOn{"ecr:ListImageReferrers", app}));
  EXPECT_THAT(actions_of({Kind::kCatalog, "", ""}, "GET", {}),
              ElementsAre(ActionOn{"ecr:DescribeRepositories", ""}));
}

TEST(Actions, OfAnUploadInOneRequestAreAllThree) {
  EXPECT_THAT(ask(Kind::kUploads, "POST", {{"digest", "sha256:1"}}),
              ElementsAre(ActionOn{"ecr:InitiateLayerUpload", "team/app"},
                          ActionOn{"ecr:UploadLayerPart", "team/app"},
                          ActionOn{"ecr:CompleteLayerUpload", "team/app"}));
}

TEST(Actions, EveryMethodThatIsAllowedNeedsOne) {
  for (const auto kind : {Kind::kCatalog, Kind::kTags, Kind::kManifest, Kind::kBlob, Kind::kUploads,
                          Kind::kUpload, Kind::kReferrers}) {
    for (const std::string_view method : {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"}) {
      const bool allowed = allowed_methods(kind).find(method) != std::string_view::npos;
      EXPECT_EQ(!ask(kind, method).empty(), allowed) << static_cast<int>(kind) << ' ' << method;
    }
  }
  EXPECT_TRUE(ask(Kind::kBase, "GET").empty());
}

}  // namespace
}  // namespace sampan::ecr
