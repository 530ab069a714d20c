// The operator's side of the registry's storage, over HTTP, for `sampan registry …`:
//   POST /sampan/v1/registry/collect?grace=SECONDS&dry_run=1     202 {"id":"7"}
//   POST /sampan/v1/registry/fsck?repair=1&rate=BYTES            202 {"id":"8"}; bytes a second, 0: no limit
//   GET  /sampan/v1/registry/quotas                              what is set, and what is used
//   PUT  /sampan/v1/registry/quotas?name=R&bytes=N&images=N&repositories=N    of repository R, or without a
//   name of all
//        together; what is not said is ECR's own quota again; &account=A&region=R: of another registry than
//        this one's own
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
#include "ecr/fsck.h"
#include "ecr/quota.h"
#include "http/message.h"

namespace sampan::ecr {

class StorageApi {
 public:
  // All must outlive it.
  StorageApi(io::Executors& executors, Collector& collector, Fsck fsck, Quotas& quotas, RepositoryId home,
             CollectionOptions defaults)
      : executors_(executors),
        collector_(collector),
        fsck_(std::move(fsck)),
        quotas_(quotas),
        home_(std::move(home)),
        defaults_(defaults) {}

  static bool serves(std::string_view path);
  // From any executor.
  io::Awaitable<http::Response> handle(http::Request& request, bool is_operator);

 private:
  struct Job {
    std::string state = "running";
    boost::json::object facts;  // "result" or "message"
  };
  using Work = io::Awaitable<boost::json::object>;
  io::Awaitable<http::Response> route(http::Request& request);
  io::Awaitable<http::Response> set_quota(http::Request& request);
  http::Response list_quotas();
  http::Response route_others(const http::Request& request);
  http::Response collect(const http::Request& request);
  http::Response check(const http::Request& request);
  http::Response describe_job(std::string_view id) const;
  http::Response describe_storage() const;
  http::Response launch(std::string name, Work work);
  io::Awaitable<void> follow(std::uint64_t id, Work work);
  static Work collect_now(Collector& collector, CollectionOptions options);
  static Work check_now(Fsck& fsck, FsckOptions options);

  io::Executors& executors_;
  Collector& collector_;
  Fsck fsck_;
  Quotas& quotas_;
  const RepositoryId home_;  // without a name
  const CollectionOptions defaults_;
  std::map<std::uint64_t, Job> jobs_;
  std::uint64_t next_ = 1;
};

boost::json::object to_json(const CollectionReport& report);
boost::json::object to_json(const FsckReport& report);

}  // namespace sampan::ecr
