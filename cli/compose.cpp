#include "cli/compose.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/text.h"

namespace sampan::cli {
namespace {

using Environment = std::map<std::string, std::string>;

[[noreturn]] void fail(const YAML::Node& where, const std::string& what) {
  auto mark = where.Mark();
  throw ComposeError("line " + std::to_string(mark.line + 1) + ": " + what);
}

// ${NAME}, ${NAME:-default}, $NAME, $$ as Compose has them.
std::string interpolate(const std::string& text, const Environment& environment) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    if (text[i + 1] == '$') {
      out += '$';
      ++i;
      continue;
    }
    std::string name, fallback;
    if (text[i + 1] == '{') {
      auto end = text.find('}', i);
      if (end == std::string::npos) throw ComposeError("'" + text + "' has a ${ without its }");
      name = text.substr(i + 2, end - i - 2);
      if (auto dash = name.find('-'); dash != std::string::npos) {
        fallback = name.substr(dash + 1);
        name = name.substr(0, dash);
        if (name.ends_with(':')) name.pop_back();
      }
      i = end;
    } else {
      std::size_t end = i + 1;
      while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_')) ++end;
      if (end == i + 1) {
        out += '$';
        continue;
      }
      name = text.substr(i + 1, end - i - 1);
      i = end - 1;
    }
    auto found = environment.find(name);
    out += found != environment.end() && !found->second.empty() ? found->second : fallback;
  }
  return out;
}

class Reader {
 public:
  Reader(const Environment& environment, std::vector<std::string>& ignored)
      : environment_(environment), ignored_(ignored) {}

  std::string text(const YAML::Node& node) const {
    if (!node.IsScalar()) fail(node, "a text was expected here");
    return interpolate(node.Scalar(), environment_);
  }

  std::vector<std::string> texts(const YAML::Node& node) const {
    std::vector<std::string> out;
    for (const auto& item : node) out.push_back(text(item));
    return out;
  }

  // A command: a list as it stands, a text through the shell's word rules (quotes and spaces).
  std::vector<std::string> words(const YAML::Node& node) const {
    if (node.IsSequence()) return texts(node);
    return split_words(node, text(node));
  }

  // A map, or a list of K=V; a name alone takes its value from the caller's environment.
  std::vector<std::pair<std::string, std::string>> pairs(const YAML::Node& node) const {
    std::vector<std::pair<std::string, std::string>> out;
    auto from_caller = [&](const std::string& name) {
      auto found = environment_.find(name);
      return found == environment_.end() ? std::string() : found->second;
    };
    if (node.IsMap()) {
      for (const auto& item : node) {
        auto name = text(item.first);
        out.emplace_back(name, item.second.IsNull() ? from_caller(name) : text(item.second));
      }
      return out;
    }
    for (const auto& item : node) {
      auto line = text(item);
      auto equals = line.find('=');
      auto name = line.substr(0, equals);
      out.emplace_back(name, equals == std::string::npos ? from_caller(name) : line.substr(equals + 1));
    }
    return out;
  }

  int seconds(const YAML::Node& node) const {
    auto written = text(node);
    double total = 0, number = 0;
    bool any = false;
    for (std::size_t i = 0; i < written.size();) {
      std::size_t used = 0;
      try {
        number = std::stod(written.substr(i), &used);
      } catch (const std::exception&) {
        fail(node, "'" + written + "' is no duration (such as 10s or 1m30s)");
      }
      i += used;
      auto unit = written.substr(i, written.substr(i).find_first_of("0123456789"));
      i += unit.size();
      if (unit == "ms") total += number / 1000;
      else if (unit == "s" || unit.empty()) total += number;
      else if (unit == "m") total += number * 60;
      else if (unit == "h") total += number * 3600;
      else fail(node, "'" + written + "' is no duration (such as 10s or 1m30s)");
      any = true;
    }
    if (!any) fail(node, "a duration was expected here");
    return static_cast<int>(std::ceil(total));
  }

  int whole(const YAML::Node& node, std::int64_t low, std::int64_t high) const {
    auto number = core::parse_int(text(node));
    if (!number || *number < low || *number > high) {
      fail(node, "a number from " + std::to_string(low) + " to " + std::to_string(high) + " was expected, not '" + text(node) + "'");
    }
    return static_cast<int>(*number);
  }

  void ignore_others(const std::string& path, const YAML::Node& map, const std::set<std::string>& known) {
    for (const auto& item : map) {
      auto key = item.first.Scalar();
      if (!known.contains(key) && !key.starts_with("x-")) ignored_.push_back(path + key);
    }
  }

 private:
  static std::vector<std::string> split_words(const YAML::Node& node, const std::string& line) {
    std::vector<std::string> out;
    std::string word;
    bool in_word = false;
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      char c = line[i];
      if (quote != 0) {
        if (c == quote) quote = 0;
        else if (c == '\\' && quote == '"' && i + 1 < line.size()) word += line[++i];
        else word += c;
      } else if (c == '\'' || c == '"') {
        quote = c;
        in_word = true;
      } else if (c == '\\' && i + 1 < line.size()) {
        word += line[++i];
        in_word = true;
      } else if (std::isspace(static_cast<unsigned char>(c))) {
        if (in_word) out.push_back(std::move(word));
        word.clear();
        in_word = false;
      } else {
        word += c;
        in_word = true;
      }
    }
    if (quote != 0) fail(node, "a quote is not closed");
    if (in_word) out.push_back(word);
    return out;
  }

  const Environment& environment_;
  std::vector<std::string>& ignored_;
};

ComposePort parse_port(Reader& reader, const YAML::Node& node) {
  ComposePort port;
  if (node.IsMap()) {
    if (!node["target"]) fail(node, "a port needs 'target'");
    port.container = reader.whole(node["target"], 1, 65535);
    if (node["published"]) port.published = reader.whole(node["published"], 1, 65535);
    return port;
  }
  auto written = reader.text(node);
  auto plain = written;
  if (plain.ends_with("/tcp")) plain.resize(plain.size() - 4);
  auto parts = core::split(plain, ':');
  auto number = [&](const std::string& part) {
    auto value = core::parse_int(part);
    if (!value || *value < 1 || *value > 65535) {
      fail(node, "port '" + written + "' is not understood (use \"8080:80\" or \"80\"; TCP only)");
    }
    return static_cast<int>(*value);
  };
  port.container = number(parts.back());
  if (parts.size() > 1) port.published = number(parts[parts.size() - 2]);
  return port;
}

ComposeBuild parse_build(Reader& reader, const YAML::Node& node, const std::string& path) {
  ComposeBuild build;
  if (node.IsScalar()) {
    build.context = reader.text(node);
    return build;
  }
  build.context = node["context"] ? reader.text(node["context"]) : ".";
  if (node["dockerfile"]) build.dockerfile = reader.text(node["dockerfile"]);
  if (node["target"]) build.target = reader.text(node["target"]);
  if (node["args"]) build.args = reader.pairs(node["args"]);
  reader.ignore_others(path + "build.", node, {"context", "dockerfile", "target", "args"});
  return build;
}

std::optional<ComposeHealth> parse_health(Reader& reader, const YAML::Node& node, const std::string& path) {
  if (node["disable"] && reader.text(node["disable"]) == "true") return std::nullopt;
  if (!node["test"]) fail(node, "a healthcheck needs 'test'");
  ComposeHealth health;
  if (node["test"].IsScalar()) health.command = {"CMD-SHELL", reader.text(node["test"])};
  else health.command = reader.texts(node["test"]);
  if (health.command.empty()) fail(node["test"], "a healthcheck's test is empty");
  if (health.command[0] == "NONE") return std::nullopt;
  if (health.command[0] != "CMD" && health.command[0] != "CMD-SHELL") {
    fail(node["test"], "a healthcheck's test begins with CMD or CMD-SHELL");
  }
  if (node["interval"]) health.interval_seconds = std::max(5, reader.seconds(node["interval"]));
  if (node["timeout"]) health.timeout_seconds = std::clamp(reader.seconds(node["timeout"]), 2, 60);
  if (node["retries"]) health.retries = reader.whole(node["retries"], 1, 10);
  if (node["start_period"]) health.start_period_seconds = std::min(300, reader.seconds(node["start_period"]));
  reader.ignore_others(path + "healthcheck.", node, {"test", "interval", "timeout", "retries", "start_period", "disable"});
  return health;
}

int parse_memory(Reader& reader, const YAML::Node& node) {
  auto written = core::to_lower(reader.text(node));
  std::size_t used = 0;
  double number = 0;
  try {
    number = std::stod(written, &used);
  } catch (const std::exception&) {
    fail(node, "'" + written + "' is no amount of memory (such as 512M or 1G)");
  }
  auto unit = written.substr(used);
  double mib = 0;
  if (unit.empty() || unit == "b") mib = number / 1048576;
  else if (unit == "k" || unit == "kb") mib = number / 1024;
  else if (unit == "m" || unit == "mb" || unit == "mib") mib = number;
  else if (unit == "g" || unit == "gb" || unit == "gib") mib = number * 1024;
  else fail(node, "'" + written + "' is no amount of memory (such as 512M or 1G)");
  if (mib < 1 || mib > 1e7) fail(node, "'" + written + "' of memory cannot be had");
  return static_cast<int>(std::ceil(mib));
}

void parse_deploy(Reader& reader, const YAML::Node& node, const std::string& path, ComposeService& service) {
  if (node["replicas"]) service.replicas = reader.whole(node["replicas"], 0, 5000);
  if (auto resources = node["resources"]) {
    if (auto limits = resources["limits"]) {
      if (limits["cpus"]) {
        try {
          service.cpus = std::stod(reader.text(limits["cpus"]));
        } catch (const std::exception&) {
          fail(limits["cpus"], "cpus is a number such as \"0.5\"");
        }
      }
      if (limits["memory"]) service.memory_mib = parse_memory(reader, limits["memory"]);
    }
    reader.ignore_others(path + "deploy.resources.", resources, {"limits"});
  }
  reader.ignore_others(path + "deploy.", node, {"replicas", "resources"});
}

bool valid_name(const std::string& name) {
  return !name.empty() && name.size() <= 24 && name[0] != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::islower(c) || std::isdigit(c) || c == '-'; });
}

ComposeService parse_service(Reader& reader, const std::string& name, const YAML::Node& node) {
  if (!node.IsMap()) fail(node, "service '" + name + "' is not a map");
  if (!valid_name(name)) fail(node, "service name '" + name + "': at most 24 of a-z, 0-9 and -, not at the ends");
  auto path = "services." + name + ".";
  ComposeService service;
  service.name = name;
  if (node["image"]) service.image = reader.text(node["image"]);
  if (node["build"]) service.build = parse_build(reader, node["build"], path);
  if (service.image.empty() && !service.build) fail(node, "service '" + name + "' has neither image nor build");
  for (const auto& port : node["ports"]) service.ports.push_back(parse_port(reader, port));
  for (const auto& port : node["expose"]) service.ports.push_back({0, reader.whole(port, 1, 65535)});
  if (node["environment"]) service.environment = reader.pairs(node["environment"]);
  if (node["command"]) service.command = reader.words(node["command"]);
  if (node["entrypoint"]) service.entry_point = reader.words(node["entrypoint"]);
  if (node["working_dir"]) service.working_directory = reader.text(node["working_dir"]);
  if (node["user"]) service.user = reader.text(node["user"]);
  if (auto depends = node["depends_on"]) {
    if (depends.IsMap()) for (const auto& item : depends) service.depends_on.push_back(reader.text(item.first));
    else service.depends_on = reader.texts(depends);
  }
  if (node["healthcheck"]) service.health = parse_health(reader, node["healthcheck"], path);
  if (node["stop_grace_period"]) service.stop_timeout_seconds = std::clamp(reader.seconds(node["stop_grace_period"]), 2, 120);
  if (node["labels"]) {
    for (const auto& [label, value] : reader.pairs(node["labels"])) {
      if (label == "sampan.health-path") service.health_path = value;
    }
  }
  if (node["deploy"]) parse_deploy(reader, node["deploy"], path, service);
  reader.ignore_others(path, node,
                       {"image", "build", "ports", "expose", "environment", "command", "entrypoint", "working_dir", "user",
                        "depends_on", "healthcheck", "stop_grace_period", "labels", "deploy"});
  return service;
}

// Depth first, so that each service stands after those it depends on.
class Ordering {
 public:
  explicit Ordering(std::vector<ComposeService> services) : services_(std::move(services)) {}

  std::vector<ComposeService> run() {
    for (const auto& service : services_) visit(service.name, "");
    return std::move(ordered_);
  }

 private:
  void visit(const std::string& name, const std::string& wanted_by) {
    if (done_.contains(name)) return;
    auto found = std::find_if(services_.begin(), services_.end(), [&](const auto& s) { return s.name == name; });
    if (found == services_.end()) throw ComposeError("service '" + wanted_by + "' depends on '" + name + "', which is not there");
    if (!open_.insert(name).second) throw ComposeError("services depend on each other in a circle through '" + name + "'");
    for (const auto& other : found->depends_on) visit(other, name);
    open_.erase(name);
    done_.insert(name);
    ordered_.push_back(*found);
  }

  std::vector<ComposeService> services_;
  std::vector<ComposeService> ordered_;
  std::set<std::string> open_, done_;
};

}  // namespace

Compose parse_compose(const std::string& text, const std::string& default_name, const Environment& environment) {
  YAML::Node root;
  try {
    root = YAML::Load(text);
  } catch (const YAML::Exception& error) {
    throw ComposeError("line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
  if (!root.IsMap() || !root["services"] || !root["services"].IsMap()) {
    throw ComposeError("there is no map 'services' in it");
  }
  Compose compose;
  Reader reader(environment, compose.ignored);
  compose.name = root["name"] ? reader.text(root["name"]) : default_name;
  if (!valid_name(compose.name)) throw ComposeError("name '" + compose.name + "': at most 24 of a-z, 0-9 and -, not at the ends");
  std::vector<ComposeService> services;
  for (const auto& item : root["services"]) services.push_back(parse_service(reader, item.first.Scalar(), item.second));
  if (services.empty()) throw ComposeError("'services' is empty");
  compose.services = Ordering(std::move(services)).run();
  reader.ignore_others("", root, {"name", "version", "services"});
  return compose;
}

FargateSize fargate_size(double cpus, int memory_mib) {
  struct Row {
    int cpu, low, high, step;
  };
  // AWS-SEMANTICS D10; 256 has 512, 1024 and 2048 only.
  static constexpr Row kRows[] = {{256, 512, 2048, 512},      {512, 1024, 4096, 1024},     {1024, 2048, 8192, 1024},
                                  {2048, 4096, 16384, 1024},  {4096, 8192, 30720, 1024},   {8192, 16384, 61440, 4096},
                                  {16384, 32768, 122880, 8192}};
  int wanted = static_cast<int>(std::ceil(cpus * 1024));
  for (const auto& row : kRows) {
    if (row.cpu < wanted || row.high < memory_mib) continue;
    int memory = row.low;
    while (memory < memory_mib) memory += row.step;
    if (row.cpu == 256 && memory == 1536) memory = 2048;
    return {row.cpu, memory};
  }
  throw ComposeError("no Fargate size has " + std::to_string(wanted) + " CPU units and " + std::to_string(memory_mib) + " MiB");
}

}  // namespace sampan::cli
