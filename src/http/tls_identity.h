// A server's certificate and key, as a TLS listener shows them. Read again on demand: connections that begin
// afterwards get the new ones, those under way keep theirs. Thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

struct ssl_ctx_st;

namespace sampan::http {

class TlsIdentity {
 public:
  // PEM files: the certificate first and then its intermediates, and its private key. Throws core::Error that
  // says which file is wrong and how.
  TlsIdentity(std::filesystem::path certificate, std::filesystem::path key);

  // Reads the files again; when they are wrong, throws and keeps what it had.
  void reload();
  // As above when the files have changed since they were last looked at. True when they had and are good.
  bool reload_if_changed();

  std::shared_ptr<ssl_ctx_st> current() const;

 private:
  std::string stamp() const;

  const std::filesystem::path certificate_;
  const std::filesystem::path key_;
  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<ssl_ctx_st> context_;
  std::string seen_;  // of the files when they were last read
};

}  // namespace sampan::http
