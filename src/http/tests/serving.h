// A server on a free port of 127.0.0.1 for the length of a test, with a handler that shows what it got.
#pragma once

#include <fcntl.h>

#include <atomic>

#include "http/server.h"
#include "http/tests/raw_client.h"
#include "io/tests/running.h"

namespace sampan::http {

using io::Awaitable;
using std::chrono::milliseconds;

// So long that a test that reaches one hangs visibly.
inline Limits patient_limits() {
  Limits limits;
  limits.head_timeout = limits.idle_timeout = limits.body_stall_timeout = milliseconds(60'000);
  return limits;
}

class Serving {
 public:
  explicit Serving(Handler handler, Limits limits = patient_limits(), unsigned threads = 2)
      : running(threads), server(running.executors, std::move(handler), limits) {
    server.listen("127.0.0.1", 0);
  }
  std::uint16_t port() const { return server.port(); }
  std::string url(std::string_view target) const {
    return "http://127.0.0.1:" + std::to_string(port()) + std::string(target);
  }
  RawClient client() const { return RawClient(port()); }

  io::Running running;
  Server server;
};

// "METHOD target [body]"
inline Awaitable<Response> echo(Request& request, BodyReader& body) {
  const std::string text = co_await body.read_all(16 * 1024 * 1024);
  co_return Response::text(200, request.method + " " + request.target + " [" + text + "]", "text/plain");
}

inline io::UniqueFd file_with(const std::string& bytes) {
  std::string name = "/tmp/sampan-http-test-XXXXXX";
  io::UniqueFd fd(::mkostemp(name.data(), O_CLOEXEC));
  ::unlink(name.c_str());
  io::write_all(fd.get(), bytes);
  return fd;
}

}  // namespace sampan::http
