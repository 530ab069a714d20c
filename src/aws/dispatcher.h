// From an HTTP request to a service's handler and back: the one front door of every AWS API.
//
//   head -> which service -> who calls -> body -> signature -> decode and validate   on a network thread
//   may the caller do this                                                           on a network thread
//   handler                                                                          on the control strand
//   encode                                                                           on a network thread
//
// Whatever goes wrong becomes the protocol's error with AWS's code: a Fault as it is, anything else an
// InternalFailure that is logged with the request's id. A handler that was started is not cancelled when its
// client goes away: it may be half-way through a transaction.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "aws/authentication.h"
#include "aws/service.h"
#include "aws/wire.h"
#include "core/clock.h"
#include "core/random.h"
#include "http/message.h"
#include "io/executors.h"

namespace sampan::aws {

class Authorizer;
class Form;
class Meter;

struct DispatcherOptions {
  std::string default_region = "us-east-1";       // of unsigned calls, in open mode
  std::size_t body_limit = 16 * 1024 * 1024;      // of a JSON request
  std::size_t ecr_body_limit = 32 * 1024 * 1024;  // UploadLayerPart: 20 MiB, in base64
  std::size_t form_limit = 1024 * 1024;           // of a Query or EC2 request
};

// Thread-safe once all services are added. `ids` must be thread-safe.
class Dispatcher {
 public:
  Dispatcher(io::Executors& executors, Authenticator& authenticator, core::Clock& clock, core::IdSource& ids,
             DispatcherOptions options = {});
  ~Dispatcher();

  // The service outlives the dispatcher. Names and protocol are its model's.
  void add(AnyService& service);
  // Asked before each handler, when it is set; outlives the dispatcher. Before the first request.
  void authorize_with(const Authorizer& authorizer) { authorizer_ = &authorizer; }

  // Never throws but for http::BodyError (the peer is gone or too slow).
  io::Awaitable<http::Response> handle(http::Request& request, http::BodyReader& body);

  std::vector<std::string> services() const;  // "ecs", "ecr", ... as they were added

 private:
  struct Entry {
    AnyService* service;
    const ServiceModel* model;
    std::unique_ptr<Meter[]> meters;  // one an operation
  };
  struct Exchanged;  // what is known of one request so far

  io::Awaitable<http::Response> answer(http::Request& request, http::BodyReader& body, Exchanged& now);
  void find_json_service(Exchanged& now, std::string_view target) const;
  const Entry* signed_for(std::string_view signing_name) const;
  void refuse_other_services(const http::Request& request, std::string_view signing_name) const;
  Form find_form_service(Exchanged& now, const http::Request& request, std::string_view body,
                         const Caller& caller) const;
  void decode(Exchanged& now, std::string_view body, const Form& form) const;
  Call call_of(const http::Request& request, const Exchanged& now, const Caller& caller) const;
  std::size_t limit_for(const Exchanged& now) const;
  http::Response failed(const Exchanged& now, const Fault& fault) const;

  io::Executors& executors_;
  Authenticator& authenticator_;
  const Authorizer* authorizer_ = nullptr;
  core::Clock& clock_;
  core::IdSource& ids_;
  DispatcherOptions options_;
  SigningKeyCache keys_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string_view, std::size_t> by_target_;  // target prefix -> entry
};

}  // namespace sampan::aws
