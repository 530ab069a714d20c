// What the tests that touch the kernel share: instances nobody else has, an image of busybox, a sink that
// remembers, and the proof that nothing is left.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/use_future.hpp>
#include <mutex>
#include <thread>

#include "core/random.h"
#include "image/layer_writer.h"
#include "image/puller.h"
#include "io/executors.h"
#include "io/file.h"
#include "io/subprocess.h"
#include "node/agent.h"
#include "node/kernel_network.h"
#include "runtime/oci_runtime.h"

namespace sampan::node {

inline bool root() {
  return geteuid() == 0;
}

inline std::string fresh_instance() {
  return core::SystemIdSource().hex(4);
}

// A range of its own for each test process, so that several run on one machine.
inline std::string fresh_cidr_start() {
  static const auto number = core::SystemIdSource().next();
  return fmt::format("10.{}.{}", 200 + number % 50, (number >> 8) % 200);
}

class Running {
 public:
  Running() : executors(2, 8), thread_([this] { executors.run(); }) {}
  ~Running() { halt(); }
  void halt() {
    executors.stop();
    if (thread_.joinable()) thread_.join();
    executors.blocking().stop();
    executors.blocking().join();
  }
  template <class T>
  T wait(io::Awaitable<T> work) {
    auto future = boost::asio::co_spawn(executors.control(), std::move(work), boost::asio::use_future);
    if (future.wait_for(std::chrono::seconds(60)) != std::future_status::ready) {
      throw std::runtime_error("a coroutine did not end within 60 s");
    }
    return future.get();
  }
  template <class F>
  auto on_control(F fn) {
    return wait(io::on_control(executors, std::move(fn)));
  }
  io::Executors executors;

 private:
  std::thread thread_;
};

inline std::string shell(const std::string& command) {
  io::Command run;
  run.argv = {"/bin/sh", "-c", command};
  return io::run(run).out;
}

inline NetworkAssignment vpc_network(const std::string& start, int host) {
  NetworkAssignment network;
  network.mac = fmt::format("02:00:00:00:{:02x}:{:02x}", host >> 8, host & 255);
  network.address = fmt::format("{}.{}", start, host);
  network.prefix_length = 24;
  network.gateway = start + ".1";
  network.vpc_id = "vpc-" + start;
  network.vpc_cidr = start + ".0/24";
  network.subnet_cidr = start + ".0/24";
  network.private_dns_name = fmt::format("ip-{}.ec2.internal", host);
  return network;
}

class OneImage final : public image::Catalog {
 public:
  explicit OneImage(image::Digest manifest) : manifest_(std::move(manifest)) {}
  bool owns(std::string_view host) const override { return host.empty(); }
  std::optional<image::Digest> resolve(const image::Registry&,
                                       const image::Reference& reference) const override {
    if (reference.repository != "box") return std::nullopt;
    return manifest_;
  }
  io::Awaitable<void> tag(const image::Registry&, const std::string&, const std::string&,
                          const image::Digest&) override {
    co_return;
  }

 private:
  image::Digest manifest_;
};

// busybox and its names, as one layer.
inline image::Image store_box(image::ContentStore& content) {
  std::vector<image::LayerEntry> entries;
  auto directory = [&](const char* path, unsigned mode) {
    image::LayerEntry entry;
    entry.path = path;
    entry.type = image::LayerEntry::Type::kDirectory;
    entry.mode = mode;
    entries.push_back(entry);
  };
  for (const char* path : {"bin", "etc", "proc", "sys", "dev", "root", "data"}) directory(path, 0755);
  directory("tmp", 01777);
  image::LayerEntry busybox;
  busybox.path = "bin/busybox";
  busybox.mode = 0755;
  busybox.source = "/usr/bin/busybox";
  entries.push_back(busybox);
  for (const char* name :
       {"sh",    "sleep", "cat",      "echo", "wget", "ls", "id",   "nc",    "httpd",    "true", "false",
        "touch", "seq",   "hostname", "ping", "ip",   "dd", "stat", "mount", "nslookup", "kill", "head"}) {
    image::LayerEntry link;
    link.path = std::string("bin/") + name;
    link.type = image::LayerEntry::Type::kSymlink;
    link.link_target = "busybox";
    entries.push_back(link);
  }
  image::LayerEntry passwd;
  passwd.path = "etc/passwd";
  passwd.bytes = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\n";
  entries.push_back(passwd);
  image::ImageConfig config;
  config.env = {"PATH=/bin"};
  config.cmd = {"/bin/sh", "-c", "echo hello from the image"};
  return image::store_image(content, config, {image::write_layer(entries, content)});
}

class MemorySink final : public LogSink {
 public:
  io::Awaitable<void> open(const LogStream& stream, bool create_group) override {
    if (stream.group == "absent" && !create_group) {
      throw core::Error("The specified log group does not exist.");
    }
    co_return;
  }
  io::Awaitable<std::uint64_t> resume_offset(const LogStream& stream) override {
    std::scoped_lock lock(mutex_);
    co_return offsets_[stream.stream];
  }
  io::Awaitable<void> append(const LogStream& stream, std::vector<LogLine> lines,
                             std::uint64_t end) override {
    std::scoped_lock lock(mutex_);
    for (auto& line : lines) lines_[stream.stream].push_back(std::move(line.text));
    offsets_[stream.stream] = end;
    co_return;
  }
  std::vector<std::string> lines(const std::string& stream) {
    std::scoped_lock lock(mutex_);
    return lines_[stream];
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> lines_;
  std::map<std::string, std::uint64_t> offsets_;
};

}  // namespace sampan::node
