#include "runtime/bundle.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "runtime/seccomp.h"

namespace sampan::runtime {
namespace {

namespace json = boost::json;

ContainerSpec plain() {
  ContainerSpec spec;
  spec.id = "web";
  spec.rootfs = "/r";
  spec.process.args = {"/bin/app"};
  return spec;
}

json::object render(const ContainerSpec& spec, const Host& host = {}) {
  return render_config(spec, ResolvedUser{}, host);
}

std::set<std::string> namespaces(const json::object& config) {
  std::set<std::string> types;
  for (const json::value& each : config.at("linux").at("namespaces").as_array()) {
    types.insert(std::string(each.at("type").as_string()));
  }
  return types;
}

const json::object* mount_at(const json::object& config, std::string_view target) {
  for (const json::value& each : config.at("mounts").as_array()) {
    if (each.at("destination").as_string() == target) return &each.as_object();
  }
  return nullptr;
}

bool has_option(const json::object& mount, std::string_view option) {
  for (const json::value& each : mount.at("options").as_array()) {
    if (each.as_string() == option) return true;
  }
  return false;
}

TEST(RenderConfig, KeepsTheHostsNetworkAndNameWithoutOnesOfItsOwn) {
  EXPECT_EQ(namespaces(render(plain())), (std::set<std::string>{"mount", "pid", "ipc", "cgroup"}));
  ContainerSpec spec = plain();
  spec.network_namespace = "/run/net";
  spec.hostname = "h";
  EXPECT_EQ(namespaces(render(spec)),
            (std::set<std::string>{"mount", "pid", "ipc", "cgroup", "network", "uts"}));
}

TEST(RenderConfig, HasNoCgroupNamespaceOnVersionOne) {
  Host host;
  host.cgroups.mode = CgroupMode::kHybrid;
  EXPECT_EQ(namespaces(render(plain(), host)).count("cgroup"), 0U);
}

TEST(RenderConfig, GivesRuncBothTheUserNamespaceAndItsMaps) {
  ContainerSpec spec = plain();
  spec.user_namespace = UserNamespace{"/run/user", 100000, 65536};
  spec.network_namespace = "/run/net";
  const json::object config = render(spec);
  EXPECT_EQ(namespaces(config).count("user"), 1U);
  EXPECT_EQ(config.at("linux").at("uidMappings").at(0).at("hostID").to_number<int>(), 100000);
  EXPECT_EQ(config.at("linux").at("gidMappings").at(0).at("size").to_number<int>(), 65536);
  EXPECT_EQ(mount_at(config, "/sys")->at("type").as_string(), "sysfs");
}

TEST(RenderConfig, BindsTheHostsSysWhereAUserNamespaceUsesTheHostsNetwork) {
  ContainerSpec spec = plain();
  spec.user_namespace = UserNamespace{"/run/user", 100000, 65536};
  const json::object config = render(spec);
  EXPECT_TRUE(has_option(*mount_at(config, "/sys"), "rbind"));
  EXPECT_TRUE(has_option(*mount_at(config, "/sys"), "ro"));
}

TEST(RenderConfig, ConvertsCpuUnitsToAQuotaAndCountsSwapWhereTheKernelDoes) {
  ContainerSpec spec = plain();
  spec.resources.cpu_quota_units = 256;
  spec.resources.cpu_shares = 1;
  spec.resources.memory_bytes = 64 << 20;
  spec.resources.pids = 100;
  Host host;
  json::object resources = render(spec, host).at("linux").at("resources").as_object();
  EXPECT_EQ(resources.at("cpu").at("quota").to_number<int>(), 25000);
  EXPECT_EQ(resources.at("cpu").at("shares").to_number<int>(), 2);
  EXPECT_EQ(resources.at("memory").at("limit").to_number<int>(), 64 << 20);
  EXPECT_FALSE(resources.at("memory").as_object().contains("swap"));
  EXPECT_EQ(resources.at("pids").at("limit").to_number<int>(), 100);
  host.cgroups.limits_swap = true;
  resources = render(spec, host).at("linux").at("resources").as_object();
  EXPECT_EQ(resources.at("memory").at("swap").to_number<int>(), 64 << 20);
}

TEST(RenderConfig, DeniesDevicesMasksProcAndForbidsNewPrivileges) {
  const json::object config = render(plain());
  EXPECT_EQ(config.at("linux").at("resources").at("devices").at(0).at("allow"), json::value(false));
  EXPECT_FALSE(config.at("linux").at("maskedPaths").as_array().empty());
  EXPECT_EQ(config.at("process").at("noNewPrivileges"), json::value(true));
  EXPECT_TRUE(config.at("linux").as_object().contains("seccomp"));
}

TEST(RenderConfig, PrivilegedLiftsThem) {
  ContainerSpec spec = plain();
  spec.privileged = true;
  const json::object config = render(spec);
  EXPECT_FALSE(config.at("linux").as_object().contains("maskedPaths"));
  EXPECT_FALSE(config.at("linux").as_object().contains("seccomp"));
  EXPECT_EQ(config.at("process").at("noNewPrivileges"), json::value(false));
  EXPECT_EQ(config.at("process").at("capabilities").at("bounding").as_array().size(), 41U);
}

TEST(RenderConfig, AddsPathAndHomeOnlyWhereTheyAreMissing) {
  ContainerSpec spec = plain();
  ResolvedUser user;
  user.home = "/home/ann";
  const auto environment = [&] {
    return json::serialize(render_config(spec, user, Host{}).at("process").at("env"));
  };
  EXPECT_NE(environment().find("PATH=/usr/local/sbin"), std::string::npos);
  EXPECT_NE(environment().find("HOME=/home/ann"), std::string::npos);
  spec.process.env = {"PATH=/x", "HOME=/y"};
  EXPECT_EQ(environment(), R"(["PATH=/x","HOME=/y"])");
}

TEST(RenderConfig, PutsTheInitInFrontWhereTheHostHasOne) {
  ContainerSpec spec = plain();
  spec.init_process = true;
  EXPECT_EQ(json::serialize(render(spec).at("process").at("args")), R"(["/bin/app"])");
  Host host;
  host.init_program = "/usr/bin/catatonit";
  EXPECT_EQ(json::serialize(render(spec, host).at("process").at("args")),
            R"(["/dev/.init","--","/bin/app"])");
  EXPECT_NE(mount_at(render(spec, host), "/dev/.init"), nullptr);
}

TEST(RenderConfig, RefusesWhatItCannotRender) {
  ContainerSpec spec = plain();
  spec.process.args.clear();
  EXPECT_THROW(render(spec), core::Error);
  spec = plain();
  spec.mounts = {{"relative", "/x"}};
  EXPECT_THROW(render(spec), core::Error);
  spec.mounts = {{"/x", "relative"}};
  EXPECT_THROW(render(spec), core::Error);
  spec = plain();
  spec.process.rlimits = {{"bogus", 1, 1}};
  EXPECT_THROW(render(spec), core::Error);
  spec = plain();
  spec.process.capabilities_add = {"FLY"};
  EXPECT_THROW(render(spec), core::Error);
}

TEST(RenderConfig, KeepsUlimitsAndSetsOpenFilesOtherwise) {
  ContainerSpec spec = plain();
  EXPECT_EQ(render(spec).at("process").at("rlimits").at(0).at("soft").to_number<int>(), 65535);
  spec.process.rlimits = {{"nofile", 10, 20}};
  const auto limits = render(spec).at("process").at("rlimits").as_array();
  ASSERT_EQ(limits.size(), 1U);
  EXPECT_EQ(limits[0].at("type").as_string(), "RLIMIT_NOFILE");
  EXPECT_EQ(limits[0].at("hard").to_number<int>(), 20);
}

struct CapabilityCase {
  std::vector<std::string> add;
  std::vector<std::string> drop;
  std::string present;
  std::string absent;
};

TEST(Capabilities, DropComesBeforeAdd) {
  const CapabilityCase cases[] = {
      {{}, {}, "CAP_CHOWN", "CAP_SYS_ADMIN"},        {{"net_admin"}, {}, "CAP_NET_ADMIN", "CAP_NET_RAW"},
      {{"CHOWN"}, {"ALL"}, "CAP_CHOWN", "CAP_KILL"}, {{"ALL"}, {}, "CAP_SYS_ADMIN", ""},
      {{}, {"CAP_KILL"}, "CAP_CHOWN", "CAP_KILL"},
  };
  for (const CapabilityCase& each : cases) {
    const auto names = effective_capabilities(each.add, each.drop);
    EXPECT_EQ(std::count(names.begin(), names.end(), each.present), 1) << each.present;
    EXPECT_EQ(std::count(names.begin(), names.end(), each.absent), 0) << each.absent;
  }
}

bool allows(const json::object& profile, std::string_view call) {
  for (const json::value& rule : profile.at("syscalls").as_array()) {
    if (rule.at("action").as_string() != "SCMP_ACT_ALLOW" || rule.as_object().contains("args")) continue;
    for (const json::value& name : rule.at("names").as_array()) {
      if (name.as_string() == call) return true;
    }
  }
  return false;
}

TEST(Seccomp, AllowsByCapability) {
  const json::object plain = render_seccomp(default_capabilities());
  for (const char* call : {"read", "execve", "futex", "chroot", "ptrace", "statx"})
    EXPECT_TRUE(allows(plain, call)) << call;
  for (const char* call :
       {"unshare", "mount", "keyctl", "add_key", "bpf", "setns", "kexec_load", "clone", "clone3",
        "init_module", "reboot", "userfaultfd", "open_by_handle_at", "io_uring_setup"}) {
    EXPECT_FALSE(allows(plain, call)) << call;
  }
  EXPECT_TRUE(allows(render_seccomp({"CAP_SYS_ADMIN"}), "mount"));
  EXPECT_TRUE(allows(render_seccomp({"CAP_SYS_ADMIN"}), "clone3"));
}

}  // namespace
}  // namespace sampan::runtime
