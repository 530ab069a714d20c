// A builder over a data directory of its own, with an image `base` of busybox.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/use_future.hpp>
#include <fstream>
#include <thread>

#include "build/builder.h"
#include "core/error.h"
#include "image/image.h"
#include "image/layer_writer.h"
#include "io/subprocess.h"
#include "runtime/cgroup.h"

namespace sampan::build::testing {

namespace fs = std::filesystem;

class MemoryCatalog final : public image::Catalog {
 public:
  bool owns(std::string_view host) const override { return host.empty() || host == "localhost:4566"; }
  std::optional<image::Digest> resolve(const image::Registry&,
                                       const image::Reference& reference) const override {
    const std::lock_guard lock(mutex_);
    const auto found = tags_.find(reference.repository + ":" + reference.tag);
    return found == tags_.end() ? std::nullopt : std::optional(found->second);
  }
  boost::asio::awaitable<void> tag(const image::Registry&, const std::string& repository,
                                   const std::string& tag, const image::Digest& manifest) override {
    const std::lock_guard lock(mutex_);
    tags_.insert_or_assign(repository + ":" + tag, manifest);
    co_return;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, image::Digest> tags_;
};

inline std::string why_not() {
  if (::geteuid() != 0) return "needs root";
  if (!fs::exists("/bin/busybox")) return "needs busybox (apt-get install busybox-static)";
  if (!io::find_program("conmon")) return "needs conmon";
  return "";
}

class BuilderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string why = why_not();
    if (!why.empty()) GTEST_SKIP() << why;
    thread_ = std::thread([this] { executors_.run(); });
    content_ = std::make_unique<image::ContentStore>(work_.path());
    layers_ = std::make_unique<image::LayerStore>(work_.path(), *content_);
    images_ = std::make_unique<image::Images>(executors_, *content_, *layers_, catalog_, network_, "registry.invalid");
    make_base();
    start_builder();
    fs::create_directories(context());
  }
  void TearDown() override {
    if (!thread_.joinable()) return;
    builder_.reset();
    EXPECT_EQ(left_over(), "");
    images_.reset();
    executors_.stop();
    thread_.join();
    runtime::Cgroups(host_.cgroups).remove(cgroup_);
  }

  void start_builder() {
    host_ = runtime::probe_host("auto", "/tmp/sampan-probe-" + std::to_string(::getuid()));
    builder_ = std::make_unique<Builder>(executors_, *images_, *content_, *layers_, catalog_, host_,
                                         BuilderPlaces{work_.path(), work_.path() / "run", cgroup_});
  }

  void make_base() {
    std::vector<image::LayerEntry> entries;
    const auto directory = [&entries](const std::string& path, std::uint32_t mode) {
      image::LayerEntry entry;
      entry.path = path;
      entry.type = image::LayerEntry::Type::kDirectory;
      entry.mode = mode;
      entries.push_back(std::move(entry));
    };
    directory("bin", 0755);
    image::LayerEntry busybox;
    busybox.path = "bin/busybox";
    busybox.mode = 0755;
    busybox.source = "/bin/busybox";
    entries.push_back(std::move(busybox));
    for (const char* name :
         {"cat", "chmod", "cp", "date",  "echo", "env",  "false", "id",   "ln", "ls",   "mkdir", "mv",
          "pwd", "rm",    "sh", "sleep", "stat", "test", "touch", "true", "wc", "find", "grep"}) {
      image::LayerEntry link;
      link.path = std::string("bin/") + name;
      link.type = image::LayerEntry::Type::kSymlink;
      link.link_target = "busybox";
      entries.push_back(std::move(link));
    }
    directory("etc", 0755);
    image::LayerEntry passwd;
    passwd.path = "etc/passwd";
    passwd.bytes = "root:x:0:0::/root:/bin/sh\nann:x:1000:1001::/home/ann:/bin/sh\n";
    entries.push_back(std::move(passwd));
    directory("tmp", 01777);
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    image::ImageConfig config;
    config.cmd = {"sh"};
    config.env = {"PATH=/bin"};
    config.created = "2020-01-01T00:00:00.000Z";
    const image::Image base =
        image::store_image(*content_, config, {image::write_layer(std::move(entries), *content_)});
    wait(catalog_.tag({}, "base", "latest", base.manifest));
  }

  template <class T>
  T wait(boost::asio::awaitable<T> work) {
    return boost::asio::co_spawn(executors_.net(), std::move(work), boost::asio::use_future).get();
  }

  fs::path context() const { return work_.path() / "context"; }
  void file(const std::string& path, const std::string& text, std::uint32_t mode = 0644) {
    fs::create_directories((context() / path).parent_path());
    std::ofstream(context() / path) << text;
    ::chmod((context() / path).c_str(), mode);
  }

  BuildResult build(const std::string& dockerfile) {
    file("Dockerfile", dockerfile);
    request_.context = context();
    events_.clear();
    return wait(builder_->build(request_, [this](const BuildEvent& event) { events_.push_back(event); }));
  }
  std::string error_of(const std::string& dockerfile) {
    try {
      build(dockerfile);
    } catch (const core::Error& error) {
      return error.what();
    }
    return "";
  }
  image::Image image(const BuildResult& result) { return image::load_image(*content_, result.manifest); }
  int cached() const {
    return static_cast<int>(std::count_if(events_.begin(), events_.end(), [](const BuildEvent& e) {
      return e.type == BuildEvent::Type::kCached;
    }));
  }
  std::string log() const {
    std::string text;
    for (const BuildEvent& event : events_) {
      if (event.type == BuildEvent::Type::kLog) text += event.text;
    }
    return text;
  }
  // Of the topmost layer that has it.
  fs::path in_layers(const BuildResult& result, const std::string& path) {
    const image::Image built = image(result);
    for (auto layer = built.layers.rbegin(); layer != built.layers.rend(); ++layer) {
      const fs::path place = layers_->ensure_unpacked(*layer) / path;
      if (fs::exists(fs::symlink_status(place))) return place;
    }
    return "/nonexistent";
  }
  std::string text(const BuildResult& result, const std::string& path) {
    return io::read_file(in_layers(result, path));
  }

  // Mounts, containers or half-made layers that a build left.
  std::string left_over() const {
    std::string left;
    std::ifstream table("/proc/self/mountinfo");
    for (std::string line; std::getline(table, line);) {
      if (line.find(work_.path().string()) != std::string::npos) left += line + "\n";
    }
    std::error_code absent;
    for (const fs::path& directory :
         {work_.path() / "run/state", work_.path() / "build/work", work_.path() / "layers/incoming"}) {
      for (const auto& entry : fs::directory_iterator(directory, absent))
        left += entry.path().string() + "\n";
    }
    return left;
  }

  io::TemporaryDirectory work_;
  io::Executors executors_{2, 4};
  std::thread thread_;
  MemoryCatalog catalog_;
  runtime::Host host_;
  const std::string cgroup_ = "/sampan-bt" + std::to_string(::getpid());
  std::unique_ptr<image::ContentStore> content_;
  std::unique_ptr<image::LayerStore> layers_;
  image::RegistryNetwork network_;
  std::unique_ptr<image::Images> images_;
  std::unique_ptr<Builder> builder_;
  BuildRequest request_;
  std::vector<BuildEvent> events_;
};

}  // namespace sampan::build::testing
