#include "http/tls_identity.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <array>
#include <string_view>

#include "core/error.h"

namespace sampan::http {
namespace {

constexpr std::string_view kSpoken = "\x08http/1.1";

std::string last_error() {
  std::array<char, 256> text{};
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

// ALPN: HTTP/1.1 to who knows it; to who offers others alone nothing is agreed, and it may try.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  unsigned char* found = nullptr;
  const auto* spoken = reinterpret_cast<const unsigned char*>(kSpoken.data());
  const int result = SSL_select_next_proto(&found, size, spoken, static_cast<unsigned int>(kSpoken.size()),
                                           offered, offered_size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

std::shared_ptr<SSL_CTX> make_context(const std::string& certificate, const std::string& key) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) throw core::Error("set up TLS", last_error());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(),
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A write may be tried again from another place in memory, and goes on where it stopped.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1) {
    throw core::Error(fmt::format("read the TLS certificate {}", certificate), last_error());
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    throw core::Error(fmt::format("read the TLS key {}", key), last_error());
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    throw core::Error(fmt::format("use the TLS key {}", key),
                      fmt::format("it is not the key of {}", certificate));
  }
  return context;
}

}  // namespace

TlsIdentity::TlsIdentity(std::filesystem::path certificate, std::filesystem::path key)
    : certificate_(std::move(certificate)), key_(std::move(key)) {
  reload();
}

void TlsIdentity::reload() {
  auto seen = stamp();
  {
    const std::lock_guard lock(mutex_);
    seen_ = std::move(seen);  // also of files that are wrong: they are told of once
  }
  auto made = make_context(certificate_.string(), key_.string());
  const std::lock_guard lock(mutex_);
  context_ = std::move(made);
}

bool TlsIdentity::reload_if_changed() {
  {
    const std::lock_guard lock(mutex_);
    if (stamp() == seen_) return false;
  }
  reload();
  return true;
}

std::shared_ptr<ssl_ctx_st> TlsIdentity::current() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

// Followed through links: certbot and Kubernetes swap those.
std::string TlsIdentity::stamp() const {
  std::string text;
  for (const auto& path : {certificate_, key_}) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) continue;
    text += fmt::format("{}:{}:{}.{}:{} ", info.st_dev, info.st_ino, info.st_mtim.tv_sec,
                        info.st_mtim.tv_nsec, info.st_size);
  }
  return text;
}

}  // namespace sampan::http
