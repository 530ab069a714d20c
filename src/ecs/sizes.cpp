#include "ecs/sizes.h"

#include <array>
#include <charconv>
#include <cmath>

#include "core/text.h"

namespace sampan::ecs {
namespace {

constexpr int kUnitsPerCpu = 1024;
constexpr int kMibPerGb = 1024;
constexpr int kLargest = 100'000'000;  // far above any machine; keeps the arithmetic within int

// A whole number of `unit`-less units, or a decimal number of `unit` that is `scale` units.
std::optional<int> parse_size(std::string_view text, std::string_view unit, int scale) {
  text = core::trim(text);
  if (auto whole = core::parse_int(text)) {
    if (*whole < 0 || *whole > kLargest) return std::nullopt;
    return static_cast<int>(*whole);
  }
  if (text.size() <= unit.size()) return std::nullopt;
  if (!core::equal_ignoring_case(text.substr(text.size() - unit.size()), unit)) return std::nullopt;
  auto number = core::trim(text.substr(0, text.size() - unit.size()));
  if (number.empty() || number.find_first_not_of("0123456789.") != std::string_view::npos)
    return std::nullopt;
  double value = 0;
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  double units = value * scale;
  if (units > kLargest || units != std::floor(units)) return std::nullopt;
  return static_cast<int>(units);
}

struct Row {
  int cpu;
  int least;  // MiB
  int most;
  int step;
};
constexpr std::array kRows{
    Row{512, 1024, 4096, 1024},   Row{1024, 2048, 8192, 1024},   Row{2048, 4096, 16384, 1024},
    Row{4096, 8192, 30720, 1024}, Row{8192, 16384, 61440, 4096}, Row{16384, 32768, 122880, 8192},
};

}  // namespace

std::optional<int> parse_cpu(std::string_view text) {
  return parse_size(text, "vcpu", kUnitsPerCpu);
}
std::optional<int> parse_memory(std::string_view text) {
  return parse_size(text, "gb", kMibPerGb);
}

bool is_fargate_size(int cpu, int memory_mib) {
  if (cpu == 256) return memory_mib == 512 || memory_mib == 1024 || memory_mib == 2048;
  for (const auto& row : kRows) {
    if (row.cpu != cpu) continue;
    return memory_mib >= row.least && memory_mib <= row.most && (memory_mib - row.least) % row.step == 0;
  }
  return false;
}

}  // namespace sampan::ecs
