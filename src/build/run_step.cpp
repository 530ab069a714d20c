#include "build/run_step.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"
#include "io/file.h"
#include "runtime/foreground.h"
#include "runtime/user.h"

namespace sampan::build {
namespace {

namespace fs = std::filesystem;

// Docker gives these to RUN without an ARG, and leaves them out of the cache's key.
constexpr std::string_view kProxyNames[] = {"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy",
                                            "FTP_PROXY",  "ftp_proxy",  "NO_PROXY",    "no_proxy",
                                            "ALL_PROXY",  "all_proxy"};
constexpr const char* kScriptTarget = "/dev/.heredoc";
constexpr std::size_t kLongestShown = 200;

// What the runtime makes in the root as places to mount on; gone again when the image had none.
constexpr const char* kStubs[] = {"/etc/resolv.conf", "/etc/hosts", "/etc", "/proc", "/sys", "/dev"};

bool is_lone_heredoc(const Instruction& run) {
  return run.heredocs.size() == 1 && run.text.starts_with("<<") &&
         run.text.find_first_of(" \t") == std::string::npos;
}

std::string shell_text(const Instruction& run) {
  if (is_lone_heredoc(run)) return run.heredocs[0].body;
  std::string text = run.text;
  for (const Heredoc& heredoc : run.heredocs) text += "\n" + heredoc.body + heredoc.name;
  return text;
}

// The places that are absent before the container has run.
std::vector<std::string> absent_stubs(const fs::path& root) {
  std::vector<std::string> absent;
  for (const char* path : kStubs) {
    if (!runtime::open_in_root(root, path, O_PATH | O_NOFOLLOW)) absent.emplace_back(path);
  }
  return absent;
}

void remove_stubs(const fs::path& root, const std::vector<std::string>& absent) {
  for (const std::string& path : absent) {
    const fs::path whole(path);
    const auto parent = runtime::open_in_root(root, whole.parent_path(), O_RDONLY | O_DIRECTORY);
    const std::string name = whole.filename().string();
    struct stat status{};
    if (!parent || ::fstatat(parent.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    // Only what is empty: the step itself may have made it and used it.
    if (S_ISDIR(status.st_mode)) ::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR);
    if (S_ISREG(status.st_mode) && status.st_size == 0) ::unlinkat(parent.get(), name.c_str(), 0);
  }
}

std::string inside(const fs::path& root, const std::string& path) {
  // A mount's source may be a link; it must not lead out of the stage it is in.
  const auto found = runtime::open_in_root(root, "/" + path, O_PATH);
  if (!found) throw core::Error("mount source " + path, "not found");
  return fs::read_symlink(fmt::format("/proc/self/fd/{}", found.get())).string();
}

class Mounts {
 public:
  Mounts(const BuildSite& site, const Instruction& run, const StageConfig& stage, const RunPlace& place)
      : site_(site), run_(run), stage_(stage), place_(place) {}

  void add(const RunMount& wanted) {
    const std::string target = resolve_path(stage_, wanted.target);
    if (wanted.type == "tmpfs") {
      mounts_.push_back({"tmpfs", target, "tmpfs",
                         wanted.size.empty() ? std::vector<std::string>{}
                                             : std::vector<std::string>{"size=" + wanted.size}});
    } else if (wanted.type == "cache") {
      add_cache(wanted, target);
    } else if (wanted.type == "secret") {
      add_secret(wanted, target);
    } else {
      const fs::path root = wanted.from.empty() ? site_.context.root() : place_.source_root(wanted.from);
      mounts_.push_back({inside(root, wanted.source), target, "bind", {"ro"}});
    }
  }

  void add_host_file(const std::string& path) {
    if (fs::exists(path)) mounts_.push_back({path, path, "bind", {"ro"}});
  }

  void add_script(const std::string& script) {
    const fs::path file = place_.work / "script";
    io::replace_file(file, script, io::Durability::kProcessCrash, 0755);
    mounts_.push_back({file.string(), kScriptTarget, "bind", {"ro"}});
  }

  std::vector<runtime::Mount> take() { return std::move(mounts_); }

 private:
  // Kept from build to build, named by the id (or target), whatever characters that has.
  void add_cache(const RunMount& wanted, const std::string& target) {
    const std::string name = core::sha256_hex(wanted.id.empty() ? target : wanted.id).substr(0, 32);
    const fs::path directory = site_.places.data_dir / "build/mounts" / name;
    io::make_directories(directory);
    mounts_.push_back({directory.string(), target, "bind", {}});
  }

  void add_secret(const RunMount& wanted, const std::string& target) {
    for (const auto& [id, content] : site_.request.secrets) {
      if (id != wanted.id) continue;
      const fs::path file = place_.work / ("secret-" + core::sha256_hex(id).substr(0, 16));
      io::replace_file(file, content, io::Durability::kProcessCrash, 0400);
      mounts_.push_back({file.string(), target, "bind", {"ro"}});
      return;
    }
    if (wanted.required) throw BuildError(run_.where, "secret " + wanted.id + " was not given");
  }

  const BuildSite& site_;
  const Instruction& run_;
  const StageConfig& stage_;
  const RunPlace& place_;
  std::vector<runtime::Mount> mounts_;
};

runtime::ContainerSpec spec_of(const BuildSite& site, const Instruction& run, const StageConfig& stage,
                               const RunPlan& plan, const RunPlace& place) {
  runtime::ContainerSpec spec;
  spec.id = place.id;
  spec.rootfs = place.root;
  spec.process.args = plan.args;
  spec.process.env = plan.environment;
  spec.process.cwd = stage.image.working_dir.empty() ? "/" : stage.image.working_dir;
  spec.process.user = stage.image.user;
  // What `docker build` gives: package managers set owners, make devices, use sudo.
  spec.process.no_new_privileges = false;
  spec.process.capabilities_add = {"AUDIT_WRITE", "MKNOD", "NET_RAW"};
  spec.cgroup_path = site.places.cgroup_parent + "/" + place.id;
  Mounts mounts(site, run, stage, place);
  mounts.add_host_file("/etc/resolv.conf");
  mounts.add_host_file("/etc/hosts");
  if (!plan.script.empty()) mounts.add_script(plan.script);
  for (const RunMount& wanted : plan.mounts) mounts.add(wanted);
  spec.mounts = mounts.take();
  return spec;
}

// "RUN apt-get install …" for a message: one line, not too long.
Location shown_at(const Instruction& run) {
  Location where = run.where;
  std::string text = run.shown();
  text = text.substr(0, text.find('\n'));
  if (text.size() > kLongestShown) text = text.substr(0, kLongestShown) + "…";
  where.instruction = text;
  return where;
}

}  // namespace

RunPlan plan_run(const BuildSite& site, const Instruction& run, const StageConfig& stage) {
  RunPlan plan;
  const std::string text = shell_text(run);
  if (run.exec) {
    plan.args = *run.exec;
  } else if (is_lone_heredoc(run) && text.starts_with("#!")) {
    plan.script = text;
    plan.args = {kScriptTarget};
  } else {
    Instruction whole = run;
    whole.text = text;
    plan.args = command_line(whole, stage);
  }
  for (const auto& [name, value] : stage.args) {
    if (!name.empty()) set_variable(plan.environment, name, value);
  }
  for (const std::string& entry : stage.image.env) {
    set_variable(plan.environment, entry.substr(0, entry.find('=')), entry.substr(entry.find('=') + 1));
  }
  for (const auto& [name, value] : site.request.args) {
    const bool is_proxy =
        std::find(std::begin(kProxyNames), std::end(kProxyNames), name) != std::end(kProxyNames);
    if (is_proxy) set_variable(plan.environment, name, value);
  }
  for (const Flag& flag : run.flags) {
    if (flag.name == "mount")
      plan.mounts.push_back(parse_run_mount(run, expand_word(flag.value, stage.variables(), stage.escape)));
    if (flag.name == "security" && flag.value != "sandbox")
      throw BuildError(run.where, "--security=" + flag.value + " is not offered");
    if (flag.name == "network" && flag.value != "default" && flag.value != "host") {
      throw BuildError(run.where, "--network=" + flag.value + " is not offered (default and host are)");
    }
  }
  return plan;
}

void execute_run(const BuildSite& site, const Instruction& run, const StageConfig& stage, const RunPlan& plan,
                 const RunPlace& place) {
  io::make_directories(place.work);
  const std::vector<std::string> absent = absent_stubs(place.root);
  runtime::ForegroundOptions options;
  options.folder = site.places.run_dir / "bundles" / place.id;
  options.runtime_root = site.places.run_dir / "state";
  options.cancel_fd = site.cancel_fd;
  options.timeout = std::chrono::hours(6);
  options.on_output = [&](runtime::OutputStream stream, std::string_view bytes) {
    BuildEvent event;
    event.type = BuildEvent::Type::kLog;
    event.step = place.step;
    event.stage = place.stage;
    event.text = std::string(bytes);
    event.is_error_stream = stream == runtime::OutputStream::kStderr;
    site.reporter.tell(std::move(event));
  };
  runtime::ForegroundResult result;
  try {
    result = runtime::run_foreground(site.host, spec_of(site, run, stage, plan, place), options);
  } catch (const BuildError&) {
    throw;
  } catch (const core::Error& error) {
    throw BuildError(shown_at(run), error.what());
  }
  if (result.cancelled) throw BuildError(shown_at(run), "cancelled");
  if (result.timed_out) throw BuildError(shown_at(run), "took longer than 6 hours");
  if (result.exit_code != 0) throw BuildError(shown_at(run), fmt::format("exit code {}", result.exit_code));
  remove_stubs(place.root, absent);
}

}  // namespace sampan::build
