// Failure of the world (disk, child, peer, kernel): what was tried, on what, and why it failed.
// A request's own fault is an aws::Fault, an expected outcome is a value: neither is an Error.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace sampan::core {

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what) : std::runtime_error(what) {}
  Error(std::string_view tried, std::string_view why);  // "tried: why"
};

// "tried: No such file or directory"
Error errno_error(std::string_view tried, int error_number);
Error errno_error(std::string_view tried);  // with the current errno

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace sampan::core

// States our own invariants, never input. Ends the process: state that breaks them must not be stored.
#define SAMPAN_CHECK(condition) \
  ((condition) ? void(0) : ::sampan::core::check_failed(#condition, __FILE__, __LINE__))
