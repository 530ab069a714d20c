// The registry's own error answers: OCI distribution's JSON shape, codes and statuses. Pure.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "http/message.h"

namespace sampan::ecr {

class RegistryError : public std::runtime_error {
 public:
  RegistryError(int status, std::string code, const std::string& message,
                std::vector<std::string> subjects = {})
      : std::runtime_error(message),
        status_(status),
        code_(std::move(code)),
        subjects_(std::move(subjects)) {}
  RegistryError& header(std::string name, std::string value) {
    headers_.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  http::Response render() const;
  const std::string& code() const { return code_; }
  int status() const { return status_; }

 private:
  int status_;
  std::string code_;
  std::vector<std::string> subjects_;  // digests at fault: one error of the list for each
  std::vector<std::pair<std::string, std::string>> headers_;
};

}  // namespace sampan::ecr
