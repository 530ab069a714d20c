#include "scan/osv_bytes.h"

#include "core/error.h"

namespace sampan::scan {
namespace {

void put_number(std::string& out, std::size_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}
  std::size_t number() {
    std::size_t number = 0;
    for (int shift = 0;; shift += 7) {
      SAMPAN_CHECK(!rest_.empty());
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      number |= static_cast<std::size_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return number;
    }
  }
  std::string text() {
    const auto size = number();
    SAMPAN_CHECK(size <= rest_.size());
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::string encode_affected(const OsvAffected& affected) {
  std::string out;
  put_number(out, static_cast<std::size_t>(affected.severity));
  put_number(out, affected.ranges.size());
  for (const auto& range : affected.ranges) {
    put_number(out, range.events.size() * 2 + (range.semver ? 1 : 0));
    for (const auto& event : range.events) {
      put_number(out, static_cast<std::size_t>(event.kind));
      put_text(out, event.version);
    }
  }
  put_number(out, affected.versions.size());
  for (const auto& version : affected.versions) put_text(out, version);
  return out;
}

OsvAffected decode_affected(std::string_view bytes) {
  Reader reader(bytes);
  OsvAffected affected;
  affected.severity = static_cast<Severity>(reader.number());
  affected.ranges.resize(reader.number());
  for (auto& range : affected.ranges) {
    const auto head = reader.number();
    range.semver = head % 2 == 1;
    for (std::size_t i = 0; i < head / 2; ++i) {
      const auto kind = static_cast<OsvEvent::Kind>(reader.number());
      range.events.push_back({kind, reader.text()});
    }
  }
  const auto versions = reader.number();
  for (std::size_t i = 0; i < versions; ++i) affected.versions.push_back(reader.text());
  return affected;
}

}  // namespace sampan::scan
