#include "build/builder.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/asio/use_future.hpp>
#include <future>

#include "build/site.h"
#include "build/stage_build.h"
#include "core/error.h"
#include "core/log.h"
#include "core/random.h"
#include "core/text.h"
#include "http/client.h"
#include "runtime/foreground.h"
#include "runtime/overlay.h"
#include "runtime/user.h"

namespace sampan::build {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kBuildsAtOnce = 2;
constexpr std::uint64_t kLargestDownload = std::uint64_t{1} << 30;

// A build's own directory with its mounts: gone when it dies.
class WorkDirectory {
 public:
  explicit WorkDirectory(fs::path path) : path_(std::move(path)) { io::make_directories(path_, 0700); }
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;
  ~WorkDirectory() { clear(path_); }
  const fs::path& path() const { return path_; }

  // Unmounts before it removes: what lies in a mount belongs to the layers below it.
  static void clear(const fs::path& path) {
    std::error_code error;
    try {
      for (const auto& entry : fs::directory_iterator(path, error)) runtime::unmount(entry.path());
    } catch (const core::Error& failure) {
      core::log::error("{}", failure.what());
      return;
    }
    fs::remove_all(path, error);
  }

 private:
  fs::path path_;
};

IgnoreRules ignore_rules(const fs::path& context, const std::string& dockerfile) {
  // A file of the Dockerfile's own comes before the common one.
  for (const std::string& name : {dockerfile + ".dockerignore", std::string(".dockerignore")}) {
    const auto text = runtime::read_file_in_root(context, "/" + name);
    if (text) return IgnoreRules(*text);
  }
  return {};
}

struct Tag {
  std::string repository;
  std::string tag;
};

// Readable when one of the two is; -1 for none.
io::UniqueFd either(int first, int second) {
  io::UniqueFd both(::epoll_create1(EPOLL_CLOEXEC));
  if (!both) throw core::errno_error("watch for a build's cancellation");
  for (const int fd : {first, second}) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (fd >= 0 && ::epoll_ctl(both.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      throw core::errno_error("watch for a build's cancellation");
    }
  }
  return both;
}

io::Awaitable<void> save_body(std::string url, int file) {
  std::uint64_t total = 0;
  http::ClientRequest request;
  request.url = url;
  auto sink = [file, &total](std::span<const char> bytes) -> io::Awaitable<void> {
    total += bytes.size();
    if (total > kLargestDownload) throw core::Error("the body is larger than 1 GiB");
    io::write_all(file, {bytes.data(), bytes.size()});
    co_return;
  };
  http::BodySink taken = sink;
  const http::ClientResponse response = co_await http::fetch_to(std::move(request), std::move(taken));
  if (response.status < 200 || response.status > 299) {
    throw core::Error("get " + url, fmt::format("status {}", response.status));
  }
}

}  // namespace

struct Builder::Impl {
  io::Executors& executors;
  image::Images& images;
  image::ContentStore& content;
  image::LayerStore& layers;
  image::Catalog& catalog;
  runtime::Host host;
  BuilderPlaces places;
  StepCache cache;
  boost::asio::thread_pool threads{kBuildsAtOnce};
  io::UniqueFd cancel{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};  // readable: every build is to end
  core::SystemIdSource ids;

  Impl(io::Executors& e, image::Images& i, image::ContentStore& c, image::LayerStore& l, image::Catalog& g,
       runtime::Host h, BuilderPlaces p)
      : executors(e),
        images(i),
        content(c),
        layers(l),
        catalog(g),
        host(std::move(h)),
        places(std::move(p)),
        cache(places.data_dir / "build/cache", content) {}

  template <class T>
  T wait(io::Awaitable<T> work) {
    return boost::asio::co_spawn(executors.net(), std::move(work), boost::asio::use_future).get();
  }

  void recover() {
    runtime::remove_foreground_leftovers(host, places.run_dir / "state");
    std::error_code error;
    fs::remove_all(places.run_dir / "bundles", error);
    for (const auto& entry : fs::directory_iterator(work_root(), error)) WorkDirectory::clear(entry.path());
    io::make_directories(work_root(), 0700);
  }

  fs::path work_root() const { return places.data_dir / "build/work"; }

  std::vector<Tag> parse_tags(const BuildRequest& request) const {
    std::vector<Tag> tags;
    for (const std::string& text : request.tags) {
      const auto reference = image::Reference::parse(text);
      if (!reference || reference->digest)
        throw core::Error("tag \"" + text + "\"", "not of the form NAME:TAG");
      if (!catalog.owns(reference->host)) {
        throw core::Error("tag \"" + text + "\"",
                          "its registry is not this Sampan's: build without it, then push");
      }
      tags.push_back({reference->repository, reference->tag});
    }
    return tags;
  }

  image::Image find_image(const BuildRequest& request, Reporter& reporter, const std::string& name) {
    const auto reference = image::Reference::parse(name);
    if (!reference) throw core::Error("invalid reference format: \"" + name + "\"");
    image::PullOptions options;
    options.progress = [&reporter](const image::PullProgress& progress) {
      if (progress.blob) return;
      BuildEvent event;
      event.text = progress.what;
      reporter.tell(std::move(event));
    };
    return wait(images.ensure(request.registry, *reference, std::move(options)));
  }

  void warn_of_unused(const BuildRequest& request, const Dockerfile& file, Reporter& reporter) const {
    for (const auto& [name, value] : request.args) {
      const std::string lower = core::to_lower(name);
      if (lower.ends_with("_proxy") || declares(file, name)) continue;
      BuildEvent event;
      event.text = "build argument " + name + " is not declared by any ARG";
      reporter.tell(std::move(event));
    }
  }

  static bool declares(const Dockerfile& file, const std::string& name) {
    const auto names_it = [&](const Instruction& each) {
      if (each.keyword != Keyword::kArg) return false;
      const auto words = split_words(each.text, file.escape);
      return std::any_of(words.begin(), words.end(),
                         [&](const std::string& word) { return word.substr(0, word.find('=')) == name; });
    };
    if (std::any_of(file.global_args.begin(), file.global_args.end(), names_it)) return true;
    return std::any_of(file.stages.begin(), file.stages.end(), [&](const Stage& stage) {
      return std::any_of(stage.instructions.begin(), stage.instructions.end(), names_it);
    });
  }

  // Every needed stage as soon as those it needs are finished, each on a thread of its own.
  StageResult build_stages(const BuildSite& site, const StageGraph& graph) {
    std::map<std::size_t, std::shared_future<StageResult>> running;
    int step = 1;
    for (const PlannedStage& planned : graph.stages) {
      std::map<std::size_t, std::shared_future<StageResult>> needs;
      for (const std::size_t need : planned.needs) needs.emplace(need, running.at(need));
      auto work = [&site, &planned, needs = std::move(needs), step] {
        std::map<std::size_t, StageResult> finished;
        for (const auto& [index, stage] : needs) finished.emplace(index, stage.get());
        return build_stage(site, planned, finished, step);
      };
      running.emplace(planned.index, std::async(std::launch::async, std::move(work)).share());
      step += 1 + static_cast<int>(site.file.stages[planned.index].instructions.size());
    }
    std::exception_ptr first;
    for (auto& [index, stage] : running) {
      try {
        stage.get();
      } catch (...) {
        if (!first) first = std::current_exception();
      }
    }
    if (first) std::rethrow_exception(first);
    return running.at(graph.target).get();
  }

  image::Image store(StageResult result) {
    result.config.platform = image::Platform();
#if defined(__aarch64__)
    result.config.platform.architecture = "arm64";
#endif
    return image::store_image(content, std::move(result.config), std::move(result.layers));
  }

  BuildResult run(const BuildRequest& request, const BuildProgress& progress) {
    const auto held = content.hold();  // until the image has its tags, or the cache its steps
    const std::vector<Tag> tags = parse_tags(request);
    const auto text = runtime::read_file_in_root(request.context, "/" + request.dockerfile, 2 * 1024 * 1024);
    if (!text) throw core::Error("failed to read " + request.dockerfile, "no such file in the build context");
    const Dockerfile file = parse_dockerfile(*text, request.dockerfile);
    const auto globals = global_arguments(file, request.args);
    const StageGraph graph = plan_stages(file, request.target, globals);

    const SourceTree context(request.context, ignore_rules(request.context, request.dockerfile));
    Reporter reporter(progress, static_cast<int>(graph.steps));
    warn_of_unused(request, file, reporter);
    const std::string id = "b" + ids.hex(12);
    const WorkDirectory work(work_root() / id);
    const io::UniqueFd cancelled = either(cancel.get(), request.cancel_fd);
    const BuildSite site{request,
                         file,
                         globals,
                         context,
                         host,
                         places,
                         content,
                         layers,
                         cache,
                         reporter,
                         work.path(),
                         id,
                         cancelled.get(),
                         [&](const std::string& name) { return find_image(request, reporter, name); },
                         [this](const std::string& url, const fs::path& to) {
                           const io::UniqueFd out = io::open_file(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
                           wait(save_body(url, out.get()));
                         }};
    return tag(request, tags, store(build_stages(site, graph)));
  }

  BuildResult tag(const BuildRequest& request, const std::vector<Tag>& tags, const image::Image& image) {
    BuildResult result{image.manifest, {}, 0, {}};
    for (const Tag& each : tags) {
      wait(catalog.tag(request.registry, each.repository, each.tag, image.manifest));
      result.tags.push_back(each.repository + ":" + each.tag);
    }
    for (const image::LayerDescriptor& layer : image.layers) result.size += layer.size;
    for (const std::string& port : image.config.exposed_ports) {
      const auto number = core::parse_int(port.substr(0, port.find('/')));
      if (number && port.ends_with("/tcp")) result.exposed_ports.push_back(static_cast<int>(*number));
    }
    return result;
  }
};

Builder::Builder(io::Executors& executors, image::Images& images, image::ContentStore& content,
                 image::LayerStore& layers, image::Catalog& catalog, runtime::Host host, BuilderPlaces places)
    : impl_(std::make_shared<Impl>(executors, images, content, layers, catalog, std::move(host),
                                   std::move(places))) {
  impl_->recover();
}

Builder::~Builder() {
  cancel_all();
  impl_->threads.join();
}

void Builder::cancel_all() {
  const std::uint64_t one = 1;
  if (::write(impl_->cancel.get(), &one, sizeof one) < 0) core::log::warn("cancel builds: cannot write");
}

io::Awaitable<BuildResult> Builder::build(BuildRequest request, BuildProgress progress) {
  auto impl = impl_;
  auto work = [impl, request = std::move(request), progress = std::move(progress)] {
    return impl->run(request, progress);
  };
  co_return co_await io::run_on(impl->threads.get_executor(), std::move(work));
}

}  // namespace sampan::build
