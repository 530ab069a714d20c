// A service and its operations as tables, and the type-erased way to run one: what the dispatcher and the
// client work with. The generated api::<service>::Service derives from AnyService; api::<service>::kModel is
// its model.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <span>
#include <string_view>

#include "aws/call.h"
#include "aws/fault.h"
#include "aws/shape.h"

namespace sampan::aws {

class AnyService;

// One call's input and output, of types only the generated code knows.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void* input() = 0;
  virtual const void* output() const = 0;
  // Runs the handler. Moves the input into it: once.
  virtual boost::asio::awaitable<void> run(AnyService& service, const Call& call) = 0;
};

struct Operation {
  std::string_view name;
  std::string_view result_wrapper;  // Query: the element around the output
  const Shape& input;
  const Shape& output;
  bool has_output;     // false: the model knows no output (an empty body or EC2's <return>true)
  bool unsigned_call;  // the model says no signature is needed (STS AssumeRoleWithWebIdentity)
  std::unique_ptr<Exchange> (*exchange)();
};

enum class Protocol { kJson, kQuery, kEc2 };

struct ServiceModel {
  std::string_view name;          // "elbv2": as the AWS tools call it
  std::string_view signing_name;  // "elasticloadbalancing": in credential scopes
  Protocol protocol;
  std::string_view json_version;   // "1.1"
  std::string_view target_prefix;  // of X-Amz-Target
  std::string_view xml_namespace;
  std::string_view api_version;
  std::span<const Operation> operations;  // sorted by name
};

const Operation* find_operation(const ServiceModel& model, std::string_view name);

class AnyService {
 public:
  virtual ~AnyService() = default;
  virtual const ServiceModel& model() const = 0;
};

// What an operation without a handler answers.
[[noreturn]] void not_implemented(std::string_view service, std::string_view operation);

template <class Service, class In, class Out>
using Method = boost::asio::awaitable<Out> (Service::*)(const Call&, In);

template <class Service, class In, class Out, Method<Service, In, Out> kMethod>
class TypedExchange final : public Exchange {
 public:
  static std::unique_ptr<Exchange> make() { return std::make_unique<TypedExchange>(); }
  void* input() override { return &input_; }
  const void* output() const override { return &output_; }
  boost::asio::awaitable<void> run(AnyService& service, const Call& call) override {
    output_ = co_await (static_cast<Service&>(service).*kMethod)(call, std::move(input_));
  }

 private:
  In input_{};
  Out output_{};
};

}  // namespace sampan::aws
