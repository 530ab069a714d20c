#include "aws/client.h"

#include <fmt/format.h>

#include "aws/json_codec.h"
#include "aws/query_codec.h"
#include "aws/wire.h"
#include "core/error.h"
#include "http/client.h"

namespace sampan::aws {
namespace {

std::string host_of(std::string_view endpoint) {
  const auto scheme = endpoint.find("://");
  const auto rest = endpoint.substr(scheme == std::string_view::npos ? 0 : scheme + 3);
  return std::string(rest.substr(0, rest.find('/')));
}

struct Encoded {
  http::Request head;
  std::string body;
};

Encoded encode(const ServiceModel& service, const Operation& operation, const void* input) {
  Encoded out;
  out.head.method = "POST";
  out.head.target = "/";
  if (service.protocol == Protocol::kJson) {
    out.head.headers.set("Content-Type", fmt::format("application/x-amz-json-{}", service.json_version));
    out.head.headers.set("X-Amz-Target", fmt::format("{}.{}", service.target_prefix, operation.name));
    encode_json(operation.input, input, out.body);
  } else {
    out.head.headers.set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    out.body = encode_query(service, operation, input);
  }
  return out;
}

}  // namespace

Client::Client(std::string endpoint, std::string region, Credentials credentials,
               std::chrono::milliseconds timeout)
    : endpoint_(std::move(endpoint)),
      region_(std::move(region)),
      credentials_(std::move(credentials)),
      timeout_(timeout) {
  while (endpoint_.ends_with('/')) endpoint_.pop_back();
}

io::Awaitable<void> Client::exchange(const ServiceModel& service, std::string_view name, const void* input,
                                     void* output) const {
  const auto* operation = find_operation(service, name);
  SAMPAN_CHECK(operation != nullptr);
  auto encoded = encode(service, *operation, input);
  encoded.head.headers.set("Host", host_of(endpoint_));
  if (!credentials_.access_key.empty()) {
    const auto now = std::chrono::time_point_cast<core::Millis>(std::chrono::system_clock::now());
    sign_request(encoded.head, encoded.body, credentials_, region_, service.signing_name, now);
  }
  http::ClientRequest request;
  request.method = "POST";
  request.url = endpoint_ + "/";
  request.headers = std::move(encoded.head.headers);
  request.body = std::move(encoded.body);
  request.timeout = timeout_;
  request.max_redirects = 0;
  const auto response = co_await http::fetch(std::move(request));
  if (response.status / 100 != 2) throw decode_fault(service, response.status, response.body);
  try {
    decode_answer(service, *operation, response.body, output);
  } catch (const SerializationError& error) {
    throw core::Error(fmt::format("read the answer of {} to {}:{}", endpoint_, service.name, name),
                      error.what());
  }
}

}  // namespace sampan::aws
