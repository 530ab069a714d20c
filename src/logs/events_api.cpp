#include <fmt/core.h>

#include <algorithm>

#include "logs/filter_pattern.h"
#include "logs/logs_api.h"
#include "logs/names.h"
#include "logs/put_rules.h"
#include "logs/token.h"

namespace sampan::logs {

namespace model = api::logs;

namespace {

// One FilterLogEvents call reads about so much, then gives what it found and where to go on.
constexpr std::size_t kScanPerPage = 64 * 1024 * 1024;
constexpr Millis kLastTime = 9'999'999'999'999'999;  // what a token has room for

PageLimits page_limits(const std::optional<int>& limit) {
  PageLimits limits;
  if (limit) limits.events = static_cast<std::size_t>(*limit);
  return limits;
}

Millis clamped(Millis time) {
  return std::clamp<Millis>(time, 0, kLastTime);
}

ReadQuery query_for_get(const model::GetLogEventsInput& input, Millis kept) {
  ReadQuery query;
  query.limits = page_limits(input.limit);
  query.from = std::max(kept, clamped(input.startTime.value_or(0)));
  if (input.endTime) query.until = clamped(*input.endTime);  // exclusive, unlike FilterLogEvents'
  query.direction = input.startFromHead.value_or(false) ? Direction::kForward : Direction::kBackward;
  if (!input.nextToken) return query;
  auto token = parse_token(*input.nextToken);
  if (!token) throw model::InvalidParameterException("The specified nextToken is invalid.");
  query.direction = token->direction;
  query.position = token->position;
  return query;
}

// Tokens are positions between events: what a page leaves on either side is where the next one begins. At an
// end of the stream the page is empty and the token that was given comes back.
void set_tokens(model::GetLogEventsOutput& out, const Page& page, const ReadQuery& query) {
  Key before = query.position.value_or(Key{query.from, "", 0});
  Key after = before;
  if (!page.events().empty()) {
    before = page.events().begin()->first;
    after = std::prev(page.events().end())->first;
    ++after.index;
  }
  out.nextForwardToken = render_token(Direction::kForward, after);
  out.nextBackwardToken = render_token(Direction::kBackward, before);
}

std::vector<const StreamRow*> searched(const Catalog& catalog, const GroupRow& group,
                                       const model::FilterLogEventsInput& input) {
  if (!input.logStreamNames) return catalog.streams(group, input.logStreamNamePrefix.value_or(""));
  std::vector<const StreamRow*> streams;
  for (const auto& name : *input.logStreamNames) {
    const auto* stream = &catalog.stream(group, name);
    if (std::ranges::find(streams, stream) == streams.end()) streams.push_back(stream);
  }
  return streams;
}

FilterPattern parse_filter(const std::optional<std::string>& pattern) {
  try {
    return FilterPattern(pattern.value_or(""));
  } catch (const InvalidPattern& invalid) {
    throw model::InvalidParameterException(fmt::format("Invalid filter pattern: {}", invalid.what()));
  }
}

ReadQuery query_for_filter(const model::FilterLogEventsInput& input, Millis kept) {
  ReadQuery query;
  query.limits = page_limits(input.limit);
  query.scan_bytes = kScanPerPage;
  query.from = std::max(kept, clamped(input.startTime.value_or(0)));
  if (input.endTime) query.until = clamped(*input.endTime) + 1;
  if (input.nextToken) {
    query.position = parse_position(*input.nextToken);
    if (!query.position) throw model::InvalidParameterException("The specified nextToken is invalid.");
  }
  auto pattern = parse_filter(input.filterPattern);
  if (!pattern.matches_all()) {
    query.accepts = [pattern](const std::string& message) { return pattern.matches(message); };
  }
  return query;
}

void check_filter(const model::FilterLogEventsInput& input) {
  if (input.logStreamNames && input.logStreamNamePrefix) {
    throw model::InvalidParameterException(
        "The parameters logStreamNames and logStreamNamePrefix are mutually exclusive.");
  }
}

}  // namespace

io::Awaitable<Page> LogsApi::read(std::vector<StreamId> streams, bool one_stream, ReadQuery query) {
  co_return co_await io::offload(
      executors_, [&archive = archive_, streams = std::move(streams), one_stream, query = std::move(query)] {
        std::vector<StreamSnapshot> snapshots;
        snapshots.reserve(streams.size());
        for (const auto& id : streams) {
          snapshots.push_back({one_stream ? "" : id.stream, archive.stream(id)->snapshot()});
        }
        return read_page(snapshots, query);
      });
}

io::Awaitable<model::PutLogEventsOutput> LogsApi::PutLogEvents(const aws::Call& call,
                                                               model::PutLogEventsInput input) {
  const Millis now = to_millis(call.now);
  const GroupRow& group = catalog_.group(scope_of(call), input.logGroupName);
  const StreamId id{group.id, catalog_.stream(group, input.logStreamName).id};
  check_put(input.logEvents);
  auto sorted = sort_out(std::move(input.logEvents), now, group.retention_days);

  model::PutLogEventsOutput out;
  out.rejectedLogEventsInfo = std::move(sorted.rejected);
  auto next = co_await io::offload(
      executors_,
      [&archive = archive_, id, now, events = std::move(sorted.accepted)]() -> std::optional<std::uint64_t> {
        auto stream = archive.stream(id);
        if (!events.empty() && !stream->append(events, now, std::nullopt, Flush::kToDisk))
          return std::nullopt;
        return stream->summary().events;
      });
  if (!next) throw model::ResourceNotFoundException("The specified log stream does not exist.");
  out.nextSequenceToken = fmt::format("{:056}", *next);
  co_return out;
}

io::Awaitable<model::GetLogEventsOutput> LogsApi::GetLogEvents(const aws::Call& call,
                                                               model::GetLogEventsInput input) {
  const auto scope = scope_of(call);
  const GroupRow& group =
      catalog_.group(scope, required_group(scope, input.logGroupName, input.logGroupIdentifier));
  const StreamId id{group.id, catalog_.stream(group, input.logStreamName).id};
  const auto query = query_for_get(input, kept_from(to_millis(call.now), group.retention_days));
  const Page page = co_await read({id}, true, query);

  model::GetLogEventsOutput out;
  auto& events = out.events.emplace();
  for (const auto& [key, event] : page.events()) {
    events.push_back({.timestamp = event.time, .message = event.message, .ingestionTime = event.ingested});
  }
  set_tokens(out, page, query);
  co_return out;
}

io::Awaitable<model::FilterLogEventsOutput> LogsApi::FilterLogEvents(const aws::Call& call,
                                                                     model::FilterLogEventsInput input) {
  check_filter(input);
  const auto scope = scope_of(call);
  const GroupRow& group =
      catalog_.group(scope, required_group(scope, input.logGroupName, input.logGroupIdentifier));
  const auto query = query_for_filter(input, kept_from(to_millis(call.now), group.retention_days));
  std::map<std::string, std::string> names;
  std::vector<StreamId> ids;
  for (const StreamRow* stream : searched(catalog_, group, input)) {
    names[stream->id] = stream->name;
    ids.push_back({group.id, stream->id});
  }
  const Page page = co_await read(std::move(ids), false, query);

  model::FilterLogEventsOutput out;
  out.searchedLogStreams.emplace();
  auto& events = out.events.emplace();
  for (const auto& [key, event] : page.events()) {
    events.push_back({.logStreamName = names[key.stream],
                      .timestamp = event.time,
                      .message = event.message,
                      .ingestionTime = event.ingested,
                      .eventId = render_position(key)});
  }
  if (page.is_cut()) out.nextToken = render_position(*page.cutoff());
  co_return out;
}

io::Awaitable<model::TestMetricFilterOutput> LogsApi::TestMetricFilter(const aws::Call&,
                                                                       model::TestMetricFilterInput input) {
  const auto pattern = parse_filter(input.filterPattern);
  model::TestMetricFilterOutput out;
  auto& matches = out.matches.emplace();
  std::int64_t number = 0;
  for (const auto& message : input.logEventMessages) {
    ++number;
    if (!pattern.matches(message)) continue;
    matches.push_back({.eventNumber = number,
                       .eventMessage = message,
                       .extractedValues = std::map<std::string, std::string>{}});
  }
  co_return out;
}

}  // namespace sampan::logs
