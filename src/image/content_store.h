// The one content store of a machine: every blob (layer, configuration, manifest) once, named by its SHA-256
// (or SHA-512), shared by the registry, the builder and the node.
//
//   <data-dir>/blobs/sha256/ab/ab12…   (sha512 likewise) a blob, complete and immutable from the moment its
//   name exists
//   <data-dir>/blobs/damaged/<algorithm>-<hex>     put aside by fsck
//   <data-dir>/blobs/incoming/<n>      being written; swept at start-up
//
// It knows no repositories and decides no visibility: who may see a blob is the registry's matter.
// What nobody names any more is taken by collection (ecr/collector.h). For that, has() is a promise: the blob
// it answers for stays for the collection's grace, and as long as a hold() that was there before. size(),
// open() and read() promise nothing: what is open can be read to its end. Thread-safe. Blocking: call on the
// blocking pool (open, has and size are single system calls). kill -9 at any point leaves either the whole
// blob or nothing under its name.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/encoding.h"
#include "core/error.h"
#include "image/holds.h"
#include "image/last_use.h"
#include "image/reference.h"
#include "image/staged_blobs.h"
#include "io/file.h"

namespace sampan::image {

// The bytes were not what their name says: the sender's fault, not the disk's.
class DigestMismatch : public core::Error {
 public:
  DigestMismatch(const Digest& expected, const Digest& actual);
};

class BlobWriter;

class ContentStore {
 public:
  // Makes the directories and removes what an earlier process left half-written. One store a data directory.
  explicit ContentStore(std::filesystem::path data_dir, const core::Clock& clock = system_clock());
  ContentStore(const ContentStore&) = delete;
  ContentStore& operator=(const ContentStore&) = delete;

  // True: it is here and stays, as said above.
  bool has(const Digest& digest) const;
  std::optional<std::uint64_t> size(const Digest& digest) const;
  // For reading; throws core::Error naming the digest when it is not here.
  io::UniqueFd open(const Digest& digest) const;
  // The whole blob; throws core::Error when it is absent or longer than `limit`.
  std::string read(const Digest& digest, std::size_t limit) const;
  // Where the blob is or would be.
  std::filesystem::path path(const Digest& digest) const;

  // A small blob that can be read from now on and gets its file at write_staged(), many at once. Until then a
  // crash loses it: for who keeps the bytes safe elsewhere. False when too many are staged. One system call.
  bool stage(const Digest& digest, const std::string& bytes);
  // Afterwards what was staged before is in files (not flushed).
  void write_staged() const;

  Digest put(std::string_view bytes, io::Durability durability = io::Durability::kFlushed);
  // The algorithm is that of the name it will get, as far as that is known: finish() reads the file once more
  // when it was not.
  BlobWriter writer(io::Durability durability = io::Durability::kFlushed,
                    core::HashAlgorithm algorithm = core::HashAlgorithm::kSha256);
  // Takes a finished file of this file system over under `digest`, which the caller has computed from it.
  void adopt(const std::filesystem::path& file, const Digest& digest);
  // What the holder touches or stores from now on is not collected while the hold lives.
  Holds::Hold hold() const { return holds_.begin(clock_.now()); }
  const Holds& holds() const { return holds_; }
  const core::Clock& clock() const { return clock_; }

  // Whatever its use. False when it was not here.
  bool remove(const Digest& digest);
  // For collection: removes the blob unless it was stored or asked for at `cutoff` or later; its size when it
  // went.
  std::optional<std::uint64_t> remove_idle(const Digest& digest, core::TimePoint cutoff);
  // Puts a damaged blob aside, into blobs/damaged/: it is not here any more, and a push of it is taken.
  // `file` is what was found damaged; false when another file has the name by now. For fsck.
  bool set_aside(const Digest& digest, int file);
  // Removes what was put aside before `cutoff`.
  void forget_set_aside(core::TimePoint cutoff);
  // Told of each blob that went, on the thread that removed it: for what keeps contents in memory. Before the
  // first request.
  void when_removed(std::function<void(const Digest&)> listener) { removed_.push_back(std::move(listener)); }
  // Everything written so far, flushed or not, is on the disk when it returns.
  void flush() const;
  // Every blob, in no order; a blob that comes or goes meanwhile may be told or not.
  void for_each(const std::function<void(const Digest&, std::uint64_t size)>& visit) const;
  // The same, with when each was last stored or asked for.
  void scan(const std::function<void(const Digest&, const Idle&)>& visit) const;

  // A directory on the same file system for files that will be adopted. Swept at start-up.
  const std::filesystem::path& incoming() const { return incoming_; }

 private:
  friend class BlobWriter;
  static const core::Clock& system_clock();
  std::filesystem::path file_of(const Digest& digest) const;
  void write_out(const Digest& digest) const;
  std::filesystem::path new_incoming() const;
  std::shared_mutex& guard(const Digest& digest) const;
  void tell_removed(const Digest& digest) const;
  void place(const std::filesystem::path& file, const Digest& digest, io::Durability durability,
             core::TimePoint used) const;

  const core::Clock& clock_;
  std::filesystem::path root_;      // <data-dir>/blobs
  std::filesystem::path incoming_;  // <data-dir>/blobs/incoming
  mutable Holds holds_;
  // By a blob's first byte. Held alone from the look at a blob's last use to its removal; held by many who
  // touch or name a blob. So an answer "it is here" comes before the look, and the blob stays, or after the
  // removal.
  mutable std::array<std::shared_mutex, 64> guards_;
  std::vector<std::function<void(const Digest&)>> removed_;
  mutable std::atomic<std::uint64_t> next_{1};
  mutable StagedBlobs staged_;
};

// One blob being written: hashed as it comes, visible only after finish(). Dropped without finish() it leaves
// nothing. One thread at a time, but for hash() and append().
//
// Large aligned pieces go past the page cache (O_DIRECT, where the file system has it): the disk writes while
// the processor hashes the next piece, the last flush has nothing left to do, and a registry that takes
// gigabytes does not push everything else out of memory. Measured on a virtual machine: 1.4 GB/s against 0.3.
class BlobWriter {
 public:
  BlobWriter(BlobWriter&&) noexcept;
  BlobWriter& operator=(BlobWriter&&) = delete;
  ~BlobWriter();
  // Throws core::Error (disk full, I/O error); the writer is then good for nothing but to be dropped.
  void write(std::span<const char> bytes);
  // The two halves of write(), which may run beside each other for the same bytes. Both for every byte, in
  // order.
  void hash(std::span<const char> bytes) { hash_.update(bytes); }
  void append(std::span<const char> bytes) { append({&bytes, 1}); }
  void append(std::span<const std::span<const char>> pieces);  // at most kMostPieces, in one write
  static constexpr std::size_t kMostPieces = 16;
  std::uint64_t size() const { return size_; }
  // Names the blob; throws DigestMismatch when it is not the `expected` one. Once.
  Digest finish(const std::optional<Digest>& expected = std::nullopt);

 private:
  friend class ContentStore;
  BlobWriter(ContentStore& store, io::Durability durability, core::HashAlgorithm algorithm);
  Digest name(const std::optional<Digest>& expected);
  bool past_cache(std::span<const std::span<const char>> pieces, std::size_t total) const;
  void set_direct(bool direct);
  void reserve();
  void start_writeback();

  ContentStore* store_;
  io::Durability durability_;
  std::filesystem::path path_;  // empty once finished or moved from
  io::UniqueFd file_;
  core::HashAlgorithm algorithm_;
  core::Hasher hash_;
  std::uint64_t size_ = 0;
  std::uint64_t written_back_ = 0;
  std::uint64_t reserved_ = 0;
  bool direct_ = false;
  bool direct_possible_ = true;
};

// A buffer whose pieces BlobWriter can hand to the disk as they are.
class AlignedBuffer {
 public:
  static constexpr std::size_t kAlignment = 4096;
  explicit AlignedBuffer(std::size_t size);  // rounded up
  std::span<char> bytes() const { return {memory_.get(), size_}; }

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  std::size_t size_;
  std::unique_ptr<char[], Free> memory_;
};

}  // namespace sampan::image
