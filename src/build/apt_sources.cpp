#include "build/apt_sources.h"

#include <algorithm>
#include <map>

#include "core/text.h"

namespace sampan::build {
namespace {

constexpr std::string_view kPublicMirror = "http://deb.debian.org/debian";
constexpr std::string_view kPublicSecurity = "http://deb.debian.org/debian-security";

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\n';
    if (!space) word.push_back(c);
    if (space && !word.empty()) words.push_back(std::exchange(word, ""));
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

bool is_web(std::string_view uri) {
  return uri.starts_with("http://") || uri.starts_with("https://");
}

// bookworm-updates and bookworm-security belong to bookworm.
std::string_view base_suite(std::string_view suite) {
  for (const std::string_view ending : {"-updates", "-security", "/updates"}) {
    if (suite.ends_with(ending)) return suite.substr(0, suite.size() - ending.size());
  }
  return suite;
}

// A mirror of Debian itself, not of somebody's packages: its path says so on every mirror there is.
bool is_debian(const AptSource& source) {
  const bool has_main =
      std::find(source.components.begin(), source.components.end(), "main") != source.components.end();
  std::string_view uri = source.uri;
  while (uri.ends_with('/')) uri.remove_suffix(1);
  return is_web(uri) && has_main && uri.find("/debian") != std::string_view::npos;
}

using Fields = std::map<std::string, std::string>;

void take_stanza(const Fields& fields, std::vector<AptSource>& sources) {
  const auto get = [&fields](const char* name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::vector<std::string>() : words_of(found->second);
  };
  const auto types = get("types");
  const auto enabled = get("enabled");
  if (std::find(types.begin(), types.end(), "deb") == types.end()) return;
  if (!enabled.empty() && core::to_lower(enabled[0]) == "no") return;
  for (const std::string& uri : get("uris")) {
    for (const std::string& suite : get("suites")) sources.push_back({uri, suite, get("components")});
  }
}

}  // namespace

std::vector<AptSource> parse_one_line_sources(std::string_view text) {
  std::vector<AptSource> sources;
  for (const std::string& line : core::split(text, '\n')) {
    std::string entry = line.substr(0, line.find('#'));
    const std::size_t open = entry.find('[');
    const std::size_t close = entry.find(']');
    if (open != std::string::npos && close != std::string::npos && open < close)
      entry.erase(open, close - open + 1);
    auto words = words_of(entry);
    if (words.size() < 3 || words[0] != "deb") continue;
    sources.push_back({words[1], words[2], {words.begin() + 3, words.end()}});
  }
  return sources;
}

std::vector<AptSource> parse_deb822_sources(std::string_view text) {
  std::vector<AptSource> sources;
  Fields fields;
  std::string last;
  for (const std::string& line : core::split(text, '\n')) {
    if (line.starts_with('#')) continue;
    if (core::trim(line).empty()) {
      take_stanza(std::exchange(fields, {}), sources);
      continue;
    }
    const std::size_t colon = line.find(':');
    if (line[0] == ' ' || line[0] == '\t') {
      fields[last] += " " + line;
    } else if (colon != std::string::npos) {
      last = core::to_lower(line.substr(0, colon));
      fields[last] = line.substr(colon + 1);
    }
  }
  take_stanza(fields, sources);
  return sources;
}

std::vector<AptSource> sources_for(std::string_view suite, const std::vector<AptSource>& host) {
  std::vector<AptSource> chosen;
  const std::string wanted(suite);
  for (const AptSource& source : host) {
    const std::string_view base = base_suite(source.suite);
    if (!is_debian(source) || base.find_first_of("/.") != std::string_view::npos) continue;
    AptSource mapped{source.uri, wanted + source.suite.substr(base.size()), {"main"}};
    if (std::find(chosen.begin(), chosen.end(), mapped) == chosen.end()) chosen.push_back(std::move(mapped));
  }
  if (!chosen.empty()) return chosen;
  return {{std::string(kPublicMirror), wanted, {"main"}},
          {std::string(kPublicMirror), wanted + "-updates", {"main"}},
          {std::string(kPublicSecurity), wanted + "-security", {"main"}}};
}

std::string render_source(const AptSource& source) {
  return "deb " + source.uri + " " + source.suite + " " + core::join(source.components, " ");
}

bool valid_suite(std::string_view suite) {
  return !suite.empty() && suite.size() <= 64 && suite[0] != '-' &&
         std::all_of(suite.begin(), suite.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

}  // namespace sampan::build
