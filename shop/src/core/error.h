// What goes wrong because of who asks, in words for both languages. Everything else is std::exception.
#pragma once

#include <stdexcept>
#include <string>

namespace shop::core {

// A request that cannot be served as it is. `code` is a key of the texts (web/texts.h), `detail` goes to the
// log.
class Refusal : public std::runtime_error {
 public:
  enum class Kind { kInvalid, kNotFound, kConflict, kForbidden, kTooMany };
  Refusal(Kind kind, std::string code, const std::string& detail = {})
      : std::runtime_error(detail.empty() ? code : detail), kind_(kind), code_(std::move(code)) {}
  Kind kind() const { return kind_; }
  const std::string& code() const { return code_; }

 private:
  Kind kind_;
  std::string code_;
};

}  // namespace shop::core
