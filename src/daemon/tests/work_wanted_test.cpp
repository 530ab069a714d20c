#include "daemon/work_wanted.h"

#include <gtest/gtest.h>

namespace sampan::daemon {
namespace {

TEST(WorkWanted, NamesTheActionAndTheRepositoriesThatAreWritten) {
  const auto build = work_wanted("POST", "/sampan/v1/build", "t=team/app:1&t=localhost:4566/other:2&arg=t%3Dx");
  EXPECT_EQ(build.action, "sampan:Build");
  ASSERT_EQ(build.repositories.size(), 2u);
  EXPECT_EQ(build.repositories[0].first, "ecr:PutImage");
  EXPECT_EQ(build.repositories[0].second, "team/app");
  EXPECT_EQ(build.repositories[1].second, "other");
  EXPECT_EQ(work_wanted("GET", "/sampan/v1/build/abc", "from=3").action, "sampan:GetBuild");
  EXPECT_EQ(work_wanted("DELETE", "/sampan/v1/build/abc", "").action, "sampan:CancelBuild");
  const auto push = work_wanted("POST", "/sampan/v1/images/push", "name=team/app:1&to=example.com/x:1");
  EXPECT_EQ(push.action, "sampan:PushImage");
  ASSERT_EQ(push.repositories.size(), 1u);
  EXPECT_EQ(push.repositories[0].first, "ecr:BatchGetImage");
}

TEST(WorkWanted, AnInventoryIsReadAsTheImageIs) {
  const auto wanted = work_wanted("GET", "/sampan/v1/inventory", "repository=localhost:4566/localhost/x&tag=1");
  EXPECT_EQ(wanted.action, "sampan:GetInventory");
  ASSERT_EQ(wanted.repositories.size(), 1u);
  EXPECT_EQ(wanted.repositories[0].first, "ecr:BatchGetImage");
  EXPECT_EQ(wanted.repositories[0].second, "localhost/x");
}

TEST(WorkWanted, WhatIsNotKnownIsAdministration) {
  EXPECT_EQ(work_wanted("POST", "/sampan/v1/anything", "").action, "sampan:Administer");
  EXPECT_EQ(work_wanted("PUT", "/sampan/v1/build", "t=x").action, "sampan:Administer");
  EXPECT_EQ(work_wanted("POST", "/sampan/v1/builds", "").action, "sampan:Administer");
}

}  // namespace
}  // namespace sampan::daemon
