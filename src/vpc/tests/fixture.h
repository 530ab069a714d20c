// A Topology over a memory store, and a way to run a coroutine to its end in a test.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "core/clock.h"
#include "core/random.h"
#include "store/memory_store.h"
#include "vpc/addresses.h"
#include "vpc/ec2_api.h"

namespace sampan::vpc {

struct VpcTest : testing::Test {
  template <class T>
  T run(boost::asio::awaitable<T> work) {
    std::optional<T> result;
    std::exception_ptr failure;
    boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr error, T value) {
      failure = error;
      result = std::move(value);
    });
    context.restart();
    context.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }
  void run(boost::asio::awaitable<void> work) {
    std::exception_ptr failure;
    boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr error) { failure = error; });
    context.restart();
    context.run();
    if (failure) std::rethrow_exception(failure);
  }
  // "InvalidSubnetID.NotFound": the code of the fault that `work` ends with.
  template <class T>
  std::string fault(boost::asio::awaitable<T> work) {
    try {
      run(std::move(work));
    } catch (const aws::Fault& error) {
      return error.code();
    }
    return "no fault";
  }

  static aws::Call call_of(std::string account = "000000000000", std::string region = "us-east-1") {
    aws::Call call;
    call.account = std::move(account);
    call.region = std::move(region);
    call.host = "127.0.0.1:4566";
    return call;
  }
  static ec2::Filter filter(std::string name, std::vector<std::string> values) {
    ec2::Filter made;
    made.Name = std::move(name);
    made.Values = std::move(values);
    return made;
  }

  boost::asio::io_context context;
  std::unique_ptr<store::Store> store = store::make_memory_store(context.get_executor());
  core::ManualClock clock{core::from_epoch_seconds(1'700'000'000)};
  core::SeededIdSource ids{7};
  Topology topology{*store, clock, ids, {}};
  Addresses addresses{topology};
  Ec2Api api{topology};
  aws::Call call = call_of();
};

}  // namespace sampan::vpc
