#include "scan/osv.h"

#include <algorithm>

#include "core/text.h"
#include "scan/json_text.h"
#include "scan/package_files.h"

namespace sampan::scan {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongestDescription = 4096;
constexpr std::size_t kMostReferences = 20;
constexpr std::size_t kMostRelated = 50;
constexpr std::size_t kMostVectors = 8;

// Cut between characters.
std::string shortened(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) --limit;
  return std::string(text.substr(0, limit)) + "…";
}

void add_texts(const json::object& object, std::string_view name, std::vector<std::string>& texts,
               std::size_t most) {
  const auto* list = array_in(object, name);
  if (!list) return;
  for (const auto& item : *list) {
    const auto* text = item.if_string();
    if (text && texts.size() < most && text->size() <= kLongestName) texts.emplace_back(*text);
  }
}

// "events": each an object of one member; their order in the record does not matter.
std::optional<OsvRange> read_range(const json::object& object) {
  static constexpr std::pair<std::string_view, OsvEvent::Kind> kKinds[]{
      {"introduced", OsvEvent::Kind::kIntroduced},
      {"fixed", OsvEvent::Kind::kFixed},
      {"last_affected", OsvEvent::Kind::kLastAffected},
      {"limit", OsvEvent::Kind::kLimit}};
  const auto type = text_in(object, "type");
  const auto* events = array_in(object, "events");
  if ((type != "ECOSYSTEM" && type != "SEMVER") || !events) return std::nullopt;  // GIT
  OsvRange range;
  range.semver = type == "SEMVER";
  for (const auto& item : *events) {
    const auto* event = item.if_object();
    if (!event) continue;
    for (const auto& [name, kind] : kKinds) {
      const auto version = text_in(*event, name);
      if (!version.empty() && version.size() <= kLongestVersion)
        range.events.push_back({kind, std::string(version)});
    }
  }
  if (range.events.empty()) return std::nullopt;
  return range;
}

void read_vectors(const json::object& object, std::vector<OsvVector>& vectors, Severity& worded) {
  const auto* list = array_in(object, "severity");
  if (!list) return;
  for (const auto& item : *list) {
    const auto* entry = item.if_object();
    if (!entry) continue;
    const auto text = text_in(*entry, "score");
    if (text_in(*entry, "type").starts_with("CVSS")) {
      auto score = score_of(text);
      if (score && vectors.size() < kMostVectors) vectors.push_back({std::string(core::trim(text)), *score});
    } else {
      worded = severity_of_word(text);  // "Ubuntu": its own word
    }
  }
}

// The distribution's or the database's own word, from where each writes it.
Severity read_word(const json::value& value) {
  Severity severity = Severity::kUndefined;
  for (const auto* place : {"ecosystem_specific", "database_specific"}) {
    const auto* object = object_in(value, place);
    if (!object) continue;
    for (const auto* name : {"severity", "urgency", "ubuntu_priority"}) {
      if (severity == Severity::kUndefined) severity = severity_of_word(text_in(*object, name));
    }
  }
  return severity;
}

// The version people compare by: 3 before 4 before 2, as ECR does.
const OsvVector* preferred(const std::vector<OsvVector>& vectors) {
  for (const char* version : {"3", "4", "2"}) {
    for (const auto& vector : vectors) {
      if (vector.score.version.starts_with(version)) return &vector;
    }
  }
  return nullptr;
}

Severity judge(const std::vector<OsvVector>& vectors, Severity word) {
  // What a distribution calls unimportant is so there, whatever the score.
  if (word == Severity::kInformational) return word;
  if (const auto* vector = preferred(vectors)) {
    return severity_of_score(vector->score.score, vector->score.version);
  }
  return word;
}

OsvAffected read_affected(const json::object& object, const json::value& value, const OsvRecord& record) {
  OsvAffected affected;
  const auto* package = object_in(value, "package");
  if (!package) return affected;
  affected.ecosystem = text_in(*package, "ecosystem");
  affected.name = text_in(*package, "name");
  if (affected.ecosystem == "PyPI") affected.name = normal_python_name(affected.name);
  if (affected.ecosystem == "Packagist") affected.name = core::to_lower(affected.name);
  if (const auto* ranges = array_in(object, "ranges")) {
    for (const auto& item : *ranges) {
      const auto* range = item.if_object();
      if (!range) continue;
      if (auto read = read_range(*range)) affected.ranges.push_back(std::move(*read));
    }
  }
  add_texts(object, "versions", affected.versions, 100'000);
  std::vector<OsvVector> own;
  Severity word = Severity::kUndefined;
  read_vectors(object, own, word);
  if (word == Severity::kUndefined) word = read_word(value);
  affected.severity = judge(own.empty() ? record.vectors : own, word);
  return affected;
}

// A record that stands for one CVE is known by it; an advisory over several keeps its own name.
void choose_name(OsvRecord& record) {
  std::vector<std::string> cves;
  for (const auto& other : record.related) {
    if (other.starts_with("CVE-")) cves.push_back(other);
  }
  std::sort(cves.begin(), cves.end());
  cves.erase(std::unique(cves.begin(), cves.end()), cves.end());
  record.name = record.id;
  const auto inside = record.id.find("-CVE-");  // "DEBIAN-CVE-2024-1", "UBUNTU-CVE-2024-1"
  if (!record.id.starts_with("CVE-") && inside != std::string::npos) {
    record.name = record.id.substr(inside + 1);
  } else if (!record.id.starts_with("CVE-") && cves.size() == 1) {
    record.name = cves.front();
  }
  if (record.name != record.id) record.related.push_back(record.id);
  std::sort(record.related.begin(), record.related.end());
  record.related.erase(std::unique(record.related.begin(), record.related.end()), record.related.end());
  std::erase(record.related, record.name);
}

void read_references(const json::object& object, OsvRecord& record) {
  const auto* list = array_in(object, "references");
  if (!list) return;
  for (const auto& item : *list) {
    const auto* entry = item.if_object();
    const auto url = entry ? text_in(*entry, "url") : std::string_view();
    const bool is_url = url.starts_with("https://") || url.starts_with("http://");
    if (is_url && url.size() <= 2048 && record.references.size() < kMostReferences)
      record.references.emplace_back(url);
  }
}

}  // namespace

OsvRecord parse_osv(std::string_view text) {
  json::monotonic_resource memory(64 * 1024);
  const auto value = parse_json(text, &memory);
  const auto* object = value.if_object();
  if (!object) throw core::Error("read an OSV record", "it is no JSON object");
  OsvRecord record;
  record.id = text_in(*object, "id");
  if (record.id.empty() || record.id.size() > kLongestVersion) {
    throw core::Error("read an OSV record", "it has no id, or one that is too long");
  }
  record.withdrawn = !text_in(*object, "withdrawn").empty();
  record.published = shortened(text_in(*object, "published"), 40);
  record.modified = shortened(text_in(*object, "modified"), 40);
  add_texts(*object, "aliases", record.related, kMostRelated);
  add_texts(*object, "upstream", record.related, kMostRelated);
  choose_name(record);
  auto details = text_in(*object, "summary");
  if (details.empty()) details = text_in(*object, "details");
  record.description = shortened(core::trim(details), kLongestDescription);
  read_references(*object, record);
  Severity word = Severity::kUndefined;
  read_vectors(*object, record.vectors, word);
  if (word == Severity::kUndefined) word = read_word(value);
  record.severity = judge(record.vectors, word);
  if (const auto* list = array_in(*object, "affected")) {
    for (const auto& item : *list) {
      const auto* entry = item.if_object();
      if (!entry) continue;
      auto affected = read_affected(*entry, item, record);
      const bool says = !affected.ranges.empty() || !affected.versions.empty();
      const bool named = !affected.name.empty() && affected.name.size() <= kLongestName &&
                         !affected.ecosystem.empty() && affected.ecosystem.size() <= 100;
      if (says && named) record.affected.push_back(std::move(affected));
    }
  }
  return record;
}

bool is_within(Scheme scheme, const OsvRange& range, std::string_view version) {
  const auto order = range.semver ? Scheme::kSemVer : scheme;
  // "0" stands before every version.
  const auto compare = [&](std::string_view event) {
    return event == "0" ? 1 : compare_versions(order, version, event);
  };
  // Before the limits, where there are any: before one of them.
  bool limited = false, before_limit = false;
  for (const auto& event : range.events) {
    if (event.kind != OsvEvent::Kind::kLimit) continue;
    limited = true;
    before_limit |= event.version == "*" || compare(event.version) < 0;
  }
  if (limited && !before_limit) return false;
  // The last event, in the order of versions, that touches this version decides. At the same version a fix
  // stands before an introduction, and that before a last affected.
  const auto later = [&](const OsvEvent& a, const OsvEvent& b) {
    if (a.version == b.version) return 0;
    if (a.version == "0" || b.version == "0") return a.version == "0" ? -1 : 1;
    return compare_versions(order, a.version, b.version);
  };
  const auto rank = [](const OsvEvent& event) {
    if (event.kind == OsvEvent::Kind::kFixed) return 0;
    return event.kind == OsvEvent::Kind::kIntroduced ? 1 : 2;
  };
  const OsvEvent* deciding = nullptr;
  for (const auto& event : range.events) {
    if (event.kind == OsvEvent::Kind::kLimit) continue;
    const int at = compare(event.version);
    const bool touches = event.kind == OsvEvent::Kind::kLastAffected ? at > 0 : at >= 0;
    if (!touches) continue;
    const int order_of_two = deciding ? later(event, *deciding) : 1;
    if (order_of_two > 0 || (order_of_two == 0 && rank(event) > rank(*deciding))) deciding = &event;
  }
  return deciding && deciding->kind == OsvEvent::Kind::kIntroduced;
}

bool is_affected(Scheme scheme, const std::vector<OsvRange>& ranges, const std::vector<std::string>& versions,
                 std::string_view version) {
  if (std::find(versions.begin(), versions.end(), version) != versions.end()) return true;
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const OsvRange& range) { return is_within(scheme, range, version); });
}

}  // namespace sampan::scan
