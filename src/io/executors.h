// Where code runs. Three places, each with one rule:
//   net()      a few threads of one io_context: connections, encoding, decoding, signatures. Never blocks.
//   control()  a strand of it: the one owner of control-plane state (handlers, reconcilers, tables). Never
//   blocks. blocking() a pool for what blocks: mounts, hashing, unpacking, children. Knows no control state.
// Coroutines move with `co_await io::offload(executors, fn)` (to the pool and back) and
// `co_await io::on_control(executors, fn)` (a plain function on the strand, and back).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace sampan::io {

namespace asio = boost::asio;
template <class T>
using Awaitable = asio::awaitable<T>;
using Strand = asio::strand<asio::io_context::executor_type>;

class Executors {
 public:
  explicit Executors(unsigned net_threads = 2, unsigned blocking_threads = 8);
  ~Executors();
  Executors(const Executors&) = delete;
  Executors& operator=(const Executors&) = delete;

  asio::io_context& net() { return net_; }
  const Strand& control() const { return control_; }
  asio::thread_pool& blocking() { return blocking_; }

  // Runs net() on the calling thread and net_threads-1 others until stop().
  void run();
  void stop();

 private:
  asio::io_context net_;
  Strand control_;
  asio::thread_pool blocking_;
  unsigned net_threads_;
};

// Runs `fn` on `executor` and gives its result (or exception) to the caller on the caller's executor.
template <class Executor, class F>
Awaitable<std::invoke_result_t<F>> run_on(Executor executor, F fn) {
  using Result = std::invoke_result_t<F>;
  auto body = [](F f) -> Awaitable<Result> { co_return f(); };
  auto started = body(std::move(fn));
  co_return co_await asio::co_spawn(executor, std::move(started), asio::use_awaitable);
}

template <class F>
auto offload(Executors& executors, F fn) {
  return run_on(executors.blocking().get_executor(), std::move(fn));
}

template <class F>
auto on_control(Executors& executors, F fn) {
  return run_on(executors.control(), std::move(fn));
}

// Starts a coroutine that nobody waits for; an exception that leaves it is logged with `name`.
void spawn_detached(const asio::any_io_executor& executor, std::string name, Awaitable<void> work);

// Waits; throws system_error(operation_aborted) when the coroutine is cancelled meanwhile.
Awaitable<void> sleep_for(std::chrono::milliseconds duration);

// A coalescing bell between coroutines of one strand: ring() any number of times wakes one waiter once.
// Not thread-safe: all calls on the same strand.
class Bell {
 public:
  explicit Bell(const asio::any_io_executor& executor);
  ~Bell();
  void ring();
  // Returns true when rung (also if it was rung before the wait), false when `limit` passed.
  Awaitable<bool> wait_for(std::chrono::milliseconds limit);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with the coroutines that wait
};

}  // namespace sampan::io
