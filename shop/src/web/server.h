// The application behind HTTP/1.1 (POCO): reads requests within limits, compresses, logs, stops gracefully.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "web/app.h"

namespace shop::web {

struct ServerOptions {
  std::string address = "0.0.0.0";
  std::uint16_t port = 8080;  // 0: a free one
  int threads = 64;
};

class Server {
 public:
  // Listens when it returns; throws when it cannot.
  Server(App& app, const ServerOptions& options);
  ~Server();
  std::uint16_t port() const;
  // No new connections; requests under way are finished, for at most `seconds`.
  void stop(int seconds);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace shop::web
