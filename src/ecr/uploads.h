// Blob uploads under way. An upload lives in this process alone: after a restart its client begins again, and
// what it had written is swept.
//
// Thread-safe. One request works on an upload at a time, through a Claim; a second one is told it is busy.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/random.h"
#include "ecr/names.h"
#include "image/content_store.h"

namespace sampan::ecr {

inline constexpr std::size_t kMostUploads = 1024;  // each holds a descriptor
inline constexpr std::chrono::hours kUploadIdle{2};

class Uploads {
 public:
  struct Upload {
    Upload(std::string upload_id, RepositoryId into, image::BlobWriter to)
        : id(std::move(upload_id)), repository(std::move(into)), writer(std::move(to)) {}
    std::string id;
    RepositoryId repository;
    image::BlobWriter writer;
    std::uint64_t last_part = 0;  // ECR's layer API: the size of the part before
    bool has_small_part = false;  // one that was not the last had less than ECR takes
    bool broken = false;          // the disk failed it: good for nothing but to be cancelled
    core::TimePoint used{};
    bool busy = false;
  };

  // The right to work on one upload; gives it back when it dies, or ends the upload after drop().
  class Claim {
   public:
    Claim(Uploads& owner, std::shared_ptr<Upload> upload)
        : owner_(&owner), upload_(std::move(upload)), hold_(owner.content_.hold()) {}
    Claim(Claim&& other) noexcept
        : owner_(other.owner_),
          upload_(std::move(other.upload_)),
          drop_(other.drop_),
          hold_(std::move(other.hold_)) {}
    Claim& operator=(Claim&&) = delete;
    ~Claim();
    Upload* operator->() const { return upload_.get(); }
    Upload& operator*() const { return *upload_; }
    void drop() { drop_ = true; }

   private:
    Uploads* owner_;
    std::shared_ptr<Upload> upload_;  // shared with the table while it is claimed
    bool drop_ = false;
    image::Holds::Hold hold_;  // a finished blob stays until its repository has it
  };

  Uploads(image::ContentStore& content, core::Clock& clock, core::IdSource& ids)
      : content_(content), clock_(clock), ids_(ids) {}

  // Nothing when there are too many. Blocking (makes a file).
  std::optional<Claim> start(const RepositoryId& repository,
                             core::HashAlgorithm algorithm = core::HashAlgorithm::kSha256);
  enum class Problem { kNone, kUnknown, kBusy };
  std::optional<Claim> claim(const RepositoryId& repository, const std::string& id, Problem& problem);
  std::size_t size() const;
  // Ends the uploads that nobody has sent to for kUploadIdle.
  void expire();

 private:
  void give_back(const std::shared_ptr<Upload>& upload, bool drop);
  void forget_idle(core::TimePoint now);

  image::ContentStore& content_;
  core::Clock& clock_;
  core::IdSource& ids_;  // thread-safe: the system's
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Upload>> uploads_;
};

}  // namespace sampan::ecr
