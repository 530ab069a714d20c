#include "ecr/scope.h"

#include <gmock/gmock.h>

namespace sampan::ecr {
namespace {

TEST(Scope, IsReadAndWrittenAsClientsHaveIt) {
  const auto scopes = parse_scopes(
      "repository:team/app:pull,push repository:other:* registry:catalog:* repository:x:fly nonsense");
  ASSERT_EQ(scopes.size(), 3U);
  EXPECT_EQ(render_scopes(scopes),
            "repository:team/app:pull,push repository:other:pull,push,delete registry:catalog:*");
  // A name may hold a port's colon in some clients' wording: the last colon divides.
  EXPECT_EQ(parse_scopes("repository:host:5000/app:pull").at(0).repository, "host:5000/app");
  std::string many;
  for (int i = 0; i < 150; ++i) many += "repository:r" + std::to_string(i) + ":pull ";
  EXPECT_EQ(parse_scopes(many).size(), kMostScopes);
}

TEST(Scope, IsWhatTheRequestNeeds) {
  const auto needed = [](const char* path, const char* method) {
    return render_scopes(scopes_needed(*parse_route(path), method));
  };
  EXPECT_EQ(needed("/v2/a/manifests/1", "GET"), "repository:a:pull");
  EXPECT_EQ(needed("/v2/a/manifests/1", "PUT"), "repository:a:pull,push");
  EXPECT_EQ(needed("/v2/a/manifests/1", "DELETE"), "repository:a:delete");
  EXPECT_EQ(needed("/v2/a/blobs/uploads/", "POST"), "repository:a:pull,push");
  EXPECT_EQ(needed("/v2/a/blobs/uploads/1", "GET"), "repository:a:pull,push");
  EXPECT_EQ(needed("/v2/a/blobs/uploads/1", "DELETE"), "repository:a:pull,push");
  EXPECT_EQ(needed("/v2/_catalog", "GET"), "registry:catalog:*");
  EXPECT_EQ(needed("/v2/", "GET"), "");
}

TEST(Scope, CoversNoMoreThanItSays) {
  const auto pull = parse_scopes("repository:a:pull");
  const auto push = parse_scopes("repository:a:push");
  const auto both = parse_scopes("repository:a:pull,push");
  EXPECT_TRUE(covers(both, pull));
  EXPECT_FALSE(covers(pull, both));
  EXPECT_TRUE(covers(parse_scopes("repository:a:pull repository:a:push"), both));
  EXPECT_FALSE(covers(parse_scopes("repository:ab:pull,push"), push));
  EXPECT_FALSE(covers(both, parse_scopes("registry:catalog:*")));
  EXPECT_FALSE(covers(parse_scopes("registry:catalog:*"), pull));
  EXPECT_TRUE(covers({}, {}));
}

}  // namespace
}  // namespace sampan::ecr
