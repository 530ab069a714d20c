#include "build/layer_stack.h"

#include "core/log.h"
#include "image/layer_writer.h"

namespace sampan::build {

OwnedDirectory& OwnedDirectory::operator=(OwnedDirectory&& other) noexcept {
  if (this != &other) {
    OwnedDirectory gone(std::move(*this));
    path_ = std::exchange(other.path_, {});
    doomed_ = std::exchange(other.doomed_, {});
  }
  return *this;
}

OwnedDirectory::~OwnedDirectory() {
  if (doomed_.empty()) return;
  std::error_code error;
  std::filesystem::remove_all(doomed_, error);
  if (error) core::log::warn("remove {}: {}", path_.string(), error.message());
}

LayerStack::~LayerStack() {
  // A directory must not go while it is being written.
  for (Item& item : items_) {
    if (item.writing.valid()) item.writing.wait();
  }
}

void LayerStack::push(image::LayerDescriptor layer) {
  Item item;
  item.layer = std::move(layer);
  items_.push_back(std::move(item));
}

void LayerStack::push_upper(OwnedDirectory upper, std::string key, std::string created) {
  Item item;
  item.key = std::move(key);
  item.created = std::move(created);
  item.writing = std::async(std::launch::async, [path = upper.path(), this] {
    return image::write_layer_from_upper(path, content_);
  });
  item.upper = std::move(upper);
  items_.push_back(std::move(item));
}

std::vector<std::filesystem::path> LayerStack::lowers() {
  std::vector<std::future<std::filesystem::path>> places;
  for (const Item& item : items_) {
    if (!item.layer) {
      std::promise<std::filesystem::path> known;
      known.set_value(item.upper.path());
      places.push_back(known.get_future());
      continue;
    }
    const auto policy = layers_.find(item.layer->diff_id) ? std::launch::deferred : std::launch::async;
    places.push_back(
        std::async(policy, [this, layer = *item.layer] { return layers_.ensure_unpacked(layer); }));
  }
  std::vector<std::filesystem::path> result;
  for (auto place = places.rbegin(); place != places.rend(); ++place) result.push_back(place->get());
  return result;
}

std::vector<image::LayerDescriptor> LayerStack::finish() {
  std::vector<image::LayerDescriptor> result;
  for (Item& item : items_) {
    if (!item.layer) {
      item.layer = item.writing.get();
      layers_.adopt(*item.layer, item.upper.path());
      cache_.store(item.key, {item.layer, item.created});
    }
    result.push_back(*item.layer);
  }
  return result;
}

}  // namespace sampan::build
