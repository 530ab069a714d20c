#include "image/layer_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "core/error.h"
#include "core/log.h"

namespace sampan::image {
namespace fs = std::filesystem;
namespace {

// Trees are removed without following links; a failure leaves work for the next start, not an error.
void remove_quietly(const fs::path& tree) {
  std::error_code failure;
  fs::remove_all(tree, failure);
  if (failure) core::log::warn("cannot remove {}: {}", tree.string(), failure.message());
}

std::string current_boot() {
  return io::read_file_if_exists("/proc/sys/kernel/random/boot_id", 128).value_or("unknown");
}

}  // namespace

LayerStore::LayerStore(const fs::path& data_dir, const ContentStore& content, UnpackLimits limits)
    : content_(content), limits_(limits), root_(data_dir / "layers"), boot_id_(current_boot()) {
  // 0711: a container's root may be another user than ours and must walk to its lower directories.
  io::make_directories(root_, 0711);
  sweep();
  io::make_directories(root_ / "incoming", 0711);
}

fs::path LayerStore::home(const Digest& diff_id) const {
  return root_ / std::string(diff_id.hex());
}

void LayerStore::sweep() {
  remove_quietly(root_ / "incoming");
  for (const auto& entry : fs::directory_iterator(root_)) {
    const auto boot = io::read_file_if_exists(entry.path() / "boot", 128);
    if (!boot || *boot == boot_id_) continue;
    core::log::info("layer {} was not on the disk yet when the machine stopped: it will be unpacked again",
                    entry.path().filename().string());
    remove_quietly(entry.path());
  }
}

std::optional<fs::path> LayerStore::find(const Digest& diff_id) const {
  const std::shared_lock lock(guard_);
  const auto place = home(diff_id);
  if (touch(place, content_.clock().now())) return place / "fs";
  return std::nullopt;
}

fs::path LayerStore::new_directory() {
  const auto directory = root_ / "incoming" / std::to_string(next_.fetch_add(1)) / "fs";
  io::make_directories(directory.parent_path(), 0711);
  io::make_directories(directory, 0755);
  return directory;
}

fs::path LayerStore::ensure_unpacked(const LayerDescriptor& layer) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (auto tree = find(layer.diff_id)) return *tree;
    if (busy_.insert(layer.diff_id).second) break;
    changed_.wait(lock);
  }
  lock.unlock();
  std::exception_ptr failure;
  try {
    unpack(layer);
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  busy_.erase(layer.diff_id);
  changed_.notify_all();
  if (failure) std::rethrow_exception(failure);
  return home(layer.diff_id) / "fs";
}

void LayerStore::unpack(const LayerDescriptor& layer) {
  FileSource archive(content_.open(layer.digest));
  const auto tree = new_directory();
  try {
    const auto root = io::open_file(tree, O_RDONLY | O_DIRECTORY);
    const auto unpacked = unpack_layer(archive, root.get(), limits_, layer.diff_id.algorithm());
    if (unpacked.diff_id != layer.diff_id) throw DigestMismatch(layer.diff_id, unpacked.diff_id);
    place(tree.parent_path(), layer);
  } catch (const core::Error& error) {
    remove_quietly(tree.parent_path());
    throw core::Error("unpack layer " + layer.digest.str(), error.what());
  } catch (...) {
    remove_quietly(tree.parent_path());
    throw;
  }
}

void LayerStore::place(const fs::path& prepared, const LayerDescriptor& layer) {
  const auto& diff_id = layer.diff_id;
  io::replace_file(prepared / "boot", boot_id_, io::Durability::kProcessCrash);
  io::replace_file(prepared / "from", layer.digest.str(), io::Durability::kProcessCrash);
  touch(prepared, content_.clock().now());
  const auto target = home(diff_id);
  if (::rename(prepared.c_str(), target.c_str()) != 0) {
    if (errno != EEXIST && errno != ENOTEMPTY) throw core::errno_error("name layer " + diff_id.str());
    remove_quietly(prepared);  // another way to the same tree was faster
    return;
  }
  settle(target);
}

// Writing the tree to the disk takes seconds and nobody needs to wait for it: see `boot` above.
void LayerStore::settle(const fs::path& home) {
  std::thread([home] {
    const io::UniqueFd directory(::open(home.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory && ::syncfs(directory.get()) == 0) ::unlinkat(directory.get(), "boot", 0);
  }).detach();
}

fs::path LayerStore::adopt(const LayerDescriptor& layer, const fs::path& directory) {
  const auto& diff_id = layer.diff_id;
  if (auto tree = find(diff_id)) {
    remove_quietly(directory);
    return *tree;
  }
  const auto slot = new_directory();
  // An empty directory is replaced by rename(2) in one step.
  if (::rename(directory.c_str(), slot.c_str()) != 0) {
    const auto failure = core::errno_error("take over " + directory.string() + " as layer " + diff_id.str());
    remove_quietly(slot.parent_path());
    throw failure;
  }
  place(slot.parent_path(), layer);
  return home(diff_id) / "fs";
}

void LayerStore::move_away(const Digest& diff_id, const fs::path& slot) {
  if (::rename(home(diff_id).c_str(), (slot / "fs").c_str()) == 0 || errno == ENOENT) return;
  const auto failure = core::errno_error("remove layer " + diff_id.str());
  remove_quietly(slot);
  throw failure;
}

void LayerStore::remove(const Digest& diff_id) {
  // Out of sight in one step, then at leisure.
  const auto slot = new_directory().parent_path();
  move_away(diff_id, slot);
  remove_quietly(slot);
}

bool LayerStore::remove_idle(const Digest& diff_id, core::TimePoint cutoff) {
  const auto slot = new_directory().parent_path();
  bool goes = false;
  {
    const std::unique_lock lock(guard_);
    const auto idle = look(home(diff_id));
    goes = idle && idle->used < cutoff;
    if (goes) move_away(diff_id, slot);
  }
  remove_quietly(slot);
  return goes;
}

std::vector<LayerStore::Tree> LayerStore::list() const {
  std::vector<Tree> trees;
  for (const auto& entry : fs::directory_iterator(root_)) {
    const auto name = entry.path().filename().string();
    const auto algorithm = name.size() == 128 ? core::HashAlgorithm::kSha512 : core::HashAlgorithm::kSha256;
    const auto diff_id = Digest::from_hex(algorithm, name);
    const auto idle = diff_id ? look(entry.path()) : std::nullopt;
    if (!idle) continue;
    const auto from = io::read_file_if_exists(entry.path() / "from", 256);
    trees.push_back({*diff_id, from ? Digest::parse(*from) : std::nullopt, idle->used});
  }
  return trees;
}

}  // namespace sampan::image
