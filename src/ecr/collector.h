// Garbage collection: content that no row needs goes, beside pushes and pulls.
//
// What keeps a blob: an image's row (its manifest, configuration, layers, children), a repository's link to
// the blob, the image of a task or service, a step of the build cache. What no longer keeps it: a link that
// no manifest of the repository needs and nobody relied upon for the grace; it goes first.
//
// One pass, in steps; anything may happen between two of them:
//   1. cutoff = min(now - grace, when the oldest hold began).
//   2. Idle links go (rows), each looked at again in the transaction that takes it.
//   3. Mark: all rows are walked, in slices; then the images of tasks and what they name.
//   4. Scan the disk: blobs that are unmarked and were last touched before the cutoff are candidates.
//   5. A row is written and waited for. Rows that went before it are durably gone then, or are back: the
//   tables tell of
//      a removal before it is durable, and a removal that fails is undone.
//   6. Mark again. A candidate that is marked now stays.
//   7. Each candidate goes if it still was not touched since the cutoff; that look and the removal are one
//   under the
//      content store's guard.
//   8. Where a blob store stands behind the content store, the same there: what is unmarked, and was stored and
//      kept (BlobTier::keep, before each row) before the cutoff, goes; a blob's removal and its keeping take turns.
// Why nothing that is needed goes: a blob goes at 7 only if no row named it at 3 nor at 6, and it was not
// touched from the cutoff to 7. Every new row that names a blob is preceded by a touch of its file (has(), a
// finished writer) under a hold. If that touch came after the cutoff, step 7 sees it. If it came before, then
// either the hold began before the cutoff was taken and still lived, so that the cutoff is no later than the
// touch, or it had ended: the row was written before step 3 and is marked. A client that was told of a link
// (HEAD, mount, BatchCheckLayerAvailability) has touched the link, in memory, on the strand on which step 2
// looks at it, so that the link stays for the grace and keeps the blob. kill -9 between any two steps loses
// nothing: rows go before files, and a file whose row is gone is a later pass's.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "ecr/collection.h"
#include "ecr/repositories.h"
#include "ecr/uploads.h"

namespace sampan::ecr {

struct CollectionOptions {
  core::Millis grace = std::chrono::hours(24);
  bool dry_run = false;
};

// What else keeps content.
struct CollectionRoots {
  // Images (manifests or indexes) that run or are to run here, on the control strand.
  std::function<std::vector<image::Digest>()> images;
  // The build cache: adds its layers' digests, and gives how many old steps it dropped (or would). On the
  // blocking pool, twice a pass.
  std::function<std::uint64_t(KeepSet& blobs, bool dry_run)> build_cache;
};

class Collector {
 public:
  // All must outlive it.
  struct Parts {
    store::Store& store;
    io::Executors& executors;
    core::Clock& clock;
    image::ContentStore& content;
    image::LayerStore& layers;
    Repositories& repositories;
    Uploads& uploads;
  };
  explicit Collector(Parts parts);

  // Before the first pass.
  void set_roots(CollectionRoots roots) { roots_ = std::move(roots); }
  // A pass from beginning to end; one at a time, a second caller waits. On the control strand.
  io::Awaitable<CollectionReport> collect(CollectionOptions options);
  // Collects every so often, until the executors stop. Failures are logged. On the control strand.
  io::Awaitable<void> run(core::Millis every, CollectionOptions options);
  bool busy() const { return busy_; }
  const std::optional<CollectionReport>& last() const { return last_; }

  // One pass, step by step, for tests that do other things between two steps. step() is false after the last.
  class Pass;
  std::unique_ptr<Pass> begin(CollectionOptions options);

 private:
  Parts parts_;
  CollectionRoots roots_;
  core::TimePoint started_;
  bool busy_ = false;
  std::optional<CollectionReport> last_;
};

class Collector::Pass {
 public:
  Pass(Collector& owner, CollectionOptions options);
  io::Awaitable<bool> step();
  const CollectionReport& report() const { return report_; }

 private:
  using Step = io::Awaitable<bool> (Pass::*)();  // true: the step has more to do
  io::Awaitable<bool> unlink();
  io::Awaitable<bool> mark_links();
  io::Awaitable<bool> mark_images();
  io::Awaitable<bool> mark_others();
  io::Awaitable<bool> scan();
  io::Awaitable<bool> settle();
  io::Awaitable<bool> sweep();
  io::Awaitable<bool> sweep_trees();
  io::Awaitable<bool> sweep_store();
  void mark_manifest(const image::Digest& manifest, int depth);
  void mark_trees(const image::Digest& manifest);
  void look_at_blob(FoundBlob blob);
  bool judges_links() const { return !report_.links_wait; }

  Collector& owner_;
  const Parts& parts_;
  const CollectionOptions options_;
  core::TimePoint cutoff_;
  std::size_t at_ = 0;  // the step
  std::string cursor_;  // where its next slice begins
  KeepSet keep_;        // of the marking under way
  KeepSet in_use_;      // trees
  std::vector<FoundBlob> candidates_;
  std::size_t swept_ = 0;  // of the candidates
  KeepSet stays_;          // blobs that are here and do not go
  CollectionReport report_;
};

}  // namespace sampan::ecr
