// The one port: /health, /metrics, the OCI registry under /v2/, Sampan's own work API under /sampan/v1/, and
// AWS API calls everywhere else.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "aws/authentication.h"
#include "aws/dispatcher.h"
#include "core/clock.h"
#include "http/message.h"

namespace sampan::daemon {

// What answers below one path prefix. All outlive the front.
struct Routes {
  aws::Dispatcher* aws = nullptr;
  http::Handler registry;  // /v2/, authenticates by itself
  // /sampan/v1/, called only for requests with a good signature
  std::function<io::Awaitable<http::Response>(http::Request&, http::BodyReader&, const aws::Caller&)> work;
};

class Front {
 public:
  Front(Routes routes, aws::Authenticator& authenticator, core::Clock& clock);
  io::Awaitable<http::Response> handle(http::Request& request, http::BodyReader& body);

 private:
  http::Response health() const;
  io::Awaitable<http::Response> work(http::Request& request, http::BodyReader& body);

  Routes routes_;
  aws::Authenticator& authenticator_;
  core::Clock& clock_;
  aws::SigningKeyCache keys_;
};

}  // namespace sampan::daemon
