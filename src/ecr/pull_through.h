// The pull-through cache: images that are not here yet, or may have changed, fetched from a rule's upstream
// when somebody asks for them.
//
//   a manifest is asked for   -> the rule's upstream is asked; the answer goes out at once
//   of an image               -> its blobs follow in the background; when all are here the image is the
//                                repository's, as if it had been pushed
//   of an index               -> it is the repository's at once; its images are fetched when they are asked
//   for a blob is asked for       -> whoever asks waits for that blob alone; all who want it share one
//   transfer
//
// A tag that came from upstream is asked for again once its age is beyond `refresh`; one that somebody pushed
// never is. When the upstream fails, what is here is served. What upstream no longer has is kept.
//
//   /ecr/cached/<account>/<region>/<name>@<digest>     CachedRow: which tags came from upstream, and when
//   they
//                                                      were last compared
// The row is written in the transaction that makes the image known and goes with it, so that no crash takes a
// cached tag for a pushed one.
//
// On the control strand; upstreams are spoken to on the network executor. Fetching goes on when its caller is
// gone. kill -9 leaves at worst blobs that nothing names yet: the next pull begins anew.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "ecr/cached_row.h"
#include "ecr/pull_through_rules.h"
#include "ecr/repositories.h"
#include "ecr/repository_templates.h"
#include "ecr/single_flight.h"
#include "ecr/upstream_error.h"
#include "image/content_store.h"
#include "image/registry_client.h"
#include "io/executors.h"

namespace sampan::ecr {

inline constexpr std::chrono::seconds kAbsentFor{
    10};  // an upstream that has it not is not asked again so soon

class PullThrough {
 public:
  struct Parts {
    io::Executors& executors;
    store::Store& store;
    image::ContentStore& content;
    Repositories& repositories;
    RepositoryTemplates& templates;
    const PullThroughRules& rules;
    image::RegistryNetwork& network;
    core::Clock& clock;
    std::chrono::seconds refresh = std::chrono::hours(24);
  };
  explicit PullThrough(Parts parts);

  enum class Part { kWhole, kHead };       // GET or HEAD
  enum class Age { kAsConfigured, kNow };  // kNow: compare with upstream first, whenever that was done last
  struct Answer {
    image::Digest digest;
    std::string media_type;
    std::uint64_t size = 0;
    std::shared_ptr<const std::string> bytes;  // of a whole one
  };

  // What upstream has under `reference` (tag or digest), when that is to be served instead of the
  // repository's own state: because it is not here, or is newer. Nothing: look at the repository. Throws
  // UpstreamError when it is not here and cannot be had.
  io::Awaitable<std::optional<Answer>> manifest(RepositoryId id, std::string reference, Part part,
                                                Age age = Age::kAsConfigured);
  // As manifest(), and waits until all that the image (of an index: its image for `platform`, if there is
  // one) needs is in the repository.
  io::Awaitable<void> image(RepositoryId id, std::string reference, std::optional<image::Platform> platform);
  // Brings a blob into the repository if upstream has it. Throws UpstreamError when upstream fails.
  io::Awaitable<void> blob(RepositoryId id, image::Digest digest);
  // The size of a blob that an image on its way names: blob() will bring it.
  std::optional<std::uint64_t> awaited_blob(const RepositoryId& id, const image::Digest& digest) const;
  // A tag that came from upstream and is old enough to be compared, or is not here at all: it may change.
  bool is_due(const RepositoryId& id, const std::string& tag) const;
  bool has_rule_for(const RepositoryId& id) const { return parts_.rules.match(id) != nullptr; }
  bool has_rules() const { return parts_.rules.any(); }  // from any thread
  // Asks the rule's upstream whether it takes the rule's login; why not, or nothing.
  io::Awaitable<std::optional<std::string>> validate(std::string account, std::string region,
                                                     PullThroughRule rule);
  // "sampan-…" in a Via header: a request that has come from this Sampan is not asked on.
  const std::string& name() const { return parts_.network.name(); }

 private:
  struct Upstream {
    std::shared_ptr<image::RegistryClient> client;
    std::string repository;  // its name there
    std::string rule;        // the rule's prefix
  };
  // An image whose blobs are on their way.
  struct Arriving {
    ManifestUpload upload;
    std::set<std::string> tags;
    Upstream upstream;
  };

  Upstream upstream_for(const RepositoryId& id, const PullThroughRule& rule);
  std::shared_ptr<image::RegistryClient> client_for(const RepositoryId& id, const PullThroughRule& rule);
  std::optional<image::Digest> find_local(const RepositoryId& id, const std::string& reference) const;
  std::shared_ptr<Arriving> find_arriving(const RepositoryId& id, const std::string& reference) const;
  static Answer answer_of(const ManifestUpload& upload, Part part);
  bool is_fresh(const RepositoryId& id, const image::Digest& digest, const std::string& tag) const;

  io::Awaitable<std::optional<Answer>> compare(RepositoryId id, std::string tag, image::Digest local,
                                               Part part);
  io::Awaitable<Answer> fetch(RepositoryId id, std::string reference, Part part);
  io::Awaitable<Answer> fetch_head(RepositoryId id, std::string reference, Upstream upstream);
  io::Awaitable<Answer> fetch_whole(RepositoryId id, std::string reference, Upstream upstream);
  io::Awaitable<Answer> take_index(RepositoryId id, std::string tag, ManifestUpload upload);
  Answer begin_arrival(const RepositoryId& id, const std::string& tag, ManifestUpload upload,
                       Upstream upstream);
  io::Awaitable<void> arrive(RepositoryId id, std::shared_ptr<Arriving> arriving);
  io::Awaitable<bool> complete(RepositoryId id, std::shared_ptr<Arriving> arriving);
  io::Awaitable<void> put_arrived(RepositoryId id, std::shared_ptr<Arriving> arriving);
  io::Awaitable<void> put_tag(RepositoryId id, ManifestUpload upload, std::string tag,
                              Repositories::Children children);
  io::Awaitable<bool> ensure_blob(RepositoryId id, Upstream upstream, image::Digest digest,
                                  std::optional<std::uint64_t> size);
  io::Awaitable<bool> transfer(RepositoryId id, Upstream upstream, image::Digest digest,
                               std::optional<std::uint64_t> size);
  bool sibling_has(const RepositoryId& id, const std::string& rule, const image::Digest& digest) const;

  io::Awaitable<void> note_compared(RepositoryId id, image::Digest digest, std::string tag);
  void write_cached(store::Txn& tx, const std::string& key, const std::string& tag);
  void note_absent(const std::string& key);
  [[noreturn]] void throw_absent(const RepositoryId& id, const std::string& reference,
                                 const Upstream& upstream) const;

  Parts parts_;
  store::Table<CachedRow> cached_;
  SingleFlight<Answer> fetches_;
  SingleFlight<bool> arrivals_;
  SingleFlight<bool> transfers_;
  std::map<std::string, std::shared_ptr<Arriving>> arriving_;  // by image key
  std::set<std::string> expected_;                             // "<image key> <tag>" about to be put
  std::map<std::string, core::TimePoint> absent_;              // upstream had it not, then
  std::map<std::string, core::TimePoint> resting_;             // hosts that failed: until when
  std::map<std::string, std::shared_ptr<image::RegistryClient>> clients_;  // by rule
  // What arrives is not collected before its rows are there. Here and not in coroutines, which may be dropped
  // later than the content store is.
  std::map<std::string, image::Holds::Hold> holds_;
};

}  // namespace sampan::ecr
