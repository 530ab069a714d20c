#include "node/log_lines.h"

#include <charconv>

namespace sampan::node {
namespace {

std::optional<int> number(std::string_view text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "+05:30", "-08:00", "Z"
std::optional<std::chrono::minutes> zone(std::string_view text) {
  if (text == "Z") return std::chrono::minutes(0);
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  auto hours = number(text.substr(1, 2)), minutes = number(text.substr(4, 2));
  if (!hours || !minutes) return std::nullopt;
  auto offset = std::chrono::minutes(*hours * 60 + *minutes);
  return text[0] == '-' ? -offset : offset;
}

}  // namespace

std::optional<core::TimePoint> parse_log_time(std::string_view text) {
  if (text.size() < 20 || text[10] != 'T') return std::nullopt;
  auto year = number(text.substr(0, 4)), month = number(text.substr(5, 2)), day = number(text.substr(8, 2));
  auto hour = number(text.substr(11, 2)), minute = number(text.substr(14, 2)),
       second = number(text.substr(17, 2));
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  auto rest = text.substr(19);
  int millis = 0;
  if (rest.starts_with('.')) {
    auto end = rest.find_first_not_of("0123456789", 1);
    std::string digits(rest.substr(1, std::min<std::size_t>(3, (end == rest.npos ? rest.size() : end) - 1)));
    digits.resize(3, '0');
    millis = number(digits).value_or(0);
    rest = end == rest.npos ? std::string_view() : rest.substr(end);
  }
  auto offset = zone(rest);
  if (!offset) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(*year),
                                   std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return core::TimePoint(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute) + std::chrono::seconds(*second) + core::Millis(millis) - *offset;
}

void LogLines::feed(std::string_view bytes) {
  raw_.append(bytes);
  std::size_t begin = 0;
  for (auto end = raw_.find('\n'); end != std::string::npos; end = raw_.find('\n', begin)) {
    record(std::string_view(raw_).substr(begin, end - begin), start_ + begin);
    begin = end + 1;
  }
  raw_.erase(0, begin);
  start_ += begin;
}

LogLines::Item* LogLines::open_item(int stream) {
  for (auto& item : items_) {
    if (item.stream == stream && !item.whole) return &item;
  }
  return nullptr;
}

void LogLines::record(std::string_view line, std::uint64_t start) {
  auto first = line.find(' ');
  if (first == line.npos || line.size() < first + 10) return;  // "stdout F ": not the monitor's
  auto time = parse_log_time(line.substr(0, first));
  auto stream_name = line.substr(first + 1, 6);
  char tag = line[first + 8];
  if (!time || (stream_name != "stdout" && stream_name != "stderr")) return;
  int stream = stream_name == "stderr" ? 1 : 0;
  auto text = line.substr(first + 10);
  auto* item = open_item(stream);
  if (!item) {
    items_.push_back(Item{start, LogLine{*time, ""}, stream, false});
    item = &items_.back();
  }
  while (item->line.text.size() + text.size() > kLongest) {
    auto room = kLongest - item->line.text.size();
    item->line.text.append(text.substr(0, room));
    item->whole = true;
    text.remove_prefix(room);
    items_.push_back(Item{start, LogLine{*time, ""}, stream, false});
    item = &items_.back();
  }
  item->line.text.append(text);
  if (tag == 'F') item->whole = true;
}

void LogLines::flush() {
  for (auto& item : items_) item.whole = true;
}

LogLines::Batch LogLines::take() {
  Batch batch;
  while (!items_.empty() && items_.front().whole) {
    batch.lines.push_back(std::move(items_.front().line));
    items_.pop_front();
  }
  batch.end = items_.empty() ? start_ : items_.front().start;
  return batch;
}

bool LogLines::blocked() const {
  return items_.size() > 1 && !items_.front().whole;
}

}  // namespace sampan::node
