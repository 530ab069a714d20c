// The blob store in a directory: DIRECTORY/sha256/ab/ab12…, and DIRECTORY/incoming/ for what is being copied
// in. Several daemons may share it.
#pragma once

#include "image/blob_store.h"

namespace sampan::image {

class FileBlobStore final : public BlobStore {
 public:
  FileBlobStore(io::Executors& executors, std::filesystem::path root);
  io::Awaitable<std::optional<std::uint64_t>> size(Digest digest) override;
  io::Awaitable<void> put(Digest digest, std::filesystem::path file) override;
  io::Awaitable<void> get(Digest digest, std::uint64_t offset, std::uint64_t length, Sink sink) override;
  io::Awaitable<void> remove(Digest digest) override;
  io::Awaitable<void> list(std::function<void(const Found&)> visit) override;
  std::optional<std::string> link(const Digest&, std::chrono::seconds) override { return std::nullopt; }
  io::Awaitable<std::uint64_t> sweep(core::TimePoint cutoff) override;
  const std::string& name() const override { return name_; }

 private:
  std::filesystem::path path(const Digest& digest) const;
  void copy_in(const Digest& digest, const std::filesystem::path& from) const;

  io::Executors& executors_;
  std::filesystem::path root_;
  std::string name_;
};

}  // namespace sampan::image
