// The layers of a stage under construction, lowest first: those that are done, and upper directories of steps
// just carried out that are being written as layers meanwhile. Not thread-safe; blocking.
#pragma once

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "build/cache.h"
#include "image/content_store.h"
#include "image/layer_store.h"

namespace sampan::build {

// A directory that is removed with all that is in it when the object dies.
class OwnedDirectory {
 public:
  OwnedDirectory() = default;
  explicit OwnedDirectory(std::filesystem::path path) : path_(path), doomed_(std::move(path)) {}
  // One of the layer store's, which may be adopted (moved away) before.
  explicit OwnedDirectory(image::LayerStore& layers)
      : path_(layers.new_directory()), doomed_(path_.parent_path()) {}
  OwnedDirectory(OwnedDirectory&& other) noexcept
      : path_(std::exchange(other.path_, {})), doomed_(std::exchange(other.doomed_, {})) {}
  OwnedDirectory& operator=(OwnedDirectory&& other) noexcept;
  ~OwnedDirectory();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::filesystem::path doomed_;  // it or its parent
};

class LayerStack {
 public:
  LayerStack(image::ContentStore& content, image::LayerStore& layers, const StepCache& cache)
      : content_(content), layers_(layers), cache_(cache) {}
  ~LayerStack();

  void push(image::LayerDescriptor layer);
  // The upper directory of a finished step; its layer is written from now on, and known under `key`
  // afterwards.
  void push_upper(OwnedDirectory upper, std::string key, std::string created);
  // Directories for an overlay, topmost first; unpacks what is not unpacked.
  std::vector<std::filesystem::path> lowers();
  // Waits for what is being written, adopts it and remembers it in the cache. Nothing of this stack may be
  // mounted any more. Throws the first failure, after having kept the steps before it.
  std::vector<image::LayerDescriptor> finish();

 private:
  struct Item {
    std::optional<image::LayerDescriptor> layer;
    OwnedDirectory upper;
    std::future<image::LayerDescriptor> writing;
    std::string key;
    std::string created;
  };
  image::ContentStore& content_;
  image::LayerStore& layers_;
  const StepCache& cache_;
  std::vector<Item> items_;
};

}  // namespace sampan::build
