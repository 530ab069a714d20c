// One piece of long work started over HTTP, and the lines it has told so far. Thread-safe.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "io/executors.h"
#include "io/file.h"

namespace sampan::build {

class Job
    : public std::enable_shared_from_this<Job> {  // shared by its work, its pollers and the table of jobs
 public:
  Job(io::Executors& executors, std::string id);

  const std::string& id() const { return id_; }
  void tell(boost::json::object event);
  // The last line; the job is over.
  void end(boost::json::object event);
  bool ended() const;
  std::chrono::steady_clock::time_point ended_at() const;

  // Lines from number `from` on, each ended by '\n'; waits for one until `limit`. Empty when there is none
  // yet.
  io::Awaitable<std::string> read(std::size_t from, std::chrono::milliseconds limit);

  // Readable from cancel() on.
  int cancel_fd() const { return cancel_.get(); }
  void cancel();

 private:
  std::string take(std::size_t from) const;
  static io::Awaitable<std::string> read_on_strand(std::shared_ptr<Job> job, std::size_t from,
                                                   std::chrono::milliseconds limit);
  void ring();

  const std::string id_;
  io::UniqueFd cancel_;
  io::Strand strand_;  // of the bell
  io::Bell bell_;
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::size_t bytes_ = 0;
  bool ended_ = false;
  std::chrono::steady_clock::time_point ended_at_;
};

}  // namespace sampan::build
