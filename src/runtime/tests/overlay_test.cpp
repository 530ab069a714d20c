#include "runtime/overlay.h"

#include <gtest/gtest.h>

#include <fstream>

#include "runtime/tests/machine.h"

namespace sampan::runtime {
namespace {

using namespace testing;

class Overlay : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  }
  fs::path lower(const std::string& name, const std::string& text) {
    const fs::path path = work_.path() / name;
    fs::create_directories(path);
    std::ofstream(path / "file") << text;
    return path;
  }
  OverlaySpec over(std::vector<fs::path> lowers) {
    OverlaySpec spec;
    spec.lowers = std::move(lowers);
    spec.upper = work_.path() / "upper";
    spec.work = work_.path() / "work";
    spec.target = work_.path() / "merged";
    return spec;
  }
  io::TemporaryDirectory work_;
};

TEST_F(Overlay, TheFirstLowerIsTheTopmost) {
  const OverlaySpec spec = over({lower("top", "top"), lower("bottom", "bottom")});
  const ScopedMount mounted(spec.target);
  mount_overlay(spec);
  mount_overlay(spec);  // again: stays as it is
  EXPECT_EQ(io::read_file(spec.target / "file"), "top");
  std::ofstream(spec.target / "new") << "x";
  EXPECT_TRUE(fs::exists(spec.upper / "new"));
  EXPECT_EQ(mounts_with(spec.target.string()), 1);
}

TEST_F(Overlay, TakesManyLayersWithLongNames) {
  std::vector<fs::path> lowers;
  for (int i = 0; i < 120; ++i) lowers.push_back(lower(fmt::format("{}-{}", std::string(150, 'l'), i), "x"));
  const OverlaySpec spec = over(lowers);
  const ScopedMount mounted(spec.target);
  mount_overlay(spec);
  EXPECT_TRUE(fs::exists(spec.target / "file"));
}

TEST_F(Overlay, RefusesMoreThanTheKernelStacks) {
  const std::vector<fs::path> lowers(501, lower("l", "x"));
  EXPECT_THROW(mount_overlay(over(lowers)), core::Error);
}

TEST_F(Overlay, WithoutLowersIsTheUpperItself) {
  const OverlaySpec spec = over({});
  const ScopedMount mounted(spec.target);
  mount_overlay(spec);
  std::ofstream(spec.target / "new") << "x";
  EXPECT_TRUE(fs::exists(spec.upper / "new"));
}

TEST_F(Overlay, WithoutUpperIsReadOnly) {
  for (const auto& lowers : {std::vector<fs::path>{lower("a", "a")}, {lower("b", "b"), lower("c", "c")}}) {
    OverlaySpec spec = over(lowers);
    spec.upper.clear();
    const ScopedMount mounted(spec.target);
    mount_overlay(spec);
    EXPECT_FALSE(std::ofstream(spec.target / "new").is_open());
  }
}

TEST_F(Overlay, SaysWhichLayerIsMissing) {
  try {
    mount_overlay(over({work_.path() / "absent"}));
    FAIL() << "no error";
  } catch (const core::Error& error) {
    EXPECT_NE(std::string(error.what()).find("absent"), std::string::npos) << error.what();
  }
}

TEST_F(Overlay, UnmountTakesEveryMountAndRepeats) {
  const fs::path target = work_.path() / "t";
  bind_mount(lower("a", "a"), target, true);
  EXPECT_TRUE(is_mount_point(target));
  unmount(target);
  unmount(target);
  unmount(work_.path() / "never");
  EXPECT_FALSE(is_mount_point(target));
}

}  // namespace
}  // namespace sampan::runtime
