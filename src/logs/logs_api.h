// The CloudWatch Logs API: groups, streams, events, retention, tags. Handlers run on the control strand;
// files are read and written on the blocking pool.
#pragma once

#include "api/logs.h"
#include "io/executors.h"
#include "logs/archive.h"
#include "logs/catalog.h"
#include "logs/reader.h"

namespace sampan::logs {

class LogsApi final : public api::logs::Service {
 public:
  // All must outlive it and its calls.
  LogsApi(io::Executors& executors, Catalog& catalog, Archive& archive)
      : executors_(executors), catalog_(catalog), archive_(archive) {}

  // groups_api.cpp
  io::Awaitable<api::logs::CreateLogGroupOutput> CreateLogGroup(
      const aws::Call& call, api::logs::CreateLogGroupInput input) override;
  io::Awaitable<api::logs::DeleteLogGroupOutput> DeleteLogGroup(
      const aws::Call& call, api::logs::DeleteLogGroupInput input) override;
  io::Awaitable<api::logs::DescribeLogGroupsOutput> DescribeLogGroups(
      const aws::Call& call, api::logs::DescribeLogGroupsInput input) override;
  io::Awaitable<api::logs::PutRetentionPolicyOutput> PutRetentionPolicy(
      const aws::Call& call, api::logs::PutRetentionPolicyInput input) override;
  io::Awaitable<api::logs::DeleteRetentionPolicyOutput> DeleteRetentionPolicy(
      const aws::Call& call, api::logs::DeleteRetentionPolicyInput input) override;
  io::Awaitable<api::logs::PutLogGroupDeletionProtectionOutput> PutLogGroupDeletionProtection(
      const aws::Call& call, api::logs::PutLogGroupDeletionProtectionInput input) override;

  // streams_api.cpp
  io::Awaitable<api::logs::CreateLogStreamOutput> CreateLogStream(
      const aws::Call& call, api::logs::CreateLogStreamInput input) override;
  io::Awaitable<api::logs::DeleteLogStreamOutput> DeleteLogStream(
      const aws::Call& call, api::logs::DeleteLogStreamInput input) override;
  io::Awaitable<api::logs::DescribeLogStreamsOutput> DescribeLogStreams(
      const aws::Call& call, api::logs::DescribeLogStreamsInput input) override;

  // events_api.cpp
  io::Awaitable<api::logs::PutLogEventsOutput> PutLogEvents(const aws::Call& call,
                                                            api::logs::PutLogEventsInput input) override;
  io::Awaitable<api::logs::GetLogEventsOutput> GetLogEvents(const aws::Call& call,
                                                            api::logs::GetLogEventsInput input) override;
  io::Awaitable<api::logs::FilterLogEventsOutput> FilterLogEvents(
      const aws::Call& call, api::logs::FilterLogEventsInput input) override;
  io::Awaitable<api::logs::TestMetricFilterOutput> TestMetricFilter(
      const aws::Call& call, api::logs::TestMetricFilterInput input) override;

  // tags_api.cpp
  io::Awaitable<api::logs::TagResourceOutput> TagResource(const aws::Call& call,
                                                          api::logs::TagResourceInput input) override;
  io::Awaitable<api::logs::UntagResourceOutput> UntagResource(const aws::Call& call,
                                                              api::logs::UntagResourceInput input) override;
  io::Awaitable<api::logs::ListTagsForResourceOutput> ListTagsForResource(
      const aws::Call& call, api::logs::ListTagsForResourceInput input) override;
  io::Awaitable<api::logs::TagLogGroupOutput> TagLogGroup(const aws::Call& call,
                                                          api::logs::TagLogGroupInput input) override;
  io::Awaitable<api::logs::UntagLogGroupOutput> UntagLogGroup(const aws::Call& call,
                                                              api::logs::UntagLogGroupInput input) override;
  io::Awaitable<api::logs::ListTagsLogGroupOutput> ListTagsLogGroup(
      const aws::Call& call, api::logs::ListTagsLogGroupInput input) override;

 private:
  // Reads the streams' files on the blocking pool.
  io::Awaitable<Page> read(std::vector<StreamId> streams, bool one_stream, ReadQuery query);

  io::Executors& executors_;
  Catalog& catalog_;
  Archive& archive_;
};

Millis to_millis(core::TimePoint time);

}  // namespace sampan::logs
