#include <fmt/core.h>

#include <algorithm>

#include "core/text.h"
#include "logs/logs_api.h"
#include "logs/names.h"
#include "logs/token.h"

namespace sampan::logs {

namespace model = api::logs;

namespace {

constexpr int kDescribeLimit = 50;

struct Listed {
  StreamRow row;
  std::optional<StreamSummary> summary;
  std::string order;  // what the list is sorted by, unique
};

// Ever so many streams fit between two equal times, so the name decides among them.
std::string time_order(const Listed& stream) {
  return fmt::format("{:020}:{}", stream.summary->last_time.value_or(0), stream.row.name);
}

std::vector<StreamSummary> summaries(Archive& archive, const std::vector<StreamId>& ids) {
  std::vector<StreamSummary> all;
  for (const auto& id : ids) all.push_back(archive.stream(id)->summary());
  return all;
}

void check_describe(const model::DescribeLogStreamsInput& input) {
  if (input.orderBy == model::OrderBy::kLastEventTime && input.logStreamNamePrefix) {
    throw model::InvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.");
  }
}

// Sorts, and drops what the pages before had.
void arrange(std::vector<Listed>& listed, bool descending, const std::optional<std::string>& token) {
  auto before = [descending](const std::string& a, const std::string& b) {
    return descending ? a > b : a < b;
  };
  std::ranges::sort(listed, before, &Listed::order);
  if (!token) return;
  auto last = parse_name_token(*token);
  if (!last) throw model::InvalidParameterException("The specified nextToken is invalid.");
  std::erase_if(listed, [&](const Listed& stream) { return !before(*last, stream.order); });
}

model::LogStream describe(const Scope& scope, const std::string& group, const Listed& stream) {
  model::LogStream out;
  out.logStreamName = stream.row.name;
  out.creationTime = stream.row.created;
  out.firstEventTimestamp = stream.summary->first_time;
  out.lastEventTimestamp = stream.summary->last_time;
  out.lastIngestionTime = stream.summary->last_ingested;
  out.uploadSequenceToken = fmt::format("{:056}", stream.summary->events);
  out.arn = stream_arn(scope, group, stream.row.name);
  out.storedBytes = 0;  // AWS gives it up here since 2019
  return out;
}

}  // namespace

io::Awaitable<model::CreateLogStreamOutput> LogsApi::CreateLogStream(const aws::Call& call,
                                                                     model::CreateLogStreamInput input) {
  co_await catalog_.create_stream(scope_of(call), std::move(input.logGroupName),
                                  std::move(input.logStreamName), to_millis(call.now));
  co_return model::CreateLogStreamOutput{};
}

io::Awaitable<model::DeleteLogStreamOutput> LogsApi::DeleteLogStream(const aws::Call& call,
                                                                     model::DeleteLogStreamInput input) {
  auto id = co_await catalog_.delete_stream(scope_of(call), std::move(input.logGroupName),
                                            std::move(input.logStreamName));
  co_await io::offload(executors_, [&archive = archive_, id] { archive.remove_stream(id); });
  co_return model::DeleteLogStreamOutput{};
}

io::Awaitable<model::DescribeLogStreamsOutput> LogsApi::DescribeLogStreams(
    const aws::Call& call, model::DescribeLogStreamsInput input) {
  check_describe(input);
  const auto scope = scope_of(call);
  const auto name = required_group(scope, input.logGroupName, input.logGroupIdentifier);
  const bool by_time = input.orderBy == model::OrderBy::kLastEventTime;
  const auto limit = static_cast<std::size_t>(input.limit.value_or(kDescribeLimit));

  const GroupRow& group = catalog_.group(scope, name);
  const std::string group_id = group.id;
  std::vector<Listed> listed;
  for (const StreamRow* row : catalog_.streams(group, input.logStreamNamePrefix.value_or(""))) {
    listed.push_back({*row, std::nullopt, row->name});
  }

  // By name only the page's files need to be looked at, by time all of them.
  if (!by_time) arrange(listed, input.descending.value_or(false), input.nextToken);
  const auto needed = by_time ? listed.size() : std::min(limit, listed.size());
  std::vector<StreamId> ids;
  for (std::size_t i = 0; i < needed; ++i) ids.push_back({group_id, listed[i].row.id});
  auto found =
      co_await io::offload(executors_, [&archive = archive_, ids] { return summaries(archive, ids); });
  for (std::size_t i = 0; i < needed; ++i) listed[i].summary = found[i];
  if (by_time) {
    for (auto& stream : listed) stream.order = time_order(stream);
    arrange(listed, input.descending.value_or(false), input.nextToken);
  }

  model::DescribeLogStreamsOutput out;
  auto& streams = out.logStreams.emplace();
  for (std::size_t i = 0; i < std::min(limit, listed.size()); ++i) {
    streams.push_back(describe(scope, name, listed[i]));
  }
  if (listed.size() > limit) out.nextToken = render_name_token(listed[limit - 1].order);
  co_return out;
}

}  // namespace sampan::logs
