// The blob store in S3-compatible storage (Amazon's, MinIO, Ceph, Garage …): an object PREFIX/sha256/ab/ab12…
// a blob, addressed by path, signed with SigV4, every body with its SHA-256. Blobs above a part's size go up
// in parts.
#pragma once

#include "aws/sigv4.h"
#include "http/client.h"
#include "image/blob_store.h"

namespace sampan::image {

struct S3Place {
  std::string endpoint;  // "http://127.0.0.1:9000", without a path
  std::string region = "us-east-1";
  std::string bucket;
  std::string prefix;  // "" or "team/blobs/"
  aws::Credentials credentials;
  std::uint64_t part_size = 16ull << 20;  // 5 MiB at least; 10,000 parts of 16 MiB are 156 GiB
};

// Of "s3://bucket/prefix?endpoint=…&region=…&part=…", without credentials. Pure. Throws core::Error.
S3Place parse_s3_place(const std::string& text);

class S3BlobStore final : public BlobStore {
 public:
  S3BlobStore(io::Executors& executors, const core::Clock& clock, S3Place place);
  io::Awaitable<std::optional<std::uint64_t>> size(Digest digest) override;
  io::Awaitable<void> put(Digest digest, std::filesystem::path file) override;
  io::Awaitable<void> get(Digest digest, std::uint64_t offset, std::uint64_t length, Sink sink) override;
  io::Awaitable<void> remove(Digest digest) override;
  io::Awaitable<void> list(std::function<void(const Found&)> visit) override;
  std::optional<std::string> link(const Digest& digest, std::chrono::seconds life) override;
  io::Awaitable<std::uint64_t> sweep(core::TimePoint cutoff) override;
  const std::string& name() const override { return name_; }

 private:
  struct Ask {
    std::string method;
    std::string target;  // "/bucket/key?query"
    std::string body;
    std::string range;
  };
  std::string target_of(const Digest& digest) const;
  std::string bucket_target(const std::string& query) const;
  std::optional<Digest> digest_of(const std::string& key) const;
  http::ClientRequest signed_request(const Ask& ask) const;
  // Tried again when the server is busy or the connection breaks; the answer may have any status below 500.
  io::Awaitable<http::ClientResponse> call(Ask ask);
  io::Awaitable<void> put_parts(std::string target, int file, std::uint64_t size);
  io::Awaitable<std::string> put_part(std::string target, std::string body);
  io::Awaitable<void> abort(std::string target, std::string upload);

  io::Executors& executors_;
  const core::Clock& clock_;
  const S3Place place_;
  std::string host_;  // of the Host header
  std::string name_;
};

}  // namespace sampan::image
