#include "build/job.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "core/log.h"

namespace sampan::build {
namespace {

// Of what a build prints; what is beyond is said to be missing.
constexpr std::size_t kMostBytes = 32 * 1024 * 1024;
constexpr std::size_t kLargestAnswer = 1024 * 1024;
// A bell wakes one of several pollers: the others look again after this.
constexpr auto kLookAgain = std::chrono::milliseconds(500);

}  // namespace

Job::Job(io::Executors& executors, std::string id)
    : id_(std::move(id)),
      cancel_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      strand_(boost::asio::make_strand(executors.net().get_executor())),
      bell_(strand_) {}

void Job::tell(boost::json::object event) {
  std::string line = boost::json::serialize(event) + "\n";
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || bytes_ > kMostBytes) return;
    bytes_ += line.size();
    if (bytes_ > kMostBytes)
      line = "{\"type\":\"status\",\"text\":\"more output than 32 MiB is not shown\"}\n";
    lines_.push_back(std::move(line));
  }
  ring();
}

void Job::end(boost::json::object event) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    lines_.push_back(boost::json::serialize(event) + "\n");
    ended_ = true;
    ended_at_ = std::chrono::steady_clock::now();
  }
  ring();
}

bool Job::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

std::chrono::steady_clock::time_point Job::ended_at() const {
  const std::lock_guard lock(mutex_);
  return ended_at_;
}

void Job::ring() {
  boost::asio::post(strand_, [self = shared_from_this()] { self->bell_.ring(); });
}

std::string Job::take(std::size_t from) const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (std::size_t i = from; i < lines_.size() && text.size() < kLargestAnswer; ++i) text += lines_[i];
  return text;
}

io::Awaitable<std::string> Job::read(std::size_t from, std::chrono::milliseconds limit) {
  auto work = read_on_strand(shared_from_this(), from, limit);
  co_return co_await boost::asio::co_spawn(strand_, std::move(work), boost::asio::use_awaitable);
}

io::Awaitable<std::string> Job::read_on_strand(std::shared_ptr<Job> job, std::size_t from,
                                               std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (true) {
    std::string text = job->take(from);
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (!text.empty() || left.count() <= 0 || job->ended()) co_return text;
    co_await job->bell_.wait_for(std::min<std::chrono::milliseconds>(left, kLookAgain));
  }
}

void Job::cancel() {
  const std::uint64_t one = 1;
  if (::write(cancel_.get(), &one, sizeof one) < 0) core::log::warn("cancel job {}: cannot write", id_);
}

}  // namespace sampan::build
