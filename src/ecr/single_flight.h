// One piece of work that several callers want at once is done once: those who come while it runs share its
// outcome. All calls on one strand, whose executor is given; the work runs there too and goes on when its
// callers are gone.
#pragma once

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "io/executors.h"

namespace sampan::ecr {

template <class T>
class SingleFlight {
 public:
  using Work = std::function<io::Awaitable<T>()>;
  explicit SingleFlight(boost::asio::any_io_executor strand) : strand_(std::move(strand)) {}

  // Throws what the work throws, to each of its callers.
  io::Awaitable<T> run(std::string key, std::string name, Work work) {
    auto flight = find(key);
    if (!flight) {
      flight = std::make_shared<Flight>(strand_);
      flights_.emplace(key, flight);
      io::spawn_detached(strand_, std::move(name), fly(flight, std::move(key), std::move(work)));
    }
    co_return co_await landing(std::move(flight));
  }
  bool flies(const std::string& key) const { return flights_.contains(key); }
  std::size_t size() const { return flights_.size(); }

 private:
  struct Flight {
    explicit Flight(const boost::asio::any_io_executor& strand)
        : landed(strand, boost::asio::steady_timer::time_point::max()) {}
    boost::asio::steady_timer landed;
    std::optional<T> result;
    std::exception_ptr failure;
  };

  std::shared_ptr<Flight> find(const std::string& key) const {
    const auto found = flights_.find(key);
    return found == flights_.end() ? nullptr : found->second;
  }

  io::Awaitable<void> fly(std::shared_ptr<Flight> flight, std::string key, Work work) {
    try {
      flight->result.emplace(co_await work());
    } catch (...) {
      flight->failure = std::current_exception();
    }
    flights_.erase(key);
    flight->landed.cancel();
  }

  static io::Awaitable<T> landing(std::shared_ptr<Flight> flight) {
    while (!flight->result && !flight->failure) {
      boost::system::error_code woken;
      co_await flight->landed.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
    if (flight->failure) std::rethrow_exception(flight->failure);
    co_return *flight->result;
  }

  boost::asio::any_io_executor strand_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;
};

}  // namespace sampan::ecr
