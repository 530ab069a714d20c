// An EcsApi among fakes, with a clock the test owns. Calls run to their end on an io_context that is only
// polled, so nothing waits for real time.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "core/clock.h"
#include "core/random.h"
#include "ecs/service_api.h"
#include "ecs/tests/fakes.h"
#include "store/memory_store.h"

namespace sampan::ecs::test {

inline constexpr std::string_view kGroup =
    "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/1";

class World {
 public:
  explicit World(std::uint64_t seed = 1);
  ~World();

  // Runs a handler to its end and everything that became ready by it.
  template <class Out, class In>
  Out call(boost::asio::awaitable<Out> (EcsApi::*method)(const aws::Call&, In), In input) {
    std::optional<Out> out;
    std::exception_ptr error;
    auto about = caller();
    boost::asio::co_spawn(context, ((*api).*method)(about, std::move(input)),
                          [&](std::exception_ptr e, Out result) {
                            error = e;
                            if (!e) out = std::move(result);
                          });
    settle();
    if (error) std::rethrow_exception(error);
    if (!out) throw std::runtime_error("the call did not end");
    return std::move(*out);
  }

  void settle();                  // until nothing is ready
  void advance(core::Millis by);  // the clock, and what waited for it
  void restart();                 // another daemon takes over: node, store and targets live on
  aws::Call caller() const;

  // Short ways to what most tests need.
  void create_cluster(const std::string& name = "c");
  api::ecs::RegisterTaskDefinitionRequest web_definition(const std::string& family = "web") const;
  std::string register_web(const std::string& family = "web");
  api::ecs::RunTaskRequest run_request(const std::string& definition = "web") const;
  api::ecs::CreateServiceRequest service_request(int desired, bool balanced) const;
  api::ecs::Task describe(const std::string& task);
  api::ecs::Service service(const std::string& name = "s");
  std::vector<std::string> messages(const std::string& name = "s");  // of its events, the oldest first
  elb::Target target(const std::string& task_id) const;

  boost::asio::io_context context;
  core::ManualClock clock{core::TimePoint(core::Millis(1'800'000'000'000))};
  core::SeededIdSource ids;
  std::unique_ptr<store::Store> store;
  FakeLink link;
  FakeTargets targets;
  FakeInterfaces interfaces;
  FakeCatalog catalog;
  Options options;
  std::unique_ptr<EcsApi> api;

 private:
  void start();
  std::vector<std::unique_ptr<EcsApi>> old_;  // of before restarts
};

}  // namespace sampan::ecs::test
