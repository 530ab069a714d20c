// registry (collect): the operator's side of the registry's storage.
#include <fmt/core.h>

#include <boost/json.hpp>
#include <thread>

#include "cli/commands.h"
#include "cli/output.h"
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
  progress.begin(title);
  while (true) {
    const auto job = parse_answer(session.request("GET", where));
    const auto state = std::string_view(job.at("state").as_string());
    if (state == "failed") throw core::Error(std::string(job.at("message").as_string()));
    if (state == "done") {
      progress.done();
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

}  // namespace

void add_registry(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("registry", "collect: the registry's storage");
  command->require_subcommand(1);
  auto flags = std::make_shared<CollectFlags>();
  auto* collecting = command->add_subcommand("collect", "Remove content that nothing needs, now");
  collecting->add_option("--grace", flags->grace, "Spare what was used this long ago (default: the daemon's --collect-grace)");
  collecting->add_flag("--dry-run", flags->dry_run, "Only say what would go");
  collecting->callback([flags, &session] { collect(session, *flags); });
  collecting->fallthrough();
}

}  // namespace sampan::cli
