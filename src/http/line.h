// One open connection of a client with its deadline. Part of client.cpp.
#pragma once

#include <memory>
#include <string>

#include "http/transport.h"
#include "http/watchdog.h"

namespace sampan::http {

struct Line {
  explicit Line(const boost::asio::any_io_executor& executor) : watchdog(executor) {}
  Watchdog watchdog;
  std::unique_ptr<Transport> transport;  // after the watchdog that guards it: goes before it
  std::string peer;                      // address in digits; empty: a Unix socket
};

}  // namespace sampan::http
