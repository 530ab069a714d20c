// What one build works with, shared by its stages. Plain references: the build owns or outlives all of it.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>

#include "build/builder.h"
#include "build/cache.h"
#include "build/config_steps.h"
#include "build/graph.h"
#include "build/source_tree.h"

namespace sampan::build {

// A finished stage, or a base image: what another stage starts from or copies from.
struct StageResult {
  image::ImageConfig config;
  std::vector<image::LayerDescriptor> layers;  // lowest first
  std::string files_key;                       // names the files by all that made them
};

// Tells the progress, one event at a time, from any of a build's threads.
class Reporter {
 public:
  Reporter(BuildProgress progress, int steps) : progress_(std::move(progress)), steps_(steps) {}
  void tell(BuildEvent event) {
    const std::lock_guard lock(mutex_);
    event.steps = steps_;
    if (progress_) progress_(event);
  }

 private:
  std::mutex mutex_;
  BuildProgress progress_;
  int steps_;
};

struct BuildSite {
  const BuildRequest& request;
  const Dockerfile& file;
  const std::vector<std::pair<std::string, std::string>>& globals;
  const SourceTree& context;
  const runtime::Host& host;
  const BuilderPlaces& places;
  image::ContentStore& content;
  image::LayerStore& layers;
  const StepCache& cache;
  Reporter& reporter;
  std::filesystem::path work;  // the build's own directory: mounts, bundles; removed at its end
  std::string id;
  int cancel_fd = -1;
  // An image by name, its blobs here afterwards. Blocks.
  std::function<image::Image(const std::string& name)> image;
  // The body behind an http(s) URL, into a file. Blocks.
  std::function<void(const std::string& url, const std::filesystem::path& file)> download;
};

StageResult result_of(const image::Image& image);
// The stage (among `finished`, by index in the file) or image that a --from names.
StageResult find_source(const BuildSite& site, const std::map<std::size_t, StageResult>& finished,
                        std::size_t before, const std::string& name);

}  // namespace sampan::build
