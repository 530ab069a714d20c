#include "ecr/registry_error.h"

#include <boost/json.hpp>

namespace sampan::ecr {
namespace json = boost::json;

http::Response RegistryError::render() const {
  json::array errors;
  const auto add = [&](json::value detail) {
    errors.push_back(json::object{{"code", code_}, {"message", what()}, {"detail", std::move(detail)}});
  };
  if (subjects_.empty()) add(nullptr);
  for (const auto& subject : subjects_) add(json::object{{"digest", subject}});
  auto response = http::Response::text(status_, json::serialize(json::object{{"errors", std::move(errors)}}),
                                       "application/json; charset=utf-8");
  for (const auto& [name, value] : headers_) response.headers.add(name, value);
  return response;
}

}  // namespace sampan::ecr
