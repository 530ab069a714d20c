#include "aws/dispatcher.h"

#include <fmt/format.h>

#include <boost/asio/bind_cancellation_slot.hpp>

#include "aws/authorizer.h"
#include "aws/form.h"
#include "aws/json_codec.h"
#include "aws/meter.h"
#include "aws/query_codec.h"
#include "aws/validation_text.h"
#include "aws/violations.h"
#include "core/log.h"
#include "core/text.h"

namespace sampan::aws {

// Grows from left to right as the request is understood.
struct Dispatcher::Exchanged {
  std::string request_id;
  core::TimePoint at;
  Dialect dialect;
  const Entry* entry = nullptr;
  const Operation* operation = nullptr;
  std::unique_ptr<Exchange> exchange;
};

namespace {

using Clock = std::chrono::steady_clock;

Fault unknown_operation(Protocol protocol, std::string_view name, std::string_view version) {
  const auto shown = name.substr(0, 128);
  switch (protocol) {
    case Protocol::kJson:
      return Fault("UnknownOperationException", 400, fmt::format("There is no operation {}.", shown));
    case Protocol::kQuery:
      return Fault("InvalidAction", 400,
                   fmt::format("Could not find operation {} for version {}", shown, version.substr(0, 32)));
    case Protocol::kEc2:
      break;
  }
  return Fault("InvalidAction", 400, fmt::format("The action {} is not valid for this web service.", shown));
}

Fault missing_action() {
  return Fault("MissingAction", 400, "Missing Action");
}

// Before anything is known but the head: JSON services name themselves in a header.
Dialect guess_dialect(const http::Request& request) {
  const auto type = request.headers.get("content-type");
  const bool json = request.headers.find("x-amz-target") || type.find("json") != std::string_view::npos ||
                    request.raw_path() != "/";
  if (json) return {};
  return {Protocol::kQuery, {}, "http://webservices.amazon.com/"};
}

}  // namespace

Dispatcher::Dispatcher(io::Executors& executors, Authenticator& authenticator, core::Clock& clock,
                       core::IdSource& ids, DispatcherOptions options)
    : executors_(executors),
      authenticator_(authenticator),
      clock_(clock),
      ids_(ids),
      options_(std::move(options)) {}

Dispatcher::~Dispatcher() = default;

void Dispatcher::add(AnyService& service) {
  const auto& model = service.model();
  if (!model.target_prefix.empty()) by_target_[model.target_prefix] = entries_.size();
  entries_.push_back({&service, &model, std::make_unique<Meter[]>(model.operations.size())});
}

std::vector<std::string> Dispatcher::services() const {
  std::vector<std::string> names;
  for (const auto& entry : entries_) names.emplace_back(entry.model->name);
  return names;
}

io::Awaitable<http::Response> Dispatcher::handle(http::Request& request, http::BodyReader& body) {
  const auto started = Clock::now();
  Exchanged now{ids_.uuid(), clock_.now(), guess_dialect(request), nullptr, nullptr, nullptr};
  http::Response response;
  Outcome outcome = Outcome::kOk;
  try {
    response = co_await answer(request, body, now);
  } catch (const Fault& fault) {
    outcome = fault.http_status() < 500 ? Outcome::kFault : Outcome::kFailure;
    response = failed(now, fault);
  } catch (const http::BodyTooLarge&) {
    outcome = Outcome::kFault;
    response = failed(now, Fault("RequestEntityTooLarge", 413, "The request's body is too large."));
  } catch (const http::BodyError&) {
    throw;
  } catch (const std::exception& error) {
    outcome = Outcome::kFailure;
    core::log::error("api call {} {} request {} failed: {}", now.entry ? now.entry->model->name : "?",
                     now.operation ? now.operation->name : "?", now.request_id, error.what());
    response =
        failed(now, Fault("InternalFailure", 500,
                          "The request could not be carried out because of an internal failure. The log has "
                          "it under this request's id."));
  }
  const auto took = Clock::now() - started;
  if (now.operation) {
    const auto index = static_cast<std::size_t>(now.operation - now.entry->model->operations.data());
    now.entry->meters[index].count(now.entry->model->name, now.operation->name, outcome, took);
  }
  core::log::debug("api call {} {} request {} from {}: {} in {} us", now.entry ? now.entry->model->name : "?",
                   now.operation ? now.operation->name : "?", now.request_id, request.remote_address,
                   response.status, std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  co_return response;
}

io::Awaitable<http::Response> Dispatcher::answer(http::Request& request, http::BodyReader& body,
                                                 Exchanged& now) {
  const auto target = request.headers.get("x-amz-target");
  if (!target.empty()) find_json_service(now, target);

  SignatureCheck signature(authenticator_, keys_);
  Caller caller;
  std::string text;
  Form form;
  try {
    caller = signature.admit(request, now.at);
    if (!now.entry) refuse_other_services(request, caller.service);
    text = co_await body.read_all(limit_for(now));
    if (target.empty()) form = find_form_service(now, request, text, caller);
    signature.require_service(now.entry->model->signing_name);
    signature.verify(request, text);
  } catch (const AuthenticationError& error) {
    // A form is not read before its sender is known; who was meant stands in the signature as well.
    const auto* meant = now.entry ? now.entry : signed_for(signature.service());
    if (meant) now.dialect = dialect_of(*meant->model);
    throw authentication_fault(now.dialect.protocol, error);
  }
  if (!now.operation) throw unknown_operation(now.dialect.protocol, target, {});
  decode(now, text, form);
  const auto call = call_of(request, now, caller);
  if (authorizer_) {
    authorizer_->authorize(
        {*now.entry->model, *now.operation, now.exchange->input(), call, *caller.identity});
  }
  auto running = now.exchange->run(*now.entry->service, call);
  co_await io::asio::co_spawn(
      executors_.control(), std::move(running),
      io::asio::bind_cancellation_slot(io::asio::cancellation_slot(), io::asio::use_awaitable));
  co_return encode_answer(*now.entry->model, *now.operation, now.exchange->output(), now.request_id);
}

void Dispatcher::find_json_service(Exchanged& now, std::string_view target) const {
  const auto dot = target.rfind('.');
  const auto prefix = target.substr(0, std::min(dot, target.size()));
  const auto found = by_target_.find(prefix);
  if (found == by_target_.end()) {
    throw Fault("UnknownOperationException", 400,
                fmt::format("No service here answers to X-Amz-Target '{}'. Sampan has {}.",
                            target.substr(0, 128), core::join(services(), ", ")));
  }
  now.entry = &entries_[found->second];
  now.dialect = dialect_of(*now.entry->model);
  now.operation = find_operation(*now.entry->model, target.substr(prefix.size() + (dot != target.npos)));
}

const Dispatcher::Entry* Dispatcher::signed_for(std::string_view signing_name) const {
  for (const auto& entry : entries_) {
    if (entry.model->signing_name == signing_name) return &entry;
  }
  return nullptr;
}

// S3, Lambda and other services that are told by their signature alone.
void Dispatcher::refuse_other_services(const http::Request& request, std::string_view signing_name) const {
  const bool form = request.method == "POST" && request.raw_path() == "/";
  if (signing_name.empty() || form || signed_for(signing_name)) return;
  throw Fault("UnknownService", 404,
              fmt::format("There is no service '{}' here. Sampan has {}.", signing_name.substr(0, 64),
                          core::join(services(), ", ")));
}

Form Dispatcher::find_form_service(Exchanged& now, const http::Request& request, std::string_view body,
                                   const Caller& caller) const {
  Form form;
  try {
    form = Form::parse(body.empty() ? request.raw_query() : body);
  } catch (const FormError& error) {
    throw Fault("MalformedQueryString", 400, error.what());
  }
  const auto* action = form.find("Action");
  const auto* version = form.find("Version");
  // The signature says which service is meant; without one, or where two share a name, the version does.
  for (const auto& entry : entries_) {
    if (entry.model->protocol == Protocol::kJson) continue;
    const bool meant = entry.model->signing_name == caller.service;
    const bool same_version = version && *version == entry.model->api_version;
    if (same_version && (meant || caller.service.empty() || !authenticator_.verifies())) now.entry = &entry;
    if (meant && !now.entry) now.entry = &entry;
  }
  if (!now.entry) {
    if (!action) throw missing_action();
    throw Fault("InvalidAction", 400,
                fmt::format("No service here answers to action {} of version {}. Sampan has {}.",
                            action->substr(0, 128), version ? version->substr(0, 32) : "(none)",
                            core::join(services(), ", ")));
  }
  now.dialect = dialect_of(*now.entry->model);
  if (!action) throw missing_action();
  now.operation = find_operation(*now.entry->model, *action);
  if (!now.operation) throw unknown_operation(now.dialect.protocol, *action, version ? *version : "");
  return form;
}

void Dispatcher::decode(Exchanged& now, std::string_view body, const Form& form) const {
  const auto& model = *now.entry->model;
  now.exchange = now.operation->exchange();
  Violations violations;
  try {
    if (model.protocol == Protocol::kJson) {
      decode_json(now.operation->input, body.empty() ? "{}" : body, now.exchange->input(), &violations);
    } else {
      decode_query(model.protocol, now.operation->input, form, now.exchange->input(), &violations);
    }
  } catch (const SerializationError& error) {
    throw serialization_fault(model.protocol, error.what());
  }
  if (!violations.empty()) throw validation_fault(model, now.operation->name, violations);
}

Call Dispatcher::call_of(const http::Request& request, const Exchanged& now, const Caller& caller) const {
  Call call;
  call.request_id = now.request_id;
  call.service = now.entry->model->name;
  call.operation = now.operation->name;
  call.account = caller.identity->account;
  call.region = caller.region.empty() ? options_.default_region : caller.region;
  call.access_key = caller.identity->access_key;
  call.principal_arn = caller.identity->principal_arn;
  call.host = request.headers.get("host");
  call.remote_address = request.remote_address;
  call.secure = request.tls;
  call.now = now.at;
  return call;
}

std::size_t Dispatcher::limit_for(const Exchanged& now) const {
  if (!now.entry) return options_.form_limit;
  return now.entry->model->name == "ecr" ? options_.ecr_body_limit : options_.body_limit;
}

http::Response Dispatcher::failed(const Exchanged& now, const Fault& fault) const {
  return encode_fault(now.dialect, fault, now.request_id);
}

}  // namespace sampan::aws
