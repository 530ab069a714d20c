#include "core/metrics.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>

#include "core/error.h"

namespace sampan::core::metrics {
namespace {

enum class Type { kCounter, kGauge, kHistogram };

struct Series {
  Counter counter;
  Gauge gauge;
  std::unique_ptr<Histogram> histogram;
};

struct Family {
  std::string help;
  Type type;
  std::map<std::string, std::unique_ptr<Series>> series;  // by rendered labels: `a="1",b="2"`
};

struct Registry {
  std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;
};

// Never destroyed: metrics are counted until the process ends.
Registry& registry() {
  static auto* const instance = new Registry;
  return *instance;
}

std::string escaped(std::string_view text, bool in_quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out.append("\\\\");
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '"' && in_quotes) {
      out.append("\\\"");
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string render_labels(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text.push_back(',');
    text.append(name).append("=\"").append(escaped(value, true)).append("\"");
  }
  return text;
}

Series& series_of(Registry& all, std::string_view name, std::string_view help, Type type,
                  const Labels& labels) {
  auto found = all.families.find(name);
  if (found == all.families.end()) {
    found = all.families.emplace(std::string(name), Family{std::string(help), type, {}}).first;
  }
  SAMPAN_CHECK(found->second.type == type);  // one name is one kind of metric
  auto& slot = found->second.series[render_labels(labels)];
  if (!slot) slot = std::make_unique<Series>();
  return *slot;
}

void render_line(std::string& out, std::string_view name, std::string_view labels, std::string_view value) {
  out.append(name);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(value).append("\n");
}

void render_histogram(std::string& out, const std::string& name, const std::string& labels,
                      const Histogram& histogram) {
  const std::string prefix = labels.empty() ? "" : labels + ",";
  const auto counts = histogram.counts();
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    total += counts[i];
    const bool last = i == histogram.bounds().size();
    const std::string bound = last ? "+Inf" : fmt::format("{}", histogram.bounds()[i]);
    render_line(out, name + "_bucket", fmt::format("{}le=\"{}\"", prefix, bound), std::to_string(total));
  }
  render_line(out, name + "_sum", labels, fmt::format("{}", histogram.sum()));
  render_line(out, name + "_count", labels, std::to_string(total));
}

std::string_view type_name(Type type) {
  switch (type) {
    case Type::kCounter:
      return "counter";
    case Type::kGauge:
      return "gauge";
    case Type::kHistogram:
      return "histogram";
  }
  return "untyped";
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(std::make_unique<Counter[]>(bounds_.size() + 1)) {
  SAMPAN_CHECK(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].add();
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<std::uint64_t> Histogram::counts() const {
  std::vector<std::uint64_t> copy(bounds_.size() + 1);
  for (std::size_t i = 0; i < copy.size(); ++i) copy[i] = counts_[i].value();
  return copy;
}

Counter& counter(std::string_view name, std::string_view help, const Labels& labels) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  return series_of(all, name, help, Type::kCounter, labels).counter;
}

Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  return series_of(all, name, help, Type::kGauge, labels).gauge;
}

Histogram& histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                     const Labels& labels) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  Series& series = series_of(all, name, help, Type::kHistogram, labels);
  if (!series.histogram) series.histogram = std::make_unique<Histogram>(bounds);
  return *series.histogram;
}

std::string render() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  std::string out;
  for (const auto& [name, family] : all.families) {
    out.append(fmt::format("# HELP {} {}\n", name, escaped(family.help, false)));
    out.append(fmt::format("# TYPE {} {}\n", name, type_name(family.type)));
    for (const auto& [labels, series] : family.series) {
      if (family.type == Type::kCounter) {
        render_line(out, name, labels, std::to_string(series->counter.value()));
      } else if (family.type == Type::kGauge) {
        render_line(out, name, labels, std::to_string(series->gauge.value()));
      } else {
        render_histogram(out, name, labels, *series->histogram);
      }
    }
  }
  return out;
}

}  // namespace sampan::core::metrics
