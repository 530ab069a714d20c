#include "image/parallel.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

namespace sampan::image {
namespace {

namespace asio = boost::asio;

struct Run {
  explicit Run(const asio::any_io_executor& executor)
      : changed(executor, asio::steady_timer::time_point::max()) {}
  std::vector<Job> jobs;
  std::size_t next = 0;
  std::size_t running = 0;
  std::exception_ptr failure;
  asio::steady_timer changed;
};

io::Awaitable<void> work(std::shared_ptr<Run> run) {
  while (run->next < run->jobs.size() && !run->failure) {
    const auto& job = run->jobs[run->next++];
    co_await job();
  }
}

io::Awaitable<void> run_all(std::vector<Job> jobs, std::size_t width) {
  const auto executor = co_await asio::this_coro::executor;
  const auto run = std::make_shared<Run>(executor);
  run->jobs = std::move(jobs);
  run->running = std::min(width, run->jobs.size());
  for (std::size_t i = run->running; i > 0; --i) {
    asio::co_spawn(executor, work(run), [run](std::exception_ptr failure) {
      if (failure && !run->failure) run->failure = failure;
      if (--run->running == 0) run->changed.cancel();
    });
  }
  while (run->running > 0) {
    boost::system::error_code cancelled;
    co_await run->changed.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  }
  if (run->failure) std::rethrow_exception(run->failure);
}

}  // namespace

io::Awaitable<void> run_parallel(std::vector<Job> jobs, std::size_t width) {
  const auto strand = asio::make_strand(co_await asio::this_coro::executor);
  auto all = run_all(std::move(jobs), width);
  co_await asio::co_spawn(strand, std::move(all), asio::use_awaitable);
}

}  // namespace sampan::image
