// A client of the AWS APIs, Sampan's or Amazon's: encodes, signs, sends, decodes. The command line works with
// it.
//
//   aws::Client client("http://127.0.0.1:4566", "us-east-1", {key, secret});
//   auto made = co_await client.call<api::ecs::ops::CreateCluster>({.clusterName = "shop"});
//
// An error answer is thrown as aws::Fault with its code and message, a failure to get one as core::Error.
// Nothing is tried again here.
#pragma once

#include <chrono>
#include <string>

#include "aws/service.h"
#include "aws/sigv4.h"
#include "io/executors.h"

namespace sampan::aws {

class Client {
 public:
  // `endpoint` is "http://host:port" or "https://host", without a path. An empty access key sends unsigned.
  Client(std::string endpoint, std::string region, Credentials credentials,
         std::chrono::milliseconds timeout = std::chrono::seconds(60));

  template <class Op>
  io::Awaitable<typename Op::Output> call(typename Op::Input input) const {
    typename Op::Output output{};
    co_await exchange(Op::kService, Op::kName, &input, &output);
    co_return output;
  }

  const std::string& endpoint() const { return endpoint_; }
  const std::string& region() const { return region_; }
  const Credentials& credentials() const { return credentials_; }

 private:
  io::Awaitable<void> exchange(const ServiceModel& service, std::string_view operation, const void* input,
                               void* output) const;

  std::string endpoint_;
  std::string region_;
  Credentials credentials_;
  std::chrono::milliseconds timeout_;
};

}  // namespace sampan::aws
