#include "http/tls_channel.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "core/error.h"

namespace sampan::http {

void TlsChannel::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

TlsChannel::TlsChannel(std::shared_ptr<ssl_ctx_st> context, int socket)
    : context_(std::move(context)), ssl_(SSL_new(context_.get())) {
  if (!ssl_ || SSL_set_fd(ssl_.get(), socket) != 1) throw core::Error("begin TLS", "out of memory");
  SSL_set_accept_state(ssl_.get());
}

TlsChannel::Result TlsChannel::shake_hands() {
  ERR_clear_error();
  return outcome(SSL_do_handshake(ssl_.get()));
}

TlsChannel::Result TlsChannel::read(std::span<char> buffer, std::size_t& n) {
  ERR_clear_error();
  return outcome(SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &n));
}

TlsChannel::Result TlsChannel::write(std::string_view bytes, std::size_t& n) {
  n = 0;
  if (bytes.empty()) return Result::kDone;
  ERR_clear_error();
  return outcome(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &n));
}

void TlsChannel::say_farewell() {
  if (broken_ || !SSL_is_init_finished(ssl_.get())) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

TlsChannel::Result TlsChannel::outcome(int result) {
  if (result > 0) return Result::kDone;
  const int saved = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Result::kWantsRead;
    case SSL_ERROR_WANT_WRITE:
      return Result::kWantsWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Result::kEnded;
    case SSL_ERROR_SYSCALL:
      broken_ = true;
      if (ERR_peek_error() == 0) {
        fault_ = saved == 0 ? "the peer went away" : std::generic_category().message(saved);
        return Result::kEnded;
      }
      break;
    default:
      broken_ = true;
      break;
  }
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  fault_ = text.data();
  // A peer that goes without a farewell has ended too: HTTP's own framing tells a cut body.
  return ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING ? Result::kEnded
                                                                                     : Result::kBroken;
}

}  // namespace sampan::http
