// registry (collect, fsck, quota): the operator's side of the registry's storage.
#include <fmt/core.h>

#include <boost/json.hpp>
#include <map>
#include <thread>

#include "cli/commands.h"
#include "cli/output.h"
#include "core/encoding.h"
#include "core/error.h"
#include "core/text.h"

namespace sampan::cli {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds kAskAgain{150};

json::object parse_answer(const http::ClientResponse& response) {
  boost::system::error_code failure;
  const auto value = json::parse(response.body, failure);
  if (failure || !value.is_object()) {
    throw core::Error(fmt::format("the daemon answered {} with no JSON", response.status));
  }
  const auto& object = value.as_object();
  if (response.status < 300) return object;
  const auto* message = object.if_contains("message");
  throw core::Error(message && message->is_string() ? std::string(message->as_string())
                                                    : fmt::format("the daemon answered {}", response.status));
}

// Starts a job of the daemon's and waits for its result.
json::object run_job(Session& session, const std::string& title, const std::string& target) {
  const auto started = parse_answer(session.request("POST", target));
  const auto where = "/sampan/v1/registry/jobs/" + std::string(started.at("id").as_string());
  Progress progress(session.interactive());
  if (session.interactive()) progress.begin(title);
  while (true) {
    const auto job = parse_answer(session.request("GET", where));
    const auto state = std::string_view(job.at("state").as_string());
    if (state == "failed") throw core::Error(std::string(job.at("message").as_string()));
    if (state == "done") {
      if (session.interactive()) progress.done();
      return job.at("result").as_object();
    }
    std::this_thread::sleep_for(kAskAgain);
  }
}

std::uint64_t number(const json::object& object, std::string_view name) {
  return object.at(name).to_number<std::uint64_t>();
}

// "90s", "15m", "24h", "7d", "0": seconds.
std::string grace_seconds(const std::string& text) {
  constexpr std::string_view kUnits = "smhd";
  constexpr std::int64_t kSeconds[] = {1, 60, 3600, 86400};
  const auto unit = text.empty() ? std::string_view::npos : kUnits.find(text.back());
  const auto count = core::parse_int(unit == std::string_view::npos ? text : text.substr(0, text.size() - 1));
  if (!count || *count < 0 || *count > 100'000 || (unit == std::string_view::npos && *count != 0)) {
    throw UsageError("--grace takes a time such as 90s, 15m, 24h or 7d, not '" + text + "'");
  }
  return std::to_string(*count * (unit == std::string_view::npos ? 1 : kSeconds[unit]));
}

struct CollectFlags {
  std::string grace;
  bool dry_run = false;
};

void collect(Session& session, const CollectFlags& flags) {
  std::string target = "/sampan/v1/registry/collect?dry_run=" + std::string(flags.dry_run ? "1" : "0");
  if (!flags.grace.empty()) target += "&grace=" + grace_seconds(flags.grace);
  const auto result = run_job(session, "Collection", target);
  if (session.json()) {
    fmt::print("{}\n", json::serialize(result));
    return;
  }
  fmt::print("{} {} blobs ({}), {} unpacked layers, {} links, {} steps of the build cache; {} blobs ({}) stay\n",
             flags.dry_run ? "would free" : "freed", number(result, "blobs"), human_bytes(number(result, "bytes")),
             number(result, "layers"), number(result, "links"), number(result, "steps"), number(result, "keptBlobs"),
             human_bytes(number(result, "keptBytes")));
  if (result.at("linksWait").as_bool()) {
    fmt::print("the daemon has not run long enough to judge layers without an image: they stay for now\n");
  }
}

struct FsckFlags {
  bool repair = false;
  std::uint64_t rate_mb = 256;
};

void fsck(Session& session, const FsckFlags& flags) {
  const auto result = run_job(session, "Check",
                              fmt::format("/sampan/v1/registry/fsck?repair={}&rate={}", flags.repair ? 1 : 0, flags.rate_mb << 20));
  const auto& damage = result.at("damage").as_array();
  if (session.json()) {
    fmt::print("{}\n", json::serialize(result));
  } else {
    for (const auto& each : damage) fmt::print("{}\n", std::string_view(each.as_object().at("text").as_string()));
    fmt::print("{} blobs ({}) and {} images checked, {} damaged; {} blobs that nothing names\n", number(result, "blobs"),
               human_bytes(number(result, "bytes")), number(result, "images"), damage.size(), number(result, "unnamed"));
  }
  if (!damage.empty()) throw core::Error(fmt::format("{} blobs are damaged", damage.size()));
}

// "10GB", "512MiB", "1000"; "none" is no number.
std::optional<std::uint64_t> parse_amount(const char* flag, const std::string& text) {
  if (text == "none") return std::nullopt;
  static const std::map<std::string, std::uint64_t> kUnits{
      {"", 1}, {"B", 1}, {"kB", 1000}, {"MB", 1000'000}, {"GB", 1000'000'000}, {"TB", 1000'000'000'000},
      {"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}, {"TiB", 1ull << 40}};
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = core::parse_int(text.substr(0, digits));
  const auto unit = kUnits.find(text.substr(digits));
  if (!count || *count < 0 || *count > 1'000'000'000'000 || unit == kUnits.end()) {
    throw UsageError(std::string(flag) + " takes a number such as 1000, 10GB or 512MiB, or none; not '" + text + "'");
  }
  const auto most = std::uint64_t{1} << 60;
  if (static_cast<std::uint64_t>(*count) > most / unit->second) throw UsageError(std::string(flag) + ": that is too much");
  return static_cast<std::uint64_t>(*count) * unit->second;
}

struct QuotaFlags {
  std::string name, bytes, images, repositories;
};

std::string quota_cell(const json::object& quota, const char* what, bool is_bytes) {
  const auto used = number(quota.at("used").as_object(), what);
  const auto* limit = quota.if_contains(what);
  const auto show = [is_bytes](std::uint64_t n) { return is_bytes ? human_bytes(static_cast<std::int64_t>(n)) : std::to_string(n); };
  return show(used) + " of " + (limit ? show(limit->to_number<std::uint64_t>()) : is_bytes ? "no limit" : "ECR's");
}

void quota(Session& session, const QuotaFlags& flags) {
  const std::string path = "/sampan/v1/registry/quotas";
  std::string query;
  const auto add = [&query](const char* name, const std::string& text) {
    if (text.empty()) return;
    const auto amount = parse_amount((std::string("--") + name).c_str(), text);
    if (amount) query += fmt::format("&{}={}", name, *amount);
  };
  add("bytes", flags.bytes);
  add("images", flags.images);
  add("repositories", flags.repositories);
  const bool sets = !flags.bytes.empty() || !flags.images.empty() || !flags.repositories.empty();
  if (!sets && !flags.name.empty()) throw UsageError("say --bytes or --images, or none of the three to see what is set");
  const auto all = parse_answer(
      sets ? session.request("PUT", path + "?name=" + core::percent_encode(flags.name) + query) : session.request("GET", path));
  if (session.json()) {
    fmt::print("{}\n", json::serialize(all.at("quotas")));
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& each : all.at("quotas").as_array()) {
    const auto& one = each.as_object();
    const std::string name(one.at("name").as_string());
    rows.push_back({std::string(one.at("account").as_string()), std::string(one.at("region").as_string()),
                    name.empty() ? "(all)" : name, quota_cell(one, "bytes", true), quota_cell(one, "images", false),
                    name.empty() ? quota_cell(one, "repositories", false) : ""});
  }
  fmt::print("{}", render_table({"ACCOUNT", "REGION", "REPOSITORY", "BYTES", "IMAGES", "REPOSITORIES"}, rows));
}

}  // namespace

void add_registry(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("registry", "collect, fsck, quota, refresh: the registry's storage and cache");
  command->require_subcommand(1);
  auto flags = std::make_shared<CollectFlags>();
  auto* collecting = command->add_subcommand("collect", "Remove content that nothing needs, now");
  collecting->add_option("--grace", flags->grace, "Spare what was used this long ago (default: the daemon's --collect-grace)");
  collecting->add_flag("--dry-run", flags->dry_run, "Only say what would go");
  collecting->callback([flags, &session] { collect(session, *flags); });
  collecting->fallthrough();
  auto checks = std::make_shared<FsckFlags>();
  auto* checking = command->add_subcommand("fsck", "Read every blob and compare it with its digest; exit 1 when one is damaged");
  checking->add_flag("--repair", checks->repair, "Set damaged blobs aside, so that the next push heals them");
  checking->add_option("--rate", checks->rate_mb, "Read at most so many MiB a second; 0: no limit")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  checking->callback([checks, &session] { fsck(session, *checks); });
  checking->fallthrough();
  auto limits = std::make_shared<QuotaFlags>();
  auto* limiting = command->add_subcommand("quota", "Show quotas, or set those of a repository or of all together");
  limiting->add_option("REPOSITORY", limits->name, "Without it: all repositories together");
  limiting->add_option("--bytes", limits->bytes, "10GB, 512MiB; none: no limit");
  limiting->add_option("--images", limits->images, "none: ECR's 100000 a repository");
  limiting->add_option("--repositories", limits->repositories, "none: ECR's 100000");
  limiting->callback([limits, &session] { quota(session, *limits); });
  limiting->fallthrough();
  add_refresh(*command, session);
}

}  // namespace sampan::cli
