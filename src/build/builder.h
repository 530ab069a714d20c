// Builds images from Dockerfiles. The result is in the content store at once, its layers unpacked and
// adopted, under the tags asked for: nothing is pushed or unpacked again.
//
// How: each step that changes files mounts an overlay of the layers so far with a fresh upper directory; COPY
// and ADD write there, RUN runs a container there; the upper directory is then written as a layer (beside the
// next step) and becomes that layer's unpacked tree. Steps whose key is in the cache are not done at all; an
// image made of cached steps only is bit for bit the one of last time.
// Independent stages are built at the same time.
//
// build() may be called from any executor; builds run on threads of their own, two at a time.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "build/dockerfile.h"
#include "image/catalog.h"
#include "image/puller.h"
#include "io/executors.h"
#include "runtime/host.h"

namespace sampan::build {

struct BuildRequest {
  std::filesystem::path context;          // a directory that nobody writes to meanwhile
  std::string dockerfile = "Dockerfile";  // inside the context
  std::vector<std::string> tags;          // "team/app:1.2"; may be empty
  std::vector<std::pair<std::string, std::string>> args;
  std::vector<std::pair<std::string, std::string>> secrets;  // id, content
  std::string target;
  bool no_cache = false;
  int cancel_fd = -1;        // readable: end it
  image::Registry registry;  // whose repositories names without a host mean
};

struct BuildResult {
  image::Digest manifest;
  std::vector<std::string> tags;  // as repository:tag
  std::uint64_t size = 0;         // of its compressed layers
  std::vector<int> exposed_ports;
};

struct BuildEvent {
  enum class Type { kStatus, kStep, kCached, kLog, kDone };
  Type type = Type::kStatus;
  int step = 0;  // from 1
  int steps = 0;
  std::string stage;  // its name or number
  std::string text;   // of the instruction, the log's piece or the status
  bool is_error_stream = false;
  std::chrono::milliseconds duration{0};  // with kDone
};
// Called from the build's threads, one at a time.
using BuildProgress = std::function<void(const BuildEvent&)>;

struct BuilderPlaces {
  std::filesystem::path data_dir;  // <data-dir>/build is the builder's
  std::filesystem::path run_dir;   // <run-dir>/build: containers' state; short
  std::string cgroup_parent;       // "/sampan-<instance>"
};

class Builder {
 public:
  // All must outlive this. Ends and unmounts what builds of a killed daemon left. Blocking.
  Builder(io::Executors& executors, image::Images& images, image::ContentStore& content,
          image::LayerStore& layers, image::Catalog& catalog, runtime::Host host, BuilderPlaces places);
  // Cancels builds under way and waits for them.
  ~Builder();

  // Throws BuildError (file, line, instruction) or core::Error; nothing is tagged then, but finished steps
  // stay cached.
  io::Awaitable<BuildResult> build(BuildRequest request, BuildProgress progress);
  void cancel_all();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with builds under way
};

}  // namespace sampan::build
