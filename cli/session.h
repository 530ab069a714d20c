// One call of `sampan`: where the daemon is, with which keys, how to talk to it and to the user.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "aws/client.h"
#include "core/error.h"
#include "http/client.h"

namespace sampan::cli {

// Used wrongly: exit 2. Everything else that fails: exit 1.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Places {
  std::filesystem::path data_dir = "/var/lib/sampan";
  std::filesystem::path run_dir = "/run/sampan";
};

// Reads an AWS ini file's section; nothing when the file or the keys are absent.
std::optional<aws::Credentials> read_credentials(const std::filesystem::path& file, const std::string& profile);

class Session {
 public:
  // Empty strings: found as CONTRACT.md says (environment, AWS files, the instance's own credentials).
  void configure(std::string endpoint, std::string region, Places places, bool json);

  const std::string& endpoint() const { return endpoint_; }
  // "localhost:4566": how images of this Sampan are named.
  std::string registry_host() const;
  const std::string& region() const { return region_; }
  const Places& places() const { return places_; }
  bool json() const { return json_; }
  bool interactive() const { return interactive_; }
  aws::Credentials credentials() const;

  // One AWS call. Throws aws::Fault, or core::Error when the daemon is not reached.
  template <class Op>
  typename Op::Output call(typename Op::Input input) {
    return exchange(client().template call<Op>(std::move(input)));
  }
  // A signed request to Sampan's own paths (/sampan/v1/…); the signature does not cover the body.
  http::ClientResponse request(const std::string& method, const std::string& target, std::string body = "",
                               std::chrono::milliseconds timeout = std::chrono::seconds(60));
  // The same with a file as the body, whatever its size.
  http::ClientResponse upload(const std::string& target, const std::filesystem::path& file,
                              const std::string& header = "", const std::vector<std::string>& values = {});

  // Runs a coroutine to its end on this thread.
  template <class T>
  T run(boost::asio::awaitable<T> work);

 private:
  // run(), and a plain word where no daemon answers.
  template <class T>
  T exchange(boost::asio::awaitable<T> work) {
    try {
      return run(std::move(work));
    } catch (const core::Error& error) {
      if (!answers()) throw nobody_there(error.what());
      throw;
    }
  }
  bool answers();
  aws::Credentials working_credentials();
  core::Error nobody_there(const std::string& why) const;
  aws::Client& client();
  http::ClientRequest signed_request(const std::string& method, const std::string& target);

  std::string endpoint_ = "http://127.0.0.1:4566";
  std::string region_ = "us-east-1";
  Places places_;
  bool json_ = false;
  bool interactive_ = false;
  std::unique_ptr<aws::Client> client_;
};

template <class T>
T Session::run(boost::asio::awaitable<T> work) {
  boost::asio::io_context context;
  std::optional<T> result;
  std::exception_ptr failure;
  boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr error, T value) {
    failure = error;
    if (!error) result = std::move(value);
  });
  context.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

}  // namespace sampan::cli
