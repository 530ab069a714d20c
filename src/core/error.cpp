#include "core/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace sampan::core {

Error::Error(std::string_view tried, std::string_view why)
    : std::runtime_error(std::string(tried).append(": ").append(why)) {}

Error errno_error(std::string_view tried, int error_number) {
  return Error(tried, std::generic_category().message(error_number));
}

Error errno_error(std::string_view tried) {
  const int saved = errno;  // before anything allocates
  return errno_error(tried, saved);
}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
  std::abort();
}

}  // namespace sampan::core
