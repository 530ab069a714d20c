// What an image consists of, over HTTP, for `sampan image sbom`:
//   GET /sampan/v1/inventory?repository=localhost:4566/team/app&tag=1&format=cyclonedx     (or &digest=sha256:…,
//   format=spdx)
// Answers the bill of materials itself. The caller has been authenticated; `registry` is whose images are
// meant.
#pragma once

#include "ecr/scans.h"
#include "http/message.h"

namespace sampan::ecr {

class InventoryApi {
 public:
  // All must outlive it. `host`: how this Sampan's registry is named in references.
  InventoryApi(io::Executors& executors, Repositories& repositories, Scans& scans, core::Clock& clock,
               std::string host)
      : executors_(executors),
        repositories_(repositories),
        scans_(scans),
        clock_(clock),
        host_(std::move(host)) {}

  static bool serves(std::string_view path) { return path == "/sampan/v1/inventory"; }
  // From any executor.
  io::Awaitable<http::Response> handle(http::Request& request, image::Registry registry);

 private:
  struct Question {
    RepositoryId repository;
    std::string tag, digest;
    bool spdx = false;
  };
  // On the control strand; nothing when there is no such image, or it is no image.
  std::optional<image::Digest> find(const Question& question) const;

  io::Executors& executors_;
  Repositories& repositories_;
  Scans& scans_;
  core::Clock& clock_;
  std::string host_;
};

}  // namespace sampan::ecr
