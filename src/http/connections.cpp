#include "http/connections.h"

#include <algorithm>

#include "http/line.h"

namespace sampan::http {

Connections::Connections(Options options)
    : options_(std::move(options)), trust_(make_trust(options_.ca_file)) {}
Connections::Connections() : Connections(Options()) {}
Connections::~Connections() = default;

std::unique_ptr<Line> Connections::take(const Url& url) {
  const auto origin = url.origin();
  const auto oldest = std::chrono::steady_clock::now() - options_.idle_time;
  std::vector<Kept> gone;  // closed without the lock
  std::unique_ptr<Line> found;
  {
    const std::lock_guard lock(mutex_);
    // The youngest first: it is the likeliest to be alive.
    for (std::size_t i = kept_.size(); i > 0 && !found; --i) {
      auto& kept = kept_[i - 1];
      if (kept.origin != origin || kept.since < oldest) continue;
      if (kept.line->transport->alive()) {
        found = std::move(kept.line);
      } else {
        gone.push_back(std::move(kept));
      }
      kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(i - 1));
    }
    while (!kept_.empty() && kept_.front().since < oldest) {
      gone.push_back(std::move(kept_.front()));
      kept_.erase(kept_.begin());
    }
  }
  return found;
}

void Connections::give(const Url& url, std::unique_ptr<Line> line) {
  line->watchdog.pause();
  std::vector<Kept> gone;
  const std::lock_guard lock(mutex_);
  kept_.push_back({url.origin(), std::move(line), std::chrono::steady_clock::now()});
  if (kept_.size() <= options_.most_idle) return;
  gone.push_back(std::move(kept_.front()));
  kept_.erase(kept_.begin());
}

std::size_t Connections::idle() const {
  const std::lock_guard lock(mutex_);
  return kept_.size();
}

}  // namespace sampan::http
