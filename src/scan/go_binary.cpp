#include "scan/go_binary.h"

#include <optional>

#include "core/text.h"
#include "scan/lines.h"

namespace sampan::scan {
namespace {

constexpr std::string_view kMagic = "\xff Go buildinf:";
constexpr std::size_t kHeader = 32;
constexpr std::size_t kLargest = 4 * 1024 * 1024;  // of the information of one program
constexpr int kMostCandidates = 16;                // the magic may stand in a program's own constants
constexpr char kTextsFollow = 2;                   // flag: the texts stand behind the header

// A length as Go's binary.Uvarint, and as many bytes; nothing when they are not all there.
std::optional<std::string_view> take_text(std::string_view& rest) {
  std::uint64_t length = 0;
  for (int shift = 0;; shift += 7) {
    if (rest.empty() || shift > 28) return std::nullopt;
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    length |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (length > rest.size()) return std::nullopt;
  const auto text = rest.substr(0, length);
  rest.remove_prefix(length);
  return text;
}

Package module(std::string_view name, std::string_view version) {
  if (version.starts_with('v')) version.remove_prefix(1);
  Package package;
  package.type = PackageType::kGo;
  package.name = name;
  package.version = version;
  return package;
}

}  // namespace

std::vector<Package> parse_go_modules(std::string_view text) {
  std::vector<Package> packages;
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    const auto fields = core::split(line, '\t');
    if (fields.size() < 3) continue;
    const bool replaces = fields[0] == "=>";
    if (!replaces && fields[0] != "dep" && fields[0] != "mod") continue;
    if (replaces && !packages.empty()) packages.pop_back();
    packages.push_back(module(fields[1], fields[2]));
  }
  std::erase_if(packages, [](const Package& package) { return package.version == "(devel)"; });
  return packages;
}

void GoBinary::feed(std::span<const char> bytes) {
  if (done_) return;
  held_.append(bytes.data(), bytes.size());
  if (!found_) search();
  if (found_ && held_.size() >= kLargest) finish();
}

void GoBinary::search() {
  const auto at = held_.find(kMagic);
  found_ = at != held_.npos;
  // What may be the beginning of the magic stays.
  const auto keep = std::min(held_.size(), kMagic.size() - 1);
  held_.erase(0, found_ ? at : held_.size() - keep);
}

bool GoBinary::parse(std::string_view text) {
  if (text.size() < kHeader || (text[15] & kTextsFollow) == 0) return false;
  auto rest = text.substr(kHeader);
  const auto version = take_text(rest);
  const auto modules = take_text(rest);
  if (!version || !modules || !version->starts_with("go")) return false;
  auto listed = *modules;
  // The linker sets it between two marks of 16 bytes.
  if (listed.size() >= 33 && listed[listed.size() - 17] == '\n')
    listed = listed.substr(16, listed.size() - 32);
  packages_ = parse_go_modules(listed);
  const auto number = version->substr(2);
  packages_.push_back(module("stdlib", number.substr(0, number.find(' '))));
  return true;
}

std::vector<Package> GoBinary::finish() {
  while (!done_ && found_) {
    done_ = parse(held_) || ++candidates_ >= kMostCandidates;
    if (done_) break;
    held_.erase(0, 1);
    search();
  }
  if (done_) held_.clear();
  return packages_;
}

}  // namespace sampan::scan
