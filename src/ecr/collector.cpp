#include "ecr/collector.h"

#include "core/log.h"
#include "core/metrics.h"
#include "image/image.h"

namespace sampan::ecr {
namespace {

constexpr std::size_t kRowsASlice = 2000;  // about a millisecond of the control strand
constexpr std::size_t kBlobsASlice = 64;
constexpr int kDeepestIndex = 4;
constexpr std::chrono::hours kKeepDamaged{24 * 7};  // for whoever wants to look at it
constexpr char kLastKey[] = "/ecr/collection/last";
constexpr std::chrono::milliseconds kLookAgain{100};

}  // namespace

Collector::Collector(Parts parts) : parts_(parts), started_(parts.clock.now()) {}

std::unique_ptr<Collector::Pass> Collector::begin(CollectionOptions options) {
  return std::make_unique<Pass>(*this, options);
}

io::Awaitable<CollectionReport> Collector::collect(CollectionOptions options) {
  while (busy_) co_await io::sleep_for(kLookAgain);
  busy_ = true;
  std::exception_ptr failure;
  const auto pass = begin(options);
  try {
    while (co_await pass->step())
      co_await io::asio::post(parts_.executors.control(), io::asio::use_awaitable);
  } catch (...) {
    failure = std::current_exception();
  }
  busy_ = false;
  if (failure) std::rethrow_exception(failure);
  const auto& report = pass->report();
  if (!report.dry_run) {
    core::metrics::counter("sampan_collected_blobs_total", "Blobs that garbage collection took")
        .add(report.blobs);
    core::metrics::counter("sampan_collected_bytes_total", "Bytes of them").add(report.bytes);
    last_ = report;
  }
  co_return report;
}

io::Awaitable<void> Collector::run(core::Millis every, CollectionOptions options) {
  while (true) {
    co_await io::sleep_for(every);
    try {
      const auto done = co_await collect(options);
      core::log::info("collected {} blobs ({} bytes), {} links, {} layers in {} ms; {} blobs stay",
                      done.blobs, done.bytes, done.links, done.trees, done.took.count(), done.kept);
    } catch (const std::exception& error) {
      core::log::warn("garbage collection broke off, the next one begins anew: {}", error.what());
    }
  }
}

Collector::Pass::Pass(Collector& owner, CollectionOptions options)
    : owner_(owner), parts_(owner.parts_), options_(options) {
  const auto now = parts_.clock.now();
  parts_.uploads.expire();
  cutoff_ = cutoff_of(now, options.grace, parts_.content.holds().oldest(now));
  report_.dry_run = options.dry_run;
  report_.began = now;
  report_.links_wait = !may_unlink(now, owner.started_, options.grace);
}

io::Awaitable<bool> Collector::Pass::step() {
  static constexpr Step kSteps[] = {&Pass::unlink,      &Pass::mark_links,  &Pass::mark_images,
                                    &Pass::mark_others, &Pass::scan,        &Pass::settle,
                                    &Pass::mark_links,  &Pass::mark_images, &Pass::mark_others,
                                    &Pass::sweep,       &Pass::sweep_trees, &Pass::sweep_store};
  const bool more = co_await (this->*kSteps[at_])();
  if (more) co_return true;
  cursor_.clear();
  if (++at_ < std::size(kSteps)) co_return true;
  report_.took = parts_.clock.now() - report_.began;
  co_return false;
}

io::Awaitable<bool> Collector::Pass::unlink() {
  if (!judges_links()) co_return false;
  const auto& links = parts_.repositories.links();
  std::vector<std::string> idle;
  auto row = links.lower_bound(cursor_);
  for (std::size_t seen = 0; row != links.end() && seen < kRowsASlice; ++row, ++seen) {
    if (idle.size() >= Repositories::kMostUnlinked) break;
    if (parts_.repositories.link_is_idle(row->first, cutoff_)) idle.push_back(row->first);
  }
  const bool more = row != links.end();
  if (more) cursor_ = row->first;
  if (options_.dry_run)
    report_.links += idle.size();
  else if (!idle.empty())
    report_.links += co_await parts_.repositories.unlink_idle(std::move(idle), cutoff_);
  if (!more) parts_.repositories.link_uses().forget_before(cutoff_);
  co_return more;
}

io::Awaitable<bool> Collector::Pass::mark_links() {
  if (cursor_.empty()) keep_ = {};
  const auto& links = parts_.repositories.links();
  auto row = links.lower_bound(cursor_);
  for (std::size_t seen = 0; row != links.end() && seen < kRowsASlice; ++row, ++seen) {
    // A pass that only shows what it would do has taken no links away.
    if (options_.dry_run && judges_links() && parts_.repositories.link_is_idle(row->first, cutoff_)) continue;
    keep_.add(digest_of_key(row->first));
  }
  if (row == links.end()) co_return false;
  cursor_ = row->first;
  co_return true;
}

io::Awaitable<bool> Collector::Pass::mark_images() {
  const auto& images = parts_.repositories.images();
  auto row = images.lower_bound(cursor_);
  for (std::size_t seen = 0; row != images.end() && seen < kRowsASlice; ++row, ++seen) {
    keep_.add(digest_of_key(row->first));
    for (const auto& blob : row->second.value.blobs) keep_.add(blob);
    for (const auto& child : row->second.value.children) keep_.add(child);
  }
  if (row == images.end()) co_return false;
  cursor_ = row->first;
  co_return true;
}

io::Awaitable<bool> Collector::Pass::mark_others() {
  const auto running = owner_.roots_.images ? owner_.roots_.images() : std::vector<image::Digest>();
  co_await io::offload(parts_.executors, [this, &running] {
    in_use_ = {};
    for (const auto& image : running) mark_manifest(image, 0);
    if (owner_.roots_.build_cache) {
      report_.steps = std::max(report_.steps, owner_.roots_.build_cache(keep_, options_.dry_run));
    }
    keep_.seal();
    in_use_.seal();
  });
  co_return false;
}

// What an image names that no row may name: it was pulled or built for a task. What is not here needs no
// keeping.
void Collector::Pass::mark_manifest(const image::Digest& manifest, int depth) {
  keep_.add(manifest);
  if (depth > kDeepestIndex || !parts_.content.size(manifest)) return;
  try {
    const auto read = image::parse_manifest(parts_.content.read(manifest, image::kLargestManifest));
    if (read.config) keep_.add(read.config->digest);
    for (const auto& layer : read.layers) keep_.add(layer.digest);
    for (const auto& child : read.manifests) mark_manifest(child.digest, depth + 1);
    if (!read.is_index()) mark_trees(manifest);
  } catch (const core::Error& error) {
    core::log::debug("image {} in use cannot be read: {}", manifest.str(), error.what());
  }
}

void Collector::Pass::mark_trees(const image::Digest& manifest) {
  for (const auto& layer : image::load_image(parts_.content, manifest).layers) in_use_.add(layer.diff_id);
}

void Collector::Pass::look_at_blob(FoundBlob blob) {
  if (goes(blob, keep_, cutoff_)) {
    candidates_.push_back(std::move(blob));
    return;
  }
  stays_.add(blob.digest);
  ++report_.kept;
  report_.kept_bytes += blob.idle.size;
}

io::Awaitable<bool> Collector::Pass::scan() {
  co_await io::offload(parts_.executors, [this] {
    parts_.content.scan(
        [this](const image::Digest& digest, const image::Idle& idle) { look_at_blob({digest, idle}); });
  });
  co_return false;
}

io::Awaitable<bool> Collector::Pass::settle() {
  if (options_.dry_run) co_return false;
  // Conditional on nothing and read by nobody: its durability is what counts.
  co_await parts_.store.commit({{}, {{kLastKey, core::to_iso8601(report_.began), 0}}});
  co_return false;
}

io::Awaitable<bool> Collector::Pass::sweep() {
  co_await io::offload(parts_.executors, [this] {
    const auto end = std::min(candidates_.size(), swept_ + kBlobsASlice);
    for (; swept_ < end; ++swept_) {
      const auto& blob = candidates_[swept_];
      std::optional<std::uint64_t> gone;
      if (goes(blob, keep_, cutoff_)) {
        gone = options_.dry_run ? blob.idle.size : parts_.content.remove_idle(blob.digest, cutoff_);
      }
      if (!gone) {
        stays_.add(blob.digest);
        ++report_.kept;
        report_.kept_bytes += blob.idle.size;
        continue;
      }
      ++report_.blobs;
      report_.bytes += *gone;
    }
  });
  co_return swept_ < candidates_.size();
}

io::Awaitable<bool> Collector::Pass::sweep_trees() {
  co_await io::offload(parts_.executors, [this] {
    if (!options_.dry_run) parts_.content.forget_set_aside(std::min(cutoff_, report_.began - kKeepDamaged));
    stays_.seal();
    for (const auto& tree : parts_.layers.list()) {
      if (!goes(tree, stays_, in_use_, cutoff_)) continue;
      if (options_.dry_run || parts_.layers.remove_idle(tree.diff_id, cutoff_)) ++report_.trees;
    }
  });
  co_return false;
}

io::Awaitable<bool> Collector::Pass::sweep_store() {
  auto* tier = parts_.repositories.tier();
  if (!tier) co_return false;
  using Removal = image::BlobTier::Removal;
  const auto keeps = [this](const image::Digest& digest) { return keep_.contains(digest); };
  const auto removed =
      co_await tier->collect(keeps, cutoff_, options_.dry_run ? Removal::kCount : Removal::kReal);
  report_.far = removed.blobs;
  report_.far_bytes = removed.bytes;
  report_.uploads = removed.uploads;
  if (!options_.dry_run) report_.evicted = co_await tier->evict();
  co_return false;
}

}  // namespace sampan::ecr
