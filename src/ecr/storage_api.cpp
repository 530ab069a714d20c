#include "ecr/storage_api.h"

#include "core/text.h"

namespace sampan::ecr {
namespace {

namespace json = boost::json;

constexpr std::string_view kRoot = "/sampan/v1/registry/";
constexpr std::size_t kMostJobs = 32;
constexpr std::int64_t kLongestGrace = 3650LL * 24 * 3600;

http::Response answer(int status, const json::object& body) {
  return http::Response::text(status, json::serialize(body) + "\n", "application/json");
}

http::Response refuse(int status, std::string_view why) {
  return answer(status, {{"message", why}});
}

}  // namespace

json::object to_json(const CollectionReport& report) {
  return {{"dryRun", report.dry_run},
          {"links", report.links},
          {"blobs", report.blobs},
          {"bytes", report.bytes},
          {"layers", report.trees},
          {"steps", report.steps},
          {"farBlobs", report.far},
          {"farBytes", report.far_bytes},
          {"brokenUploads", report.uploads},
          {"evictedBytes", report.evicted},
          {"keptBlobs", report.kept},
          {"keptBytes", report.kept_bytes},
          {"linksWait", report.links_wait},
          {"began", core::to_iso8601(report.began)},
          {"milliseconds", report.took.count()}};
}

json::object to_json(const FsckReport& report) {
  json::array damage;
  for (const auto& each : report.damage) {
    damage.push_back(json::object{{"blob", each.blob.str()},
                                  {"what", to_text(each.what)},
                                  {"detail", each.detail},
                                  {"size", each.size},
                                  {"images", json::value_from(each.images)},
                                  {"setAside", each.set_aside},
                                  {"text", describe(each)}});
  }
  return {{"blobs", report.blobs},     {"bytes", report.bytes}, {"images", report.images},
          {"unnamed", report.unnamed}, {"damage", damage},      {"milliseconds", report.took.count()}};
}

bool StorageApi::serves(std::string_view path) {
  return path.starts_with(kRoot);
}

io::Awaitable<http::Response> StorageApi::handle(http::Request& request, bool is_operator) {
  if (!is_operator) co_return refuse(403, "only the operator's own key (the account's root) may do this");
  co_return co_await io::asio::co_spawn(executors_.control(), route(request), io::asio::use_awaitable);
}

io::Awaitable<http::Response> StorageApi::route(http::Request& request) {
  const bool quotas = request.raw_path().substr(kRoot.size()) == "quotas";
  if (quotas && request.method == "PUT") co_return co_await set_quota(request);
  if (quotas) co_return request.method == "GET" ? list_quotas() : refuse(405, "use GET or PUT");
  co_return route_others(request);
}

http::Response StorageApi::route_others(const http::Request& request) {
  const auto rest = std::string(request.raw_path().substr(kRoot.size()));
  const bool get = request.method == "GET";
  if (rest == "collect") return request.method == "POST" ? collect(request) : refuse(405, "use POST");
  if (rest == "fsck") return request.method == "POST" ? check(request) : refuse(405, "use POST");
  if (rest == "storage") return get ? describe_storage() : refuse(405, "use GET");
  if (rest.starts_with("jobs/")) return get ? describe_job(rest.substr(5)) : refuse(405, "use GET");
  return refuse(404, "there is nothing at this path");
}

http::Response StorageApi::collect(const http::Request& request) {
  auto options = defaults_;
  for (const auto& [name, value] : http::parse_query(request.raw_query())) {
    if (name == "dry_run") options.dry_run = value == "1" || value == "true";
    if (name != "grace") continue;
    const auto seconds = core::parse_int(value);
    if (!seconds || *seconds < 0 || *seconds > kLongestGrace)
      return refuse(400, "grace is a number of seconds");
    options.grace = std::chrono::seconds(*seconds);
  }
  return launch("collect the registry's garbage", collect_now(collector_, options));
}

http::Response StorageApi::check(const http::Request& request) {
  FsckOptions options;
  for (const auto& [name, value] : http::parse_query(request.raw_query())) {
    if (name == "repair") options.repair = value == "1" || value == "true";
    if (name != "rate") continue;
    const auto rate = core::parse_int(value);
    if (!rate || *rate < 0) return refuse(400, "rate is a number of bytes a second");
    options.rate = static_cast<std::uint64_t>(*rate);
  }
  return launch("check the registry's storage", check_now(fsck_, options));
}

io::Awaitable<http::Response> StorageApi::set_quota(http::Request& request) {
  auto id = home_;
  QuotaRow row;
  for (const auto& [name, value] : http::parse_query(request.raw_query())) {
    if (name == "name") id.name = value;
    if (name == "account") id.account = value;
    if (name == "region") id.region = value;
    auto* member = name == "bytes" ? &row.bytes : name == "images" ? &row.images : nullptr;
    if (name == "repositories") member = &row.repositories;
    if (!member) continue;
    const auto number = core::parse_int(value);
    if (!number || *number < 0) co_return refuse(400, name + " is a number");
    *member = static_cast<std::uint64_t>(*number);
  }
  if (!id.name.empty() && !valid_repository_name(id.name))
    co_return refuse(400, "that is no name for a repository");
  if (!id.name.empty() && row.repositories) co_return refuse(400, "a repository holds no repositories");
  if (id.account.empty() || id.region.empty() || (id.account + id.region).find('/') != std::string::npos) {
    co_return refuse(400, "account and region are needed");
  }
  std::string failure;
  try {
    co_await quotas_.set(id, row);
  } catch (const core::Error& error) {
    failure = error.what();
  }
  if (!failure.empty()) co_return refuse(500, failure);
  co_return list_quotas();
}

http::Response StorageApi::list_quotas() {
  const auto describe_one = [this](const std::string& key, const QuotaRow& row) {
    const auto slash = key.find('/', key.find('/') + 1);
    RepositoryId id{
        key.substr(0, key.find('/')), {}, slash == std::string::npos ? "" : key.substr(slash + 1)};
    id.region = key.substr(key.find('/') + 1, slash == std::string::npos ? slash : slash - key.find('/') - 1);
    const auto used = quotas_.usage(id);
    json::object one{{"account", id.account}, {"region", id.region}, {"name", id.name}};
    one["used"] =
        json::object{{"bytes", used.bytes}, {"images", used.images}, {"repositories", used.repositories}};
    if (row.bytes) one["bytes"] = *row.bytes;
    if (row.images) one["images"] = *row.images;
    if (row.repositories) one["repositories"] = *row.repositories;
    return one;
  };
  json::array all;
  const auto home = home_.account + '/' + home_.region;
  if (!quotas_.rows().find(home)) all.push_back(describe_one(home, {}));
  for (const auto& [key, row] : quotas_.rows()) all.push_back(describe_one(key, row.value));
  return answer(200, {{"quotas", all}});
}

StorageApi::Work StorageApi::check_now(Fsck& fsck, FsckOptions options) {
  co_return to_json(co_await fsck.run(options));
}

StorageApi::Work StorageApi::collect_now(Collector& collector, CollectionOptions options) {
  co_return to_json(co_await collector.collect(options));
}

http::Response StorageApi::launch(std::string name, Work work) {
  const auto running = std::count_if(jobs_.begin(), jobs_.end(),
                                     [](const auto& job) { return job.second.state == "running"; });
  if (static_cast<std::size_t>(running) >= kMostJobs) return refuse(429, "too many of these are under way");
  for (auto job = jobs_.begin(); job != jobs_.end() && jobs_.size() >= kMostJobs;) {
    job = job->second.state == "running" ? std::next(job) : jobs_.erase(job);
  }
  const auto id = next_++;
  jobs_.emplace(id, Job());
  io::spawn_detached(executors_.control(), std::move(name), follow(id, std::move(work)));
  return answer(202, {{"id", std::to_string(id)}});
}

io::Awaitable<void> StorageApi::follow(std::uint64_t id, Work work) {
  Job ended;
  try {
    ended.facts["result"] = co_await std::move(work);
    ended.state = "done";
  } catch (const std::exception& error) {
    ended.facts["message"] = error.what();
    ended.state = "failed";
  }
  jobs_[id] = std::move(ended);
}

http::Response StorageApi::describe_job(std::string_view id) const {
  const auto number = core::parse_int(id);
  const auto found = number && *number > 0 ? jobs_.find(static_cast<std::uint64_t>(*number)) : jobs_.end();
  if (found == jobs_.end()) return refuse(404, "no such job");
  auto body = found->second.facts;
  body["state"] = found->second.state;
  return answer(200, body);
}

http::Response StorageApi::describe_storage() const {
  json::object body;
  if (collector_.last()) body["lastCollection"] = to_json(*collector_.last());
  return answer(200, body);
}

}  // namespace sampan::ecr
