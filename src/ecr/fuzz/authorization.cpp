// The Authorization header, the query's signed name of a blob, and scopes: whoever has no key is never let
// in, whatever is sent, and a scope never grows by being read and written.
#include <boost/asio/io_context.hpp>

#include "core/fuzz_target.h"
#include "ecr/login.h"
#include "store/memory_store.h"

namespace sampan::ecr {
namespace {

class NoKeys final : public aws::Authenticator {
 public:
  std::shared_ptr<const aws::Identity> lookup(std::string_view) override { return nullptr; }
  bool verifies() const override { return true; }
};

struct Door {
  boost::asio::io_context context;
  std::unique_ptr<store::Store> rows = store::make_memory_store(boost::asio::make_strand(context));
  core::SystemIdSource ids;
  core::ManualClock clock{core::TimePoint(core::Millis(1'800'000'000'000))};
  NoKeys keys;
  Tokens tokens{*rows, ids};
  Login login{tokens, keys, clock, {"000000000000", "us-east-1"}};
};

bool admits(const Login& login, const http::Request& request) {
  try {
    login.admit(request);
    return true;
  } catch (const RegistryError& error) {
    FUZZ_CHECK(error.status() == 401 || error.status() == 403);
    error.render();
    return false;
  }
}

FUZZ_TARGET(authorization) {
  static const Door door;
  http::Request request;
  request.method = "GET";
  request.target = "/v2/" + std::string(input.substr(0, 200));
  request.headers.set("Host", std::string(input.substr(0, 60)));
  FUZZ_CHECK(!admits(door.login, request));
  for (const char* scheme : {"", "Basic ", "Bearer "}) {
    request.headers.set("Authorization", scheme + std::string(input));
    FUZZ_CHECK(!admits(door.login, request));
  }
  request.headers.set("Authorization", "Basic " + core::to_base64(input));
  FUZZ_CHECK(!admits(door.login, request));
  request.headers.erase("Authorization");
  request.target = "/v2/a/blobs/x?X-Sampan-Token=" + core::percent_encode(input);
  FUZZ_CHECK(!admits(door.login, request));

  const auto scopes = parse_scopes(input);
  FUZZ_CHECK(scopes.size() <= kMostScopes);
  const auto again = parse_scopes(render_scopes(scopes));
  FUZZ_CHECK(covers(scopes, again) && covers(again, scopes));
}

}  // namespace
}  // namespace sampan::ecr
