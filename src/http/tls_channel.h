// The server's end of TLS over a socket that does not block: what ByteStream asks instead of recv and send.
// One connection's; one thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace sampan::http {

class TlsChannel {
 public:
  // `socket` is somebody else's to close, after this is gone.
  TlsChannel(std::shared_ptr<ssl_ctx_st> context, int socket);

  enum class Result { kDone, kWantsRead, kWantsWrite, kEnded, kBroken };
  Result shake_hands();
  // `n`: how many bytes, when kDone. kEnded: the peer said farewell, or just went.
  Result read(std::span<char> buffer, std::size_t& n);
  Result write(std::string_view bytes, std::size_t& n);
  void say_farewell();
  // Why the last call gave kBroken.
  const std::string& fault() const { return fault_; }

 private:
  Result outcome(int result);

  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  std::shared_ptr<ssl_ctx_st> context_;
  std::unique_ptr<ssl_st, Free> ssl_;
  std::string fault_;
  bool broken_ = false;
};

}  // namespace sampan::http
