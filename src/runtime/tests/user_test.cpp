#include "runtime/user.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "core/error.h"

namespace sampan::runtime {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\nbroken\nann:x:1000:1001::/home/ann:/bin/sh\n123:x:77:78::/n:/bin/sh\n";
constexpr std::string_view kGroup = "root:x:0:\nann:x:1001:\nwheel:x:10:root,ann\nstaff:x:50:\n";

struct UserCase {
  std::string text;
  std::uint32_t uid;
  std::uint32_t gid;
  std::string home;
  std::size_t groups;
};

TEST(ResolveUser, FollowsDockersRules) {
  const UserCase cases[] = {
      {"", 0, 0, "/root", 1},
      {"root", 0, 0, "/root", 1},
      {"ann", 1000, 1001, "/home/ann", 1},
      {"1000", 1000, 1001, "/home/ann", 1},
      {"4242", 4242, 0, "/", 0},
      {"ann:staff", 1000, 50, "/home/ann", 0},
      {"4242:50", 4242, 50, "/", 0},
      {":staff", 0, 50, "/root", 0},
      {"ann:4321", 1000, 4321, "/home/ann", 0},
      {"123", 77, 78, "/n", 0},  // a name made of digits comes before the number
  };
  for (const UserCase& each : cases) {
    const ResolvedUser user = resolve_user(each.text, {}, kPasswd, kGroup);
    EXPECT_EQ(user.uid, each.uid) << each.text;
    EXPECT_EQ(user.gid, each.gid) << each.text;
    EXPECT_EQ(user.home, each.home) << each.text;
    EXPECT_EQ(user.additional_gids.size(), each.groups) << each.text;
  }
}

TEST(ResolveUser, NamesWhatIsAbsent) {
  const auto message = [](std::string_view text) {
    try {
      resolve_user(text, {}, kPasswd, kGroup);
    } catch (const core::Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message("bob"), "unable to find user bob: no matching entries in passwd file");
  EXPECT_EQ(message("ann:club"), "unable to find group club: no matching entries in group file");
  EXPECT_NE(message("-5"), "");
  EXPECT_NE(message("99999999999"), "");
}

TEST(ResolveUser, TakesFilesFromInsideTheRootOnly) {
  const io::TemporaryDirectory root;
  fs::create_directories(root.path() / "etc");
  std::ofstream(root.path() / "real") << "eve:x:5:6::/e:/bin/sh\n";
  fs::create_symlink("/real", root.path() / "etc/passwd");  // absolute: within the root
  EXPECT_EQ(resolve_user_in(root.path(), "eve", {}).uid, 5U);
  fs::remove(root.path() / "etc/passwd");
  fs::create_symlink("../../../../../../etc/passwd", root.path() / "etc/passwd");
  // Leads to itself inside the root: a loop, not the host's file.
  EXPECT_THROW(resolve_user_in(root.path(), "root", {}), core::Error);
}

TEST(ResolveUser, DoesNotWaitForAFifoNorReadTooMuch) {
  const io::TemporaryDirectory root;
  fs::create_directories(root.path() / "etc");
  ASSERT_EQ(::mkfifo((root.path() / "etc/passwd").c_str(), 0644), 0);
  EXPECT_EQ(resolve_user_in(root.path(), "7", {}).uid, 7U);
  fs::remove(root.path() / "etc/passwd");
  std::ofstream(root.path() / "etc/passwd") << std::string(1024 * 1024 + 1, 'x');
  EXPECT_THROW(resolve_user_in(root.path(), "7", {}), core::Error);
}

}  // namespace
}  // namespace sampan::runtime
