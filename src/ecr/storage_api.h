// The operator's side of the registry's storage, over HTTP, for `sampan registry …`:
//   POST /sampan/v1/registry/collect?grace=SECONDS&dry_run=1     202 {"id":"7"}
//   GET  /sampan/v1/registry/jobs/7                              {"state":"running"|"done"|"failed", …}
//   GET  /sampan/v1/registry/storage                             what the last collection found
// A job that is done has its "result", one that failed its "message". The last 32 jobs are remembered.
// The caller has been authenticated; only the operator (the root of this Sampan's own account) is let in.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <map>
#include <string>

#include "ecr/collector.h"
#include "http/message.h"

namespace sampan::ecr {

class StorageApi {
 public:
  // All must outlive it.
  StorageApi(io::Executors& executors, Collector& collector, CollectionOptions defaults)
      : executors_(executors), collector_(collector), defaults_(defaults) {}

  static bool serves(std::string_view path);
  // From any executor.
  io::Awaitable<http::Response> handle(http::Request& request, bool is_operator);

 private:
  struct Job {
    std::string state = "running";
    boost::json::object facts;  // "result" or "message"
  };
  using Work = io::Awaitable<boost::json::object>;
  http::Response route(const http::Request& request);
  http::Response collect(const http::Request& request);
  http::Response describe_job(std::string_view id) const;
  http::Response describe_storage() const;
  http::Response launch(std::string name, Work work);
  io::Awaitable<void> follow(std::uint64_t id, Work work);
  static Work collect_now(Collector& collector, CollectionOptions options);

  io::Executors& executors_;
  Collector& collector_;
  const CollectionOptions defaults_;
  std::map<std::uint64_t, Job> jobs_;
  std::uint64_t next_ = 1;
};

boost::json::object to_json(const CollectionReport& report);

}  // namespace sampan::ecr
