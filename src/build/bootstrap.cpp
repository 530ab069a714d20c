#include "build/bootstrap.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <deque>

#include "build/apt_sources.h"
#include "build/layer_stack.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"
#include "image/layer_writer.h"
#include "io/spawn.h"

namespace sampan::build {
namespace {

namespace fs = std::filesystem;
constexpr auto kLongest = std::chrono::minutes(20);
constexpr std::size_t kKeptLines = 5;

std::vector<AptSource> host_sources() {
  std::vector<AptSource> sources =
      parse_one_line_sources(io::read_file_if_exists("/etc/apt/sources.list").value_or(""));
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator("/etc/apt/sources.list.d", absent)) {
    const std::string text = io::read_file_if_exists(entry.path()).value_or("");
    std::vector<AptSource> more;
    if (entry.path().extension() == ".list") more = parse_one_line_sources(text);
    if (entry.path().extension() == ".sources") more = parse_deb822_sources(text);
    sources.insert(sources.end(), more.begin(), more.end());
  }
  return sources;
}

// How this machine reaches its mirrors: proxies, and checks it does without (a frozen mirror's dates are
// past).
std::vector<std::string> host_apt_options() {
  std::vector<std::string> options;
  io::Command dump;
  dump.argv = {"apt-config", "dump", "Acquire"};
  const io::Completed done = io::run(dump);
  for (const std::string& line : core::split(done.out, '\n')) {
    for (const std::string_view wanted :
         {"Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until ",
          "Acquire::Check-Date ", "Acquire::https::Verify-", "Acquire::Retries "}) {
      if (line.starts_with(wanted)) options.push_back(line);
    }
  }
  for (const char* scheme : {"http", "https"}) {
    const char* proxy = std::getenv((std::string(scheme) + "_proxy").c_str());
    if (proxy != nullptr) options.push_back(fmt::format("Acquire::{}::Proxy \"{}\";", scheme, proxy));
  }
  return options;
}

io::Command mmdebstrap(const std::string& suite, const fs::path& target) {
  io::Command command;
  command.argv = {"mmdebstrap", "--variant=minbase", "--mode=root", "--format=directory"};
  const auto sources = sources_for(suite, host_sources());
  const bool secure = std::any_of(sources.begin(), sources.end(),
                                  [](const AptSource& s) { return s.uri.starts_with("https:"); });
  if (secure) command.argv.push_back("--include=ca-certificates");
  for (const std::string& option : host_apt_options()) command.argv.push_back("--aptopt=" + option);
  command.argv.push_back("--aptopt=Acquire::Languages \"none\";");
  // As Debian's own slim images: no manuals and translations.
  for (const char* path :
       {"/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/doc/*"}) {
    command.argv.push_back(std::string("--dpkgopt=path-exclude=") + path);
  }
  command.argv.push_back("--dpkgopt=path-include=/usr/share/doc/*/copyright");
  command.argv.push_back(suite);
  command.argv.push_back(target.string());
  for (const AptSource& source : sources) command.argv.push_back(render_source(source));
  return command;
}

// Hands each line of the child's output over; kills it when it takes too long. The last lines are kept for
// the error.
class LineReader {
 public:
  explicit LineReader(const std::function<void(std::string_view)>& progress) : progress_(progress) {}

  void take(std::string_view bytes) {
    for (const char c : bytes) {
      if (c != '\n' && c != '\r') {
        line_.push_back(c);
      } else if (!line_.empty()) {
        if (progress_) progress_(line_);
        kept_.push_back(std::exchange(line_, ""));
        if (kept_.size() > kKeptLines) kept_.pop_front();
      }
    }
  }
  std::string last_words() const { return core::join({kept_.begin(), kept_.end()}, " | "); }

 private:
  const std::function<void(std::string_view)>& progress_;
  std::string line_;
  std::deque<std::string> kept_;
};

void run_lines(const io::Command& command, const std::function<void(std::string_view)>& progress) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw core::errno_error("make a pipe for " + command.argv[0]);
  const io::UniqueFd read_end(ends[0]);
  io::UniqueFd write_end(ends[1]);
  const io::UniqueFd input = io::open_file("/dev/null", O_RDONLY);
  const pid_t pid = io::spawn_child(command, {input.get(), write_end.get(), write_end.get()});
  write_end.reset();
  LineReader lines(progress);
  const auto deadline = std::chrono::steady_clock::now() + kLongest;
  bool late = false;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd waiting{read_end.get(), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    late = ready <= 0;
    char piece[16384];
    const ssize_t size = late ? 0 : ::read(read_end.get(), piece, sizeof piece);
    if (size <= 0) break;
    lines.take({piece, static_cast<std::size_t>(size)});
  }
  if (late) ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (late) throw core::Error(command.argv[0], "took longer than 20 minutes");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw core::Error(command.argv[0], lines.last_words());
}

// As Debian's own container images: downloaded packages are not kept. Not an option of mmdebstrap, which
// needs them while it works.
void keep_no_packages(const fs::path& root) {
  io::replace_file(
      root / "etc/apt/apt.conf.d/90container",
      "APT::Keep-Downloaded-Packages \"false\";\nBinary::apt::APT::Keep-Downloaded-Packages \"false\";\n",
      io::Durability::kProcessCrash);
}

// What belongs to this machine or to a running system, not to an image.
void clean(const fs::path& root) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root / "dev", ignored))
    fs::remove_all(entry.path(), ignored);
  for (const char* path : {"etc/hostname", "etc/resolv.conf", "etc/machine-id", "var/log/bootstrap.log"}) {
    fs::remove(root / path, ignored);
  }
  for (const auto& entry : fs::directory_iterator(root / "var/lib/apt/lists", ignored)) {
    fs::remove_all(entry.path(), ignored);
  }
}

image::Image make_image(image::ContentStore& content, image::LayerStore& layers, const std::string& suite,
                        const std::function<void(std::string_view)>& progress) {
  if (!io::find_program("mmdebstrap")) {
    throw core::Error("mmdebstrap is not installed: apt-get install mmdebstrap");
  }
  const OwnedDirectory root(layers);
  ::chmod(root.path().c_str(), 0755);
  run_lines(mmdebstrap(suite, root.path()), progress);
  clean(root.path());
  keep_no_packages(root.path());
  if (progress) progress("writing the layer");
  const image::LayerDescriptor layer = image::write_layer_from_upper(root.path(), content);
  layers.adopt(layer, root.path());

  image::ImageConfig config;
#if defined(__aarch64__)
  config.platform.architecture = "arm64";
#endif
  config.created = core::to_iso8601(core::SystemClock().now());
  config.cmd = {"bash"};
  config.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  image::History entry;
  entry.created = config.created;
  entry.created_by = "mmdebstrap --variant=minbase " + suite;
  config.history.push_back(std::move(entry));
  return image::store_image(content, std::move(config), {layer});
}

std::string suite_of(const image::Reference& reference, const std::string& name) {
  std::string suite = reference.tag;
  if (suite.ends_with("-slim")) suite.resize(suite.size() - 5);
  if (!reference.host.empty() || reference.repository != "debian" || !valid_suite(suite)) {
    throw core::Error("bootstrap " + name, "only debian:SUITE can be made, such as debian:bookworm");
  }
  return suite == "latest" ? "stable" : suite;
}

}  // namespace

Bootstrap::Bootstrap(io::Executors& executors, image::ContentStore& content, image::LayerStore& layers,
                     image::Catalog& catalog)
    : executors_(executors), content_(content), layers_(layers), catalog_(catalog) {}

io::Awaitable<image::Image> Bootstrap::run(image::Registry registry, std::string name,
                                           std::function<void(std::string_view)> progress) {
  const auto reference = image::Reference::parse(name);
  if (!reference) throw core::Error("bootstrap " + name, "not an image's name");
  const std::string suite = suite_of(*reference, name);
  const auto held = content_.hold();  // until it has its tag
  auto work = [this, suite, progress] { return make_image(content_, layers_, suite, progress); };
  image::Image made = co_await io::offload(executors_, std::move(work));
  co_await catalog_.tag(registry, reference->repository, reference->tag, made.manifest);
  co_return made;
}

}  // namespace sampan::build
