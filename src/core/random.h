// Where ids come from. The control plane takes an IdSource; tests give one with a seed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace sampan::core {

// Not thread-safe unless the implementation says so. SystemIdSource is.
class IdSource {
 public:
  virtual ~IdSource() = default;
  virtual std::uint64_t next() = 0;
  std::string hex(std::size_t digits);          // lower case: task ids have 32
  std::string digits(std::size_t count);        // first one never 0: deployment ids have 19
  std::string alphanumeric(std::size_t count);  // [A-Za-z0-9]
  std::string uuid();                           // version 4
};

// The kernel's randomness (getrandom): fit for keys and tokens. Thread-safe.
class SystemIdSource final : public IdSource {
 public:
  std::uint64_t next() override;
};

class SeededIdSource final : public IdSource {
 public:
  explicit SeededIdSource(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;

 private:
  std::uint64_t state_;
};

}  // namespace sampan::core
