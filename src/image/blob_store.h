// Where blobs are kept for good, when that is not this machine's own disk: a seam with two engines, a
// directory (another disk, a network mount) and S3-compatible storage. The content store is then a cache in
// front of it.
//
// A name is a digest, a content never changes, so that a put of what is there already may replace it or not.
// Coroutines: call from any executor; what blocks goes to the blocking pool.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/clock.h"
#include "image/reference.h"
#include "io/executors.h"

namespace sampan::image {

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  // Each throws core::Error that says what was tried, on what, and why it failed.
  virtual io::Awaitable<std::optional<std::uint64_t>> size(Digest digest) = 0;
  // Copies a finished file in. Durable when it returns; killed before that, it leaves nothing under the name.
  virtual io::Awaitable<void> put(Digest digest, std::filesystem::path file) = 0;
  // `length` bytes from `offset`, in pieces, in order; `length` may reach beyond the end. Throws when it is
  // not there.
  using Sink = std::function<io::Awaitable<void>(std::span<const char>)>;
  virtual io::Awaitable<void> get(Digest digest, std::uint64_t offset, std::uint64_t length, Sink sink) = 0;
  // Absent is fine.
  virtual io::Awaitable<void> remove(Digest digest) = 0;
  struct Found {
    Digest digest;
    std::uint64_t size = 0;
    core::TimePoint stored{};
  };
  virtual io::Awaitable<void> list(std::function<void(const Found&)> visit) = 0;
  // A URL under which anybody can get the blob for `life`; nothing where there is no such thing.
  virtual std::optional<std::string> link(const Digest& digest, std::chrono::seconds life) = 0;
  // Removes what puts that were cut off before `cutoff` left behind; how many.
  virtual io::Awaitable<std::uint64_t> sweep(core::TimePoint cutoff) = 0;
  // For logs and errors: "s3://bucket/prefix at http://…".
  virtual const std::string& name() const = 0;
};

// Of "s3://bucket[/prefix]?endpoint=URL&region=R[&part=BYTES]" or "file:///directory". Credentials come from
// the environment (AWS_ACCESS_KEY_ID, …) or else the AWS credentials file's default profile. Throws
// core::Error.
std::unique_ptr<BlobStore> open_blob_store(io::Executors& executors, const core::Clock& clock,
                                           const std::string& where);

}  // namespace sampan::image
