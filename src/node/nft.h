// One libnftables context: runs nft(8) text as one transaction each. Speaks for the network namespace its
// thread was in when it was made. Thread-safe (one transaction at a time).
#pragma once

#include <mutex>
#include <string>

struct nft_ctx;

namespace sampan::node {

class Nft {
 public:
  Nft();
  ~Nft();
  Nft(const Nft&) = delete;
  Nft& operator=(const Nft&) = delete;

  // All of `text` or nothing of it. Throws core::Error with nft's first line of complaint.
  void apply(const std::string& text);
  // apply() that answers false instead of throwing: for removing what may be gone.
  bool try_apply(const std::string& text);
  // What a list command prints, as JSON; nothing there: an empty string.
  std::string list_json(const std::string& command);

 private:
  int run(const std::string& text, bool json, std::string& out, std::string& err);

  std::mutex mutex_;
  nft_ctx* context_;
};

}  // namespace sampan::node
