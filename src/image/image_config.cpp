#include "image/image_config.h"

#include <fmt/core.h>

namespace sampan::image {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostHistory = 10000;

std::set<std::string> as_set(std::vector<std::string> items) {
  return {std::make_move_iterator(items.begin()), std::make_move_iterator(items.end())};
}

HealthCheck parse_health_check(const JsonFields& fields) {
  const auto duration = [&fields](std::string_view name) {
    return std::chrono::nanoseconds(fields.integer(name).value_or(0));
  };
  HealthCheck check;
  check.test = fields.texts("Test");
  check.interval = duration("Interval");
  check.timeout = duration("Timeout");
  check.start_period = duration("StartPeriod");
  check.start_interval = duration("StartInterval");
  check.retries =
      static_cast<int>(std::clamp<std::int64_t>(fields.integer("Retries").value_or(0), 0, 1000000));
  return check;
}

void parse_run_section(const JsonFields& fields, ImageConfig& config) {
  config.env = fields.texts("Env");
  config.entrypoint = fields.texts("Entrypoint");
  config.cmd = fields.texts("Cmd");
  config.user = fields.text("User");
  config.working_dir = fields.text("WorkingDir");
  config.exposed_ports = as_set(fields.keys("ExposedPorts"));
  config.volumes = as_set(fields.keys("Volumes"));
  config.labels = fields.text_map("Labels");
  config.stop_signal = fields.text("StopSignal");
  config.shell = fields.texts("Shell");
  config.on_build = fields.texts("OnBuild");
  if (const auto check = fields.object("Healthcheck")) config.health_check = parse_health_check(*check);
}

History parse_history(const JsonFields& fields) {
  History entry;
  entry.created = fields.text("created");
  entry.created_by = fields.text("created_by");
  entry.comment = fields.text("comment");
  entry.author = fields.text("author");
  entry.empty_layer = fields.flag("empty_layer");
  return entry;
}

std::vector<Digest> parse_diff_ids(const JsonFields& fields) {
  std::vector<Digest> ids;
  for (const auto& text : fields.texts("diff_ids")) {
    auto digest = Digest::parse(text);
    if (!digest) fields.fail(fmt::format("'{}' is no digest: sha256 and sha512 are known", text.substr(0, 100)));
    ids.push_back(*digest);
  }
  if (ids.size() > kMostDescriptors) fields.fail("it has too many layers");
  return ids;
}

template <class Value>
void put_unless_empty(json::object& object, std::string_view name, const Value& value) {
  if (!value.empty()) object[name] = json::value_from(value);
}

json::object render_set(const std::set<std::string>& items) {
  json::object object;
  for (const auto& item : items) object[item] = json::object();
  return object;
}

json::object render_health_check(const HealthCheck& check) {
  json::object object{{"Test", json::value_from(check.test)}};
  const auto duration = [&object](std::string_view name, std::chrono::nanoseconds value) {
    if (value.count() != 0) object[name] = value.count();
  };
  duration("Interval", check.interval);
  duration("Timeout", check.timeout);
  duration("StartPeriod", check.start_period);
  duration("StartInterval", check.start_interval);
  if (check.retries != 0) object["Retries"] = check.retries;
  return object;
}

json::object render_run_section(const ImageConfig& config) {
  json::object object;
  put_unless_empty(object, "User", config.user);
  if (!config.exposed_ports.empty()) object["ExposedPorts"] = render_set(config.exposed_ports);
  put_unless_empty(object, "Env", config.env);
  put_unless_empty(object, "Entrypoint", config.entrypoint);
  put_unless_empty(object, "Cmd", config.cmd);
  if (!config.volumes.empty()) object["Volumes"] = render_set(config.volumes);
  put_unless_empty(object, "WorkingDir", config.working_dir);
  put_unless_empty(object, "Labels", config.labels);
  put_unless_empty(object, "StopSignal", config.stop_signal);
  if (config.health_check) object["Healthcheck"] = render_health_check(*config.health_check);
  put_unless_empty(object, "Shell", config.shell);
  put_unless_empty(object, "OnBuild", config.on_build);
  return object;
}

json::object render_history(const History& entry) {
  json::object object;
  put_unless_empty(object, "created", entry.created);
  put_unless_empty(object, "created_by", entry.created_by);
  put_unless_empty(object, "comment", entry.comment);
  put_unless_empty(object, "author", entry.author);
  if (entry.empty_layer) object["empty_layer"] = true;
  return object;
}

}  // namespace

ImageConfig parse_config(std::string_view bytes) {
  const auto document = parse_json_object(bytes, kLargestConfig, "image configuration");
  const JsonFields fields(document.get_object(), "image configuration");
  ImageConfig config;
  config.platform = {fields.text("os"), fields.text("architecture"), fields.text("variant")};
  config.os_version = fields.text("os.version");
  config.created = fields.text("created");
  config.author = fields.text("author");
  if (const auto run = fields.object("config")) parse_run_section(*run, config);
  if (const auto rootfs = fields.object("rootfs")) config.diff_ids = parse_diff_ids(*rootfs);
  for (const auto& entry : fields.objects("history", kMostHistory))
    config.history.push_back(parse_history(entry));
  return config;
}

std::string render_config(const ImageConfig& config) {
  json::object object;
  put_unless_empty(object, "created", config.created);
  put_unless_empty(object, "author", config.author);
  object["architecture"] = config.platform.architecture;
  object["os"] = config.platform.os;
  put_unless_empty(object, "variant", config.platform.variant);
  put_unless_empty(object, "os.version", config.os_version);
  object["config"] = render_run_section(config);
  json::array ids;
  for (const auto& id : config.diff_ids) ids.emplace_back(id.str());
  object["rootfs"] = {{"type", "layers"}, {"diff_ids", std::move(ids)}};
  json::array history;
  for (const auto& entry : config.history) history.push_back(render_history(entry));
  if (!history.empty()) object["history"] = std::move(history);
  return json::serialize(object);
}

}  // namespace sampan::image
