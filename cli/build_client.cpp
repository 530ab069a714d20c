#include "cli/build_client.h"

#include <fmt/core.h>
#include <unistd.h>

#include "cli/context_tar.h"
#include "core/encoding.h"
#include "core/error.h"
#include "core/text.h"

namespace sampan::cli {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& event, std::string_view name) {
  const auto* found = event.if_contains(name);
  return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::int64_t number_of(const json::object& event, std::string_view name) {
  const auto* found = event.if_contains(name);
  return found && found->is_int64() ? found->as_int64() : 0;
}

std::string query_of(const BuildOrder& order) {
  std::string query;
  auto add = [&](std::string_view name, const std::string& value) {
    query += query.empty() ? "?" : "&";
    query += std::string(name) + "=" + core::percent_encode(value);
  };
  for (const auto& tag : order.tags) add("t", tag);
  for (const auto& arg : order.args) add("arg", arg);
  if (!order.dockerfile.empty()) add("dockerfile", order.dockerfile);
  if (!order.target.empty()) add("target", order.target);
  if (order.no_cache) add("no_cache", "1");
  return query;
}

// One build's events as they look on a terminal, or as plain lines.
class BuildView {
 public:
  BuildView(BuildProgress style, Progress& progress) : style_(style), progress_(progress) {}

  void show(const json::object& event) {
    if (style_ == BuildProgress::kJson) {
      fmt::print("{}\n", json::serialize(event));
      return;
    }
    auto type = text_of(event, "type");
    auto step = number_of(event, "step");
    if (type == "step") {
      titles_[step] = fmt::format("[{}/{}] {}", step, number_of(event, "steps"), first_line(text_of(event, "text")));
      progress_.begin(titles_[step]);
    } else if (type == "cached") {
      progress_.done(titles_[step] + " CACHED");
    } else if (type == "done") {
      progress_.done(titles_[step]);
    } else if (type == "log") {
      show_log(step, text_of(event, "text"));
    } else if (type == "status") {
      progress_.line("    " + text_of(event, "text"));
    }
  }

 private:
  static std::string first_line(const std::string& text) {
    auto line = text.substr(0, text.find('\n'));
    return line.size() > 100 ? line.substr(0, 97) + "…" : line;
  }

  void show_log(std::int64_t step, const std::string& text) {
    auto lines = core::split(partial_[step] + text, '\n');
    partial_[step] = lines.back();
    lines.pop_back();
    for (const auto& line : lines) progress_.line(fmt::format("    #{} {}", step, line));
  }

  BuildProgress style_;
  Progress& progress_;
  std::map<std::int64_t, std::string> titles_;
  std::map<std::int64_t, std::string> partial_;
};

// A secret's file, as the header that carries it.
std::string secret_header(const BuildSecret& secret) {
  return secret.id + ":" + core::to_base64(io::read_file(secret.source, 512 * 1024));
}

}  // namespace

std::string accepted_job(const http::ClientResponse& answer, const std::string& what) {
  if (answer.status == 202) return std::string(json::parse(answer.body).at("id").as_string());
  std::string said = answer.body.substr(0, 500);
  boost::system::error_code failed;
  auto body = json::parse(answer.body, failed);
  if (!failed && body.is_object()) {
    if (auto message = text_of(body.as_object(), "message"); !message.empty()) said = message;
  }
  throw core::Error(what + " was refused (HTTP " + std::to_string(answer.status) + "): " + std::string(core::trim(said)));
}

json::object follow_job(Session& session, const std::string& id, const std::function<void(const json::object&)>& on_event) {
  std::size_t seen = 0;
  for (;;) {
    auto answer = session.request("GET", "/sampan/v1/build/" + id + "?from=" + std::to_string(seen));
    if (answer.status != 200) throw core::Error("the work " + id + " is not known to the daemon any more: was it restarted?");
    for (const auto& line : core::split(answer.body, '\n')) {
      if (line.empty()) continue;
      auto event = json::parse(line).as_object();
      ++seen;
      auto type = text_of(event, "type");
      on_event(event);
      if (type == "error") throw core::Error(text_of(event, "text"));
      if (type == "result") return event;
    }
  }
}

BuiltImage run_build(Session& session, const BuildOrder& order, Progress& progress) {
  auto context = write_context_tar(order.context, order.dockerfile);
  std::vector<std::string> secrets;
  for (const auto& secret : order.secrets) secrets.push_back(secret_header(secret));
  auto answer = session.upload("/sampan/v1/build" + query_of(order), context.path(), "x-sampan-build-secret", secrets);
  BuildView view(order.progress, progress);
  auto result = follow_job(session, accepted_job(answer, "the build"), [&](const json::object& event) { view.show(event); });
  BuiltImage built;
  built.digest = text_of(result, "digest");
  built.size = number_of(result, "size");
  if (const auto* ports = result.if_contains("exposed_ports"); ports && ports->is_array()) {
    for (const auto& port : ports->as_array()) built.exposed_ports.push_back(static_cast<int>(port.as_int64()));
  }
  return built;
}

}  // namespace sampan::cli
