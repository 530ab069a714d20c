#include "cli/output.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

namespace sampan::cli {
namespace {

// Code points, which is near enough to columns for the names and texts shown here.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string seconds_since(std::chrono::steady_clock::time_point start) {
  auto elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return fmt::format("{:.1f}s", elapsed);
}

}  // namespace

std::string render_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& cell : header) widths.push_back(width(cell));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  auto render = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - width(row[i]) + 3, ' ');
    }
    return line + "\n";
  };
  auto out = render(header);
  for (const auto& row : rows) out += render(row);
  return out;
}

std::string ago(core::TimePoint then, core::TimePoint now) {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - then).count();
  if (seconds < 0) seconds = 0;
  if (seconds < 120) return fmt::format("{}s ago", seconds);
  if (seconds < 7200) return fmt::format("{}m ago", seconds / 60);
  if (seconds < 172800) return fmt::format("{}h ago", seconds / 3600);
  return fmt::format("{}d ago", seconds / 86400);
}

std::string human_bytes(std::int64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  for (const char* unit : {"kB", "MB", "GB"}) {
    value /= 1000;
    if (value < 1000) return fmt::format("{:.1f} {}", value, unit);
  }
  return fmt::format("{:.1f} TB", value / 1000);
}

std::string short_arn(const std::string& arn) {
  auto slash = arn.rfind('/');
  return slash == std::string::npos ? arn : arn.substr(slash + 1);
}

Progress::~Progress() {
  if (running_) line("");
}

void Progress::begin(const std::string& text) {
  if (running_) done();
  started_ = std::chrono::steady_clock::now();
  running_ = true;
  text_ = text;
  draw();
}

void Progress::update(const std::string& text) {
  if (text == text_) {
    if (interactive_) draw();
    return;
  }
  text_ = text;
  draw();
}

void Progress::done(const std::string& text) {
  if (!running_) return;
  if (!text.empty()) text_ = text;
  clear();
  fmt::print("{} {} ({})\n", interactive_ ? "✔" : "done:", text_, seconds_since(started_));
  std::fflush(stdout);
  running_ = false;
  shown_.clear();
}

void Progress::line(const std::string& text) {
  clear();
  if (!text.empty()) fmt::print("{}\n", text);
  if (running_ && interactive_ && !text.empty()) draw();
  std::fflush(stdout);
}

void Progress::clear() {
  if (interactive_ && !shown_.empty()) fmt::print("\r\033[K");
  shown_.clear();
}

void Progress::draw() {
  if (!interactive_) {
    fmt::print("{}\n", text_);
  } else {
    clear();
    shown_ = fmt::format("… {} ({})", text_, seconds_since(started_));
    fmt::print("{}", shown_);
  }
  std::fflush(stdout);
}

}  // namespace sampan::cli
