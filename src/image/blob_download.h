// One blob on its way from another registry into the content store: resumed where it broke, held to its size
// and digest, given up when it only drips. Part of registry_client.cpp.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "image/content_store.h"
#include "image/registry_session.h"
#include "io/executors.h"

namespace sampan::image {

struct BlobWanted {
  Digest digest;
  std::optional<std::uint64_t> size;            // as a manifest says; without it `most` alone binds
  std::uint64_t most = 52'000ull << 20;         // ECR's quota of a layer
  std::function<void(std::uint64_t)> progress;  // bytes so far; may go back when the transfer begins anew
  Patience patience{};
};

class BlobDownload {
 public:
  BlobDownload(io::Executors& executors, RegistrySession& session, ContentStore& content, BlobWanted wanted);
  // False when the registry has no such blob. Throws RegistryFailure; core::Error when the disk refuses.
  io::Awaitable<bool> run(http::ClientRequest request, std::string scope, std::string tried);

 private:
  enum class Outcome { kWhole, kAbsent };
  io::Awaitable<Outcome> try_once(http::ClientRequest request, const std::string& scope,
                                  const std::string& tried);
  bool fits(const http::ClientResponse& head, std::uint64_t offset);
  io::Awaitable<void> take(std::span<const char> bytes);
  io::Awaitable<void> flush();
  void check_pace();
  void begin_anew();
  std::uint64_t limit() const { return wanted_.size.value_or(wanted_.most); }

  io::Executors& executors_;
  RegistrySession& session_;
  ContentStore& content_;
  BlobWanted wanted_;
  std::optional<BlobWriter> writer_;
  std::vector<char> pending_;
  std::uint64_t received_ = 0;  // written and pending
  std::uint64_t furthest_ = 0;  // of all tries
  std::string misfit_;          // why a response's body was not taken
  std::exception_ptr fatal_;    // of our own disk, or of a body that is too long: no further try
  std::chrono::steady_clock::time_point pace_from_{};
  std::uint64_t pace_received_ = 0;
};

}  // namespace sampan::image
